# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a cluster once, and say everything that keeps the stack from living there."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .._causes.objects import name_of
from .._findings import Finding
from .._kube.access import missing
from .._kube.client import Cluster, Object
from .._kube.errors import KubeError
from .._kube.permissions import DEPLOYER, Permission
from .._preflight import basics, control_plane, data_sources, verdict, webhooks
from .._preflight.inventory import Inventory, terms_of
from .._preflight.verdict import Seen
from .._preflight.volumes import slim_persistent
from .._preflight.webhooks import Hook
from .._preflight.workloads import Workload, workloads
from .._release import manifest
from .._release.history import Revision
from .._release.intended import Head, Release, heads, revision
from .lists import Lists


class Render(Protocol):
    """The manifest that a release will have; KubeError where it cannot be told."""

    def __call__(self, release: Release, current: Revision | None, /) -> str: ...


_STORAGE, _ADMISSION = "storage.k8s.io", "admissionregistration.k8s.io"
_HOOKS = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")
_KINDS = {"Alertmanager", "DaemonSet", "Deployment", "PersistentVolumeClaim", "Prometheus", "Service", "StatefulSet"}
_DATA_SOURCE = "isDefault"
_RUNNING = "status.phase!=Succeeded,status.phase!=Failed"


@dataclass
class Stack:
    """What the releases will be, and what they are now."""

    objects: list[Object] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    before: list[Workload] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def examine(
    cluster: Cluster, namespace: str, storage_classes: Sequence[str], releases: Sequence[Release], render: Render
) -> tuple[list[Finding], str]:
    """Everything that is wrong, and the platform. An API that does not answer at all raises KubeError."""
    version = cluster.get("/version")
    seen = Seen(namespace, storage_classes, version, time.time(), cluster.server_time())
    with Lists(cluster, namespace) as lists:
        rights = lists.threads.submit(missing, cluster, namespace, DEPLOYER)
        stack = _read(lists, seen, releases, render)
        findings = [*verdict.findings(seen), *stack.findings, *_rights(rights.result(), namespace), *lists.findings()]
    return findings, seen.platform


def _read(lists: Lists, seen: Seen, releases: Sequence[Release], render: Render) -> Stack:
    """All lists beside each other; then what depends on them."""
    secrets = lists.begin("namespace", "", "secrets", names=True, labelSelector="owner=helm")
    nodes = lists.begin("cluster", "", "nodes", slim=basics.slim_node)
    space = lists.begin_one("namespaces", seen.namespace)
    classes = lists.begin("cluster", _STORAGE, "storageclasses")
    hooks = [lists.begin("cluster", _ADMISSION, f"{kind}s") for kind in _HOOKS]
    others = {
        "leases": lists.begin("kube-node-lease", "coordination.k8s.io", "leases"),
        "ranges": lists.begin("namespace", "", "limitranges"),
        "quotas": lists.begin("namespace", "", "resourcequotas"),
        "claims": lists.begin("namespace", "", "persistentvolumeclaims"),
        "csi_nodes": lists.begin("cluster", _STORAGE, "csinodes"),
        "attachments": lists.begin("cluster", _STORAGE, "volumeattachments"),
        "persistent": lists.begin("cluster", "", "persistentvolumes", slim=slim_persistent),
        "definitions": lists.begin("cluster", "apiextensions.k8s.io", "customresourcedefinitions", names=True),
    }
    newest = heads(secrets.result() or ())
    seen.newest = _ages(newest, seen.server_time)
    seen.releases = [release.name for release in releases]
    stack = _stack(lists, releases, newest, render)
    seen.objects, seen.workloads = stack.objects, stack.workloads
    seen.inventory = _inventory(lists, stack, seen.namespace)
    seen.data_sources = _data_sources(lists, stack)
    seen.nodes, seen.classes, seen.space = nodes.result(), classes.result(), space.result()
    for name, future in others.items():
        setattr(seen, name, future.result() or ())
    seen.hooks = [
        hook
        for kind, found in zip(_HOOKS, hooks, strict=True)
        for hook in webhooks.of_interest(kind, found.result() or (), seen.labels, webhooks.resources(stack.objects))
    ]
    seen.answered = _answered(lists, seen.hooks)
    return stack


def unusable(error: KubeError) -> Finding:
    """The finding when there is no API to examine."""
    return Finding("cluster/api", "error", error.message, error.hint)


def no_helm(error: KubeError) -> Finding:
    return Finding("cluster/helm", "error", error.message, error.hint)


def _rights(lacking: Sequence[Permission], namespace: str) -> list[Finding]:
    if not lacking:
        return []
    message = f"these credentials may not, in namespace {namespace}: {', '.join(map(str, lacking))}"
    hint = "Grant what contracts/rbac/deployer.yaml grants, or use another kubeconfig"
    return [Finding("cluster/permission", "error", message, hint)]


def _stack(lists: Lists, releases: Sequence[Release], newest: Mapping[str, Head], render: Render) -> Stack:
    stack = Stack()

    def manifests(release: Release) -> tuple[str, str]:
        current = revision(lists.cluster, release, newest.get(release.name))
        return render(release, current), current.manifest if current else ""

    begun = [(release, lists.threads.submit(manifests, release)) for release in releases]
    for release, future in begun:
        try:
            after, before = future.result()
            objects = manifest.outline(after, _KINDS, _DATA_SOURCE)
            stack.objects += objects
            stack.workloads += workloads(objects, release.namespace)
            if before not in {"", after}:
                stack.before += workloads(manifest.outline(before, _KINDS, _DATA_SOURCE), release.namespace)
        except (KubeError, ValueError) as error:
            message, hint = (error.message, error.hint) if isinstance(error, KubeError) else (str(error), "")
            hint = hint or "Correct the values, or the chart reference"
            stack.findings.append(Finding("cluster/render", "error", message, hint, object=f"release {release.name}"))
    return stack


def _inventory(lists: Lists, stack: Stack, namespace: str) -> Inventory | None:
    """What runs; None where that is not asked, or could not be read."""
    if not stack.workloads:
        return None
    owned = frozenset(workload.owner for workload in (*stack.workloads, *stack.before))
    services = control_plane.services_elsewhere(stack.objects, namespace)
    inventory = Inventory(owned, terms_of(stack.workloads), services)

    def read(path: str) -> Iterable[Object]:
        for item in lists.cluster.items(path, fieldSelector=_RUNNING):
            inventory.add(item)
        return ()

    return None if lists.collect(Permission("cluster", "list", "", "pods"), read) is None else inventory


def _answered(lists: Lists, hooks: Iterable[Hook]) -> dict[tuple[str, str], bool]:
    """Of each service behind a webhook, whether it has a ready endpoint."""
    permission = Permission("cluster", "list", "discovery.k8s.io", "endpointslices")

    def is_ready(service: tuple[str, str]) -> bool:
        namespace, name = service
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        selector = f"kubernetes.io/service-name={name}"
        slices = lists.collect(permission, lambda _all: lists.cluster.items(path, labelSelector=selector))
        return slices is None or webhooks.is_ready(slices)

    services = list(dict.fromkeys(hook.service for hook in hooks))
    return dict(zip(services, lists.threads.map(is_ready, services), strict=True))


def _ages(newest: Mapping[str, Head], now: float) -> list[tuple[str, str, float]]:
    return [
        (name, head.status, now - datetime.datetime.fromisoformat(head.created).timestamp())
        for name, head in newest.items()
        if head.created
    ]


def _data_sources(lists: Lists, stack: Stack) -> list[Object]:
    """Objects with data sources: of the manifests, and where a sidecar gathers them those of the namespace too."""
    own = [item for item in stack.objects if item.get("kind") in {"ConfigMap", "Secret"} and "metadata" in item]
    sidecar = data_sources.sidecar(stack.workloads)
    if sidecar is None:
        return own
    begun = {
        kind: lists.begin("namespace", "", f"{kind.lower()}s", labelSelector=sidecar.selector)
        for kind in ("ConfigMap", "Secret")
    }
    live = [{**item, "kind": kind} for kind, future in begun.items() for item in future.result() or ()]
    names = {(item["kind"], name_of(item)) for item in own}
    return [*own, *(item for item in live if (item["kind"], name_of(item)) not in names)]
