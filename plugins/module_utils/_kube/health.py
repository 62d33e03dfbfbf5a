# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster can take the stack: what the API says in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._findings import Finding
from .client import Cluster, Object
from .errors import ApiError, KubeError

MINIMUM = (1, 29)
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


class Permission(NamedTuple):
    """Something that a deployment does; `namespaced` says whether inside the namespace alone is enough."""

    verb: str
    group: str
    resource: str
    namespaced: bool = True


def _rights() -> tuple[Permission, ...]:
    # Helm reads, applies and removes what a chart makes; one verb of each kind stands for its neighbours.
    inside = {
        "": ("secrets", "configmaps", "services", "serviceaccounts", "persistentvolumeclaims"),
        "coordination.k8s.io": ("leases",),
        "apps": ("deployments", "statefulsets", "daemonsets"),
        "rbac.authorization.k8s.io": ("roles", "rolebindings"),
        "monitoring.coreos.com": ("servicemonitors", "prometheusrules", "prometheuses", "alertmanagers"),
    }
    kinds = [(group, name) for group, names in inside.items() for name in names]
    found = [Permission(verb, group, name) for group, name in kinds for verb in ("create", "patch")]
    cluster = {
        "apiextensions.k8s.io": ("customresourcedefinitions",),
        "rbac.authorization.k8s.io": ("clusterroles", "clusterrolebindings"),
    }
    found += [Permission("patch", group, name, namespaced=False) for group, names in cluster.items() for name in names]
    # what the proofs read
    found += [
        Permission("list", "monitoring.coreos.com", name, namespaced=False)
        for name in ("servicemonitors", "podmonitors")
    ]
    return (
        *found,
        # one run at a time; the rules of files that are gone
        Permission("get", "coordination.k8s.io", "leases"),
        Permission("delete", "coordination.k8s.io", "leases"),
        Permission("list", "monitoring.coreos.com", "prometheusrules"),
        Permission("delete", "monitoring.coreos.com", "prometheusrules"),
        Permission("list", "", "pods"),
        Permission("get", "", "pods/log"),
        Permission("create", "", "pods/portforward"),
    )


RIGHTS = _rights()


def examine(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    """Everything that is wrong, not just the first. An API that does not answer at all raises KubeError."""
    findings = version(cluster.get("/version"))
    for check in (_nodes, _storage, _namespace, _rights_missing):
        try:
            findings += check(cluster, namespace, storage_classes)
        except ApiError as error:
            findings.append(Finding("cluster/permission", "error", error.message, error.hint, object=cluster.host))
    return findings


def version(answer: Object) -> list[Finding]:
    digits = tuple(int("".join(filter(str.isdigit, answer.get(part, ""))) or 0) for part in ("major", "minor"))
    if digits >= MINIMUM:
        return []
    wanted = ".".join(map(str, MINIMUM))
    return [
        Finding(
            "cluster/version",
            "error",
            f"the cluster runs Kubernetes {answer.get('gitVersion', 'of an unknown version')}",
            f"Kubernetes >= {wanted} is required: upgrade the cluster",
        )
    ]


def nodes(items: Iterable[Object]) -> list[Finding]:
    found = list(items)
    if not found:
        return [Finding("cluster/no-nodes", "error", "the cluster has no node", "Add a node pool")]
    return [
        Finding("cluster/node-not-ready", "error", reason, "See: kubectl describe node", object=f"node {name}")
        for name, reason in ((node["metadata"]["name"], _not_ready(node)) for node in found)
        if reason
    ]


def _not_ready(node: Object) -> str:
    ready = next((one for one in node["status"].get("conditions") or [] if one["type"] == "Ready"), None)
    if ready is None:
        return "it has not reported yet"
    return "" if ready["status"] == "True" else f"it is not ready: {ready.get('message') or ready.get('reason', '')}"


def storage(items: Iterable[Object], wanted: Sequence[str]) -> list[Finding]:
    """`wanted` empty means the cluster's default class."""
    classes = {item["metadata"]["name"]: item["metadata"].get("annotations") or {} for item in items}
    have = f"The cluster has {', '.join(sorted(classes)) or 'none'}"
    if wanted or any(annotations.get(DEFAULT_CLASS) == "true" for annotations in classes.values()):
        missing = [f"storage class {name} does not exist" for name in wanted if name not in classes]
    else:
        missing = ["no storage class is the default"]
    return [Finding("cluster/storage-class", "error", message, have) for message in missing]


def _nodes(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    return nodes(cluster.items("/api/v1/nodes"))


def _storage(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    return storage(cluster.items("/apis/storage.k8s.io/v1/storageclasses"), storage_classes)


def _namespace(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    found = cluster.find(f"/api/v1/namespaces/{namespace}")
    if found is None or (found.get("status") or {}).get("phase") != "Terminating":
        return []
    message = f"namespace {namespace} is being deleted"
    return [Finding("cluster/namespace-terminating", "error", message, "Wait until it is gone, or see what holds it")]


def _rights_missing(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    missing = [right for right in RIGHTS if not _allowed(cluster, namespace, right)]
    if not missing:
        return []
    listed = ", ".join(
        f"{right.verb} {right.resource}{'' if right.namespaced else ' (cluster-wide)'}" for right in missing
    )
    message = f"these credentials may not, in namespace {namespace}: {listed}"
    return [Finding("cluster/permission", "error", message, "Bind a role that allows it, or use another kubeconfig")]


def _allowed(cluster: Cluster, namespace: str, right: Permission) -> bool:
    resource, _slash, part = right.resource.partition("/")
    asked = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": part}
    if right.namespaced:
        asked["namespace"] = namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": asked},
    }
    answer = cluster.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def unusable(error: KubeError) -> Finding:
    """The finding when there is no API to examine."""
    return Finding("cluster/api", "error", error.message, error.hint)


def no_helm(error: KubeError) -> Finding:
    return Finding("cluster/helm", "error", error.message, error.hint)
