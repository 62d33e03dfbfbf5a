# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that keeps the stack from living in a cluster, of what was read of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._causes.objects import Labels, Object, labels_of, name_of, spec_of
from .._findings import Finding
from . import basics, clocks, control_plane, data_sources, fit, owners, pod_security, quotas, webhooks
from .inventory import Inventory
from .nodes import Node, nodes, refusal
from .placement import Placement
from .volumes import attach, volumes
from .webhooks import Hook
from .workloads import Workload


@dataclass
class Seen:
    """A cluster at one moment. None stands for what could not be read, and is then not judged."""

    namespace: str
    storage_classes: Sequence[str]
    """Those that are asked for."""
    version: Object
    own_time: float
    server_time: float
    nodes: Sequence[Object] | None = None
    classes: Sequence[Object] | None = None
    space: Object | None = None
    """The namespace; None where there is none yet."""
    leases: Sequence[Object] = ()
    ranges: Sequence[Object] = ()
    quotas: Sequence[Object] = ()
    claims: Sequence[Object] = ()
    persistent: Sequence[Object] = ()
    csi_nodes: Sequence[Object] = ()
    attachments: Sequence[Object] = ()
    definitions: Sequence[Object] = ()
    hooks: Sequence[Hook] = ()
    answered: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """Whether the service of a webhook has a ready endpoint."""
    newest: Sequence[tuple[str, str, float]] = ()
    """Name, status and age of the newest revision of every release in the namespace."""
    releases: Sequence[str] = ()
    """Those that will be deployed."""
    objects: Sequence[Object] = ()
    """What they will consist of."""
    workloads: Sequence[Workload] = ()
    data_sources: Sequence[Object] = ()
    inventory: Inventory | None = None

    @property
    def platform(self) -> str:
        return control_plane.platform(self.version, self.nodes or ())

    @property
    def labels(self) -> Labels:
        """Of the namespace, as it is or will be."""
        return {"kubernetes.io/metadata.name": self.namespace, **labels_of(self.space or {})}


def findings(seen: Seen) -> list[Finding]:
    workloads = [quotas.defaulted(workload, seen.ranges) for workload in seen.workloads]
    lost = [name_of(node) for node in seen.nodes or () if not basics.is_ready(node)]
    return [
        *basics.version(seen.version),
        *(basics.nodes(seen.nodes) if seen.nodes is not None else ()),
        *(basics.storage(seen.classes, seen.storage_classes) if seen.classes is not None else ()),
        *basics.namespace(seen.namespace, seen.space),
        *clocks.controller(seen.own_time, seen.server_time),
        *clocks.nodes(seen.leases, seen.server_time, lost),
        *_room(seen, workloads),
        *quotas.limit_ranges(workloads, seen.ranges),
        *pod_security.findings(workloads, seen.namespace, seen.labels),
        *webhooks.findings(seen.hooks, seen.answered),
        *owners.definitions(seen.definitions, owners.groups_of(seen.objects), seen.releases),
        *owners.unfinished(seen.newest, seen.namespace, seen.releases),
        *_control_plane(seen),
        *data_sources.findings(seen.data_sources),
    ]


def _room(seen: Seen, workloads: Sequence[Workload]) -> list[Finding]:
    """Of the nodes, and of the namespace's quotas."""
    if not seen.nodes or seen.inventory is None:
        return []
    offered = nodes(seen.nodes, seen.csi_nodes)
    known = volumes(workloads, seen.claims, seen.persistent, seen.classes or ())
    seen.inventory.onto(offered)
    attach(offered, seen.attachments, [str(spec_of(claim).get("volumeName")) for claim in seen.claims])
    copies = _copies(workloads, offered.values())
    misfits = Placement(offered, known).place(workloads, seen.inventory.ours)
    current = [pod for pods in seen.inventory.ours.values() for pod in pods]
    return [
        *fit.findings(misfits, offered, known),
        *quotas.quotas(workloads, copies, current, map(name_of, seen.claims), seen.quotas),
    ]


def _copies(workloads: Iterable[Workload], offered: Iterable[Node]) -> dict[str, int]:
    """On how many nodes each DaemonSet has a pod."""
    every = list(offered)
    return {
        workload.owner.name: sum(not refusal(workload.pods[0], node) for node in every)
        for workload in workloads
        if workload.on_every_node
    }


def _control_plane(seen: Seen) -> list[Finding]:
    if seen.inventory is None:
        return []
    return control_plane.findings(seen.inventory.services, seen.inventory.selected, seen.platform)
