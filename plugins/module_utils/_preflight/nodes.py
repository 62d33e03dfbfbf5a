# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster: what each offers, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._causes.nodes import fits, node_terms, tolerates
from .._causes.objects import Labels, Object, labels_of, name_of, spec_of
from .pods import HostPort, Pod, Running, Term
from .quantities import amounts

HOSTNAME = "kubernetes.io/hostname"
_DAEMON_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists"}
    for key in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
]
"""What the controller of DaemonSets adds to their pods."""


class Resident(NamedTuple):
    """A pod on a node, as far as other pods ask who is there."""

    namespace: str
    labels: Labels
    apart: tuple[Term, ...] = ()


@dataclass(slots=True)
class Node:
    """`free` is what no pod has asked for yet; `slots for volumes of DRIVER` are volumes that can still be attached."""

    name: str
    labels: Labels
    taints: list[Mapping[str, Any]]
    allocatable: Mapping[str, int]
    free: dict[str, int]
    ports: dict[HostPort, str] = field(default_factory=dict)
    residents: list[Resident] = field(default_factory=list)

    def domain(self, key: str) -> str | None:
        return self.labels.get(key, self.name if key == HOSTNAME else None)

    def take(self, needs: Mapping[str, int]) -> None:
        for name, amount in needs.items():
            if name in self.free:
                self.free[name] -= amount

    def add(self, pod: Pod | Running, needs: Mapping[str, int]) -> None:
        self.take(needs)
        self.ports |= dict.fromkeys(pod.ports, str(pod.owner))
        self.residents.append(Resident(pod.owner.namespace, pod.labels, pod.apart))

    def copy(self, name: str) -> Node:
        """One like it on which nothing runs yet."""
        labels = {**self.labels, HOSTNAME: name}
        return Node(name, labels, self.taints, self.allocatable, dict(self.allocatable))

    def clash(self, ports: Iterable[HostPort]) -> tuple[HostPort, str] | None:
        """The first of the ports that somebody has, and who."""
        return next(
            ((port, owner) for port in ports for other, owner in self.ports.items() if port.clashes(other)), None
        )


def slots(driver: str) -> str:
    """The resource that counts volumes of a CSI driver."""
    return f"slots for volumes of {driver}"


def nodes(items: Iterable[Object], csi_nodes: Iterable[Object]) -> dict[str, Node]:
    """By name."""
    limits = {name_of(item): dict(_limits(item)) for item in csi_nodes}
    made = (_node(item, limits.get(name_of(item), {})) for item in items)
    return {node.name: node for node in made}


def _node(item: Object, limits: Mapping[str, int]) -> Node:
    allocatable = {**amounts((item.get("status") or {}).get("allocatable")), **limits}
    taints = list(spec_of(item).get("taints") or [])
    if spec_of(item).get("unschedulable") and not any("unschedulable" in str(taint.get("key")) for taint in taints):
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return Node(name_of(item), labels_of(item), taints, allocatable, dict(allocatable))


def _limits(item: Object) -> Iterator[tuple[str, int]]:
    for driver in spec_of(item).get("drivers") or ():
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None:
            yield slots(driver["name"]), int(count) * 1000


def refusal(pod: Pod, node: Node) -> str:
    """What the node is that keeps the pod from it, however much is free; "" where nothing does."""
    tolerations = list(pod.spec.get("tolerations") or ())
    if pod.owner.kind == "DaemonSet":
        tolerations += _DAEMON_TOLERATIONS
    for taint in node.taints:
        if taint.get("effect") == "PreferNoSchedule":
            continue
        if not any(tolerates(toleration, taint) for toleration in tolerations):
            return f"with the taint {taint.get('key')}, which it does not tolerate"
    selector = pod.spec.get("nodeSelector") or {}
    if any(node.labels.get(name) != value for name, value in selector.items()):
        return f"without the label {', '.join(f'{name}={value}' for name, value in selector.items())}"
    return "" if chosen(node, node_terms(pod.spec)) else "outside of its node affinity"


def chosen(node: Node, terms: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of the terms fits the node; without any all nodes do."""
    item = {"metadata": {"name": node.name, "labels": node.labels}}
    found = list(terms)
    return not found or any(fits(term, item) for term in found)
