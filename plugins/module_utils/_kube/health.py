# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster can take the stack: what the API says in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from .._findings import Finding, Severity
from .client import Cluster, Object
from .errors import ApiError, KubeError
from .permissions import DEPLOYER, Permission

MINIMUM = (1, 29)
MOST_NOT_READY = 1 / 3
"""Of the nodes: fewer do not keep the stack from running, and rules must be changed during an outage too."""
WORKERS = 8
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def examine(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    """Everything that is wrong, not just the first. An API that does not answer at all raises KubeError."""
    findings = version(cluster.get("/version"))
    for check in (_nodes, _storage, _namespace, _permissions):
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
    reasons = {node["metadata"]["name"]: reason for node in found if (reason := _not_ready(node))}
    severity: Severity = "error" if len(reasons) > len(found) * MOST_NOT_READY else "warning"
    return [
        Finding("cluster/node-not-ready", severity, reason, "See: kubectl describe node", object=f"node {name}")
        for name, reason in reasons.items()
    ]


def _not_ready(node: Object) -> str:
    conditions = node["status"].get("conditions") or []
    ready = next((condition for condition in conditions if condition["type"] == "Ready"), None)
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


def _permissions(cluster: Cluster, namespace: str, storage_classes: Sequence[str]) -> list[Finding]:
    with ThreadPoolExecutor(WORKERS) as threads:
        allowed = list(threads.map(lambda permission: _is_allowed(cluster, namespace, permission), DEPLOYER))
    missing = [str(permission) for permission, may in zip(DEPLOYER, allowed, strict=True) if not may]
    if not missing:
        return []
    message = f"these credentials may not, in namespace {namespace}: {', '.join(missing)}"
    hint = "Grant what contracts/rbac/deployer.yaml grants, or use another kubeconfig"
    return [Finding("cluster/permission", "error", message, hint)]


def _is_allowed(cluster: Cluster, namespace: str, permission: Permission) -> bool:
    resource, _slash, subresource = permission.resource.partition("/")
    attributes = {
        "verb": permission.verb,
        "group": permission.group,
        "resource": resource,
        "subresource": subresource,
        "name": permission.name,
    }
    if permission.scope != "cluster":
        attributes["namespace"] = namespace if permission.scope == "namespace" else permission.scope
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": attributes},
    }
    answer = cluster.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def unusable(error: KubeError) -> Finding:
    """The finding when there is no API to examine."""
    return Finding("cluster/api", "error", error.message, error.hint)


def no_helm(error: KubeError) -> Finding:
    return Finding("cluster/helm", "error", error.message, error.hint)
