# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the stack run as it was declared: its images, its rights, what it takes of the nodes, who can reach it?

What belongs to the stack is told by Helm: the service accounts that its releases made, and the pods that run as them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._findings import Finding
from .result import CheckResult

Object = Mapping[str, Any]
RELEASE, RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
BOOTSTRAPPING = "kubernetes.io/bootstrapping"
"""The label of the bindings that each cluster begins with."""
WIDE_ROLES = frozenset({"cluster-admin", "admin", "edit"})
"""Roles of Kubernetes itself that give all of a cluster or of a namespace; no chart of the stack binds them."""
DEFAULT_PASSWORDS = frozenset({"admin", "prom-operator", "grafana", "password", "changeme"})
HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
_IMAGE = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?")


class Image(NamedTuple):
    """An image that charts.yaml has; `digest` is empty where it is not pinned."""

    repository: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What the charts may bring: the names of their releases, their images, and what their pods take of the nodes."""

    releases: frozenset[str]
    images: tuple[Image, ...]
    host: Mapping[str, frozenset[str]]
    """By the label app.kubernetes.io/name of a pod."""


@dataclass(frozen=True, slots=True)
class Live:
    """What the cluster has: the service accounts, services and pods of the namespace, and all bindings."""

    accounts: Sequence[Object]
    services: Sequence[Object]
    pods: Sequence[Object]
    bindings: Sequence[Object]
    """RoleBindings and ClusterRoleBindings; `kind` says which."""


def check_stack(namespace: str, declared: Declared, live: Live, exposed: Collection[str]) -> CheckResult:
    """Everything of the cluster that is not as declared. `exposed` are the services that the site lets out."""
    accounts = {account["metadata"]["name"] for account in live.accounts if of_release(account, declared.releases)}
    pods = [pod for pod in live.pods if (pod.get("spec") or {}).get("serviceAccountName") in accounts]
    if not pods:
        hint = "Deploy the stack first, or correct the namespace"
        message = f"no pod in namespace {namespace} runs as a service account of the stack's releases"
        return CheckResult(1, 0, [Finding("security/no-stack", "error", message, hint)])
    services = [
        service for service in live.services if of_release(service, declared.releases) or selects(service, pods)
    ]
    bindings = [binding for binding in live.bindings if reaches(binding, namespace, accounts)]
    findings = [
        *once(finding for pod in pods for finding in [*images(pod, declared.images), *host_access(pod, declared.host)]),
        *(finding for service in services for finding in exposure(service, exposed)),
        *(finding for binding in bindings for finding in rights(binding, namespace, declared.releases)),
    ]
    checked = len(pods) + len(services) + len(bindings)
    errors = {finding.object for finding in findings if finding.severity == "error"}
    return CheckResult(checked, max(checked - len(errors), 0), findings, {"pods": len(pods)})


def read_declared(document: Any) -> Declared:
    """What charts.yaml says; DeclaredError where it is none. A release has the name of its entry."""
    try:
        charts = document["charts"]
        images = tuple(
            Image(str(image["repository"]), str(image["tag"]), str(image["digest"] or ""))
            for chart in charts.values()
            for image in chart["images"]
        )
        host = {
            name: frozenset(map(str, taken))
            for chart in charts.values()
            for name, taken in (chart.get("host") or {}).items()
        }
        return Declared(frozenset(charts), images, host)
    except (LookupError, TypeError, AttributeError) as error:
        raise DeclaredError("it has no charts with images, as contracts/charts.yaml has") from error


class DeclaredError(ValueError):
    """The document is no charts.yaml."""


def of_release(item: Object, releases: Collection[str]) -> bool:
    return (item["metadata"].get("annotations") or {}).get(RELEASE) in releases


def selects(service: Object, pods: Iterable[Object]) -> bool:
    selector = (service.get("spec") or {}).get("selector") or {}
    return bool(selector) and any(selector.items() <= (pod["metadata"].get("labels") or {}).items() for pod in pods)


def once(findings: Iterable[Finding]) -> list[Finding]:
    """The same of several pods of one workload is one finding."""
    return list({(finding.id, finding.object, finding.message): finding for finding in findings}.values())


def images(pod: Object, declared: Sequence[Image]) -> Iterator[Finding]:
    """Each container runs an image of charts.yaml. A registry of the site, or a path in it, may stand before it."""
    running = {
        state["name"]: str(state.get("imageID") or "")
        for key in ("initContainerStatuses", "containerStatuses")
        for state in (pod.get("status") or {}).get(key) or []
    }
    for container in containers(pod):
        where = f"{workload(pod)}, container {container['name']}"
        found = read_image(str(container.get("image") or ""))
        known = [image for image in declared if is_copy(found.repository, image.repository)]
        same = [image for image in known if image.tag == found.tag]
        if not same:
            wanted = " or ".join(sorted({image.tag for image in known}))
            other = f"; charts.yaml has {wanted} of it" if known else ", which charts.yaml does not have"
            hint = "Deploy again; if it is wanted, add it to contracts/charts.yaml"
            message = f"it runs image {container.get('image')}{other}"
            yield Finding("security/image", "error", message, hint, object=where)
            continue
        pinned = {image.digest for image in same if image.digest}
        digest = found.digest or running.get(container["name"], "").rpartition("@")[2]
        if pinned and digest and digest not in pinned and all(image.digest for image in same):
            # a mirror may have repacked what it holds: its digest is then its own
            message = f"image {container.get('image')} is not the one that charts.yaml pins: it is {digest}"
            hint = "Find out who moved the tag or the copy; pull the pinned digest"
            yield Finding("security/image-digest", "error" if found.digest else "warning", message, hint, object=where)


def read_image(text: str) -> Image:
    """`memcached:1.6` is docker.io/library/memcached."""
    match = _IMAGE.fullmatch(text)
    name, tag, digest = (match["name"], match["tag"], match["digest"]) if match else (text, "", "")
    first = name.partition("/")[0]
    if "/" not in name:
        name = f"docker.io/library/{name}"
    elif not ({".", ":"} & set(first) or first == "localhost"):
        name = f"docker.io/{name}"
    return Image(name, tag or "latest", digest or "")


def is_copy(running: str, declared: str) -> bool:
    path = declared.partition("/")[2]
    return running == declared or running.endswith(f"/{path}")


def host_access(pod: Object, declared: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Nothing of the node that charts.yaml does not name for pods of this name."""
    name = (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/name", "")
    more = sorted(set(taken(pod)) - set(declared.get(name, ())))
    if more:
        message = f"it takes of its node: {', '.join(more)}; charts.yaml does not name that"
        hint = "Deploy again; if it is wanted, name it in contracts/charts.yaml under host"
        yield Finding("security/host", "error", message, hint, object=workload(pod))


def taken(pod: Object) -> Iterator[str]:
    """What a pod takes of its node, as charts.yaml names it."""
    spec = pod.get("spec") or {}
    yield from (name for name in HOST_NAMESPACES if spec.get(name))
    yield from (f"path {volume['hostPath']['path']}" for volume in spec.get("volumes") or [] if "hostPath" in volume)
    for container in containers(pod):
        context = container.get("securityContext") or {}
        if context.get("privileged"):
            yield "privileged"
        yield from (f"capability {name}" for name in (context.get("capabilities") or {}).get("add") or [])
        if not spec.get("hostNetwork"):  # all ports are the node's then
            yield from (f"port {port['hostPort']}" for port in container.get("ports") or [] if port.get("hostPort"))


def exposure(service: Object, exposed: Collection[str]) -> Iterator[Finding]:
    """Only what the site names can be reached from outside."""
    name, spec = service["metadata"]["name"], service.get("spec") or {}
    kind, addresses = spec.get("type") or "ClusterIP", spec.get("externalIPs") or []
    if name in exposed or (kind not in {"NodePort", "LoadBalancer"} and not addresses):
        return
    ports = ", ".join(str(port.get("nodePort") or port.get("port")) for port in spec.get("ports") or [])
    way = f"on {', '.join(addresses)}" if addresses else "on each node" if kind == "NodePort" else "by a load balancer"
    message = f"it can be reached from outside the cluster {way}, port {ports} ({kind})"
    hint = f"kubectl delete service {name}, or make it ClusterIP; if it is wanted, name it in verify_exposed_services"
    yield Finding("security/exposed", "error", message, hint, object=f"service {name}")


def reaches(binding: Object, namespace: str, accounts: Collection[str]) -> bool:
    """Whether a binding gives something to an account of the stack, by its name or by a group that it is in."""
    if BOOTSTRAPPING in (binding["metadata"].get("labels") or {}):
        return False
    groups = {"system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"}
    return any(
        (subject["kind"] == "ServiceAccount" and subject.get("namespace") == namespace and subject["name"] in accounts)
        or (subject["kind"] == "Group" and subject["name"] in groups)
        for subject in binding.get("subjects") or []
    )


def rights(binding: Object, namespace: str, releases: Collection[str]) -> Iterator[Finding]:
    """What an account of the stack may do comes from its release, and is no role of Kubernetes' own."""
    metadata, role = binding["metadata"], binding["roleRef"]["name"]
    own = (metadata.get("annotations") or {}).get(RELEASE_NAMESPACE) == namespace and of_release(binding, releases)
    if own and role not in WIDE_ROLES:
        return
    who = ", ".join(sorted(f"{subject['kind']} {subject['name']}" for subject in binding.get("subjects") or []))
    space = f"-n {metadata['namespace']} " if metadata.get("namespace") else ""
    message = f"it gives {who} the rights of {binding['roleRef']['kind']} {role}, which no chart of the stack does"
    hint = f"kubectl delete {binding['kind'].lower()} {space}{metadata['name']}, unless somebody needs it"
    yield Finding("security/rights", "error", message, hint, object=f"{binding['kind']} {metadata['name']}")


def anonymous() -> Finding:
    message = "Grafana answers without a login: anybody who reaches it reads every log, trace and metric"
    hint = "Set grafana.ini auth.anonymous enabled to false, and look for GF_AUTH_ANONYMOUS_ENABLED in its pod"
    return Finding("security/anonymous", "error", message, hint, object="Grafana")


def default_password(user: str) -> Finding:
    message = f"the password of {user} is one that everybody knows"
    hint = "Set another in Grafana and in its Secret: grafana cli admin reset-admin-password"
    return Finding("security/default-password", "error", message, hint, object="Grafana")


def containers(pod: Object) -> list[Object]:
    spec = pod.get("spec") or {}
    return [
        *(spec.get("initContainers") or []),
        *(spec.get("containers") or []),
        *(spec.get("ephemeralContainers") or []),
    ]


def workload(pod: Object) -> str:
    """The owner of a pod, without what a ReplicaSet adds; the pod where it has none."""
    metadata = pod["metadata"]
    for owner in metadata.get("ownerReferences") or []:
        template = (metadata.get("labels") or {}).get("pod-template-hash")
        kind = "Deployment" if template else owner["kind"]
        return f"{kind} {owner['name'].removesuffix(f'-{template}')}"
    return f"Pod {metadata['name']}"
