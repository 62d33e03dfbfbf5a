# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put pods onto nodes as the scheduler may: by what is free, and by who may stand where.

Pods that run stay where they are while they ask for the same. The others go, the largest first, to the node on which
least is left over, so that what finds no place here will hardly find one at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._causes.objects import selects
from .nodes import Node, chosen, refusal, slots
from .pods import Owner, Pod, Running, spread_constraints
from .quantities import WORDS, shown, total
from .workloads import Workload

Domain = tuple[str, "str | None"]
"""A topology key, and its value."""


class Misfit(NamedTuple):
    """A pod that has no place. `reasons` counts the nodes by what is in the way; `node` is the one of a DaemonSet."""

    pod: Pod
    needs: Mapping[str, int]
    reasons: Mapping[str, int]
    node: str = ""


class Volume(NamedTuple):
    """Of a claim: the driver that attaches it, and the nodes that can, where it exists already."""

    driver: str
    terms: Sequence[Mapping[str, Any]] = ()


@dataclass
class Placement:
    """`volumes` by namespace and claim; `nodes` change with each pod that is placed."""

    nodes: dict[str, Node]
    volumes: Mapping[tuple[str, str], Volume]

    def place(self, workloads: Sequence[Workload], current: Mapping[Owner, Sequence[Running]]) -> list[Misfit]:
        """All pods, those of DaemonSets first; those that have no place."""
        waiting = [pod for workload in workloads for pod in self._kept(workload, current.get(workload.owner, ()))]
        misfits = [
            misfit
            for workload in workloads
            if workload.on_every_node
            for misfit in self._daemon(workload.pods[0], {pod.node for pod in current.get(workload.owner, ())})
        ]
        return misfits + self.schedule(waiting)

    def schedule(self, pods: Iterable[Pod]) -> list[Misfit]:
        """Put each pod onto the node where least is left over; those that have no place."""
        ordered = sorted(pods, key=lambda pod: (not self._is_bound(pod), -self._share(self.needs(pod))))
        return [misfit for misfit in map(self._schedule, ordered) if misfit is not None]

    def needs(self, pod: Pod) -> dict[str, int]:
        """With the volumes that have to be attached for it."""
        volumes = (self.volumes.get((pod.namespace, claim)) for claim in pod.claims)
        return total((pod.needs, *({slots(volume.driver): 1000} for volume in volumes if volume)))

    def _kept(self, workload: Workload, running: Sequence[Running]) -> Iterator[Pod]:
        """Leave on its node what runs there and will again; the pods that are left."""
        if workload.on_every_node:
            return
        # The names of a StatefulSet's pods stay; any pod of a Deployment is as good as another.
        named = workload.owner.kind == "StatefulSet"
        left = {pod.name if named else str(number): pod for number, pod in enumerate(running)}
        for number, pod in enumerate(workload.pods):
            before = left.get(pod.name if named else str(number))
            node = self.nodes.get(before.node) if before else None
            if before and node and (before.needs == pod.needs or not self._obstacle(pod, node, self._forbidden(pod))):
                node.add(pod, self.needs(pod))
            else:
                yield pod

    def _daemon(self, pod: Pod, current: set[str]) -> Iterator[Misfit]:
        needs = self.needs(pod)
        for node in self.nodes.values():
            if node.name not in current and refusal(pod, node):
                continue
            obstacle = "" if node.name in current else self._obstacle(pod, node, {})
            if obstacle:
                yield Misfit(pod, needs, {obstacle: 1}, node.name)
            else:
                node.add(pod, needs)

    def _schedule(self, pod: Pod) -> Misfit | None:
        needs, forbidden = self.needs(pod), self._forbidden(pod)
        obstacles = {node.name: self._obstacle(pod, node, forbidden) for node in self.nodes.values()}
        possible = [self.nodes[name] for name, obstacle in obstacles.items() if not obstacle]
        if not possible:
            return Misfit(pod, needs, Counter(obstacles.values()))
        min(possible, key=lambda node: _left(node, needs)).add(pod, needs)
        return None

    def _obstacle(self, pod: Pod, node: Node, forbidden: Mapping[Domain, str]) -> str:
        """What the node is that keeps the pod from it now; "" where nothing does."""
        if reason := refusal(pod, node):
            return reason
        for (key, value), reason in forbidden.items():
            if node.domain(key) == value:
                return reason
        for claim in pod.claims:
            volume = self.volumes.get((pod.namespace, claim))
            if volume and not chosen(node, volume.terms):
                return f"out of reach of its volume {claim}"
        if clash := node.clash(pod.ports):
            return f"with port {clash[0].port} taken by {clash[1]}"
        short = lacking(node, self.needs(pod))
        return f"with too {'few' if short[0].startswith('slots') else 'little'} {' and '.join(short)}" if short else ""

    def _forbidden(self, pod: Pod) -> dict[Domain, str]:
        """Domains, None for nodes without the label, that other pods keep this one from."""
        found: dict[Domain, str] = {}
        for node in self.nodes.values():
            for resident in node.residents:
                for term in pod.apart:
                    if term.matches(resident.namespace, resident.labels) and (value := node.domain(term.key)):
                        found[term.key, value] = f"with another pod of {pod.owner.name}"
                for term in resident.apart:
                    if term.matches(pod.namespace, pod.labels) and (value := node.domain(term.key)):
                        found.setdefault((term.key, value), "with a pod that keeps it away")
        return found | self._far(pod) | self._uneven(pod)

    def _far(self, pod: Pod) -> dict[Domain, str]:
        found: dict[Domain, str] = {}
        for term in pod.near:
            domains = {node.domain(term.key) for node in self.nodes.values()}
            near = {
                node.domain(term.key)
                for node in self.nodes.values()
                if any(term.matches(resident.namespace, resident.labels) for resident in node.residents)
            }
            first = not near and term.matches(pod.namespace, pod.labels)
            far = {None} if first else (domains | {None}) - (near - {None})
            found |= {(term.key, value): "without a pod that it must be near" for value in far}
        return found

    def _uneven(self, pod: Pod) -> dict[Domain, str]:
        found: dict[Domain, str] = {}
        for constraint in spread_constraints(pod.spec):
            key, selector = constraint["topologyKey"], constraint.get("labelSelector") or {}
            counts: dict[str, int] = {}
            for node in self.nodes.values():
                value = node.domain(key)
                if value is not None and not refusal(_untainted(pod), node):
                    counts[value] = counts.get(value, 0) + sum(
                        resident.namespace == pod.namespace and selects(selector, resident.labels)
                        for resident in node.residents
                    )
            least = min(counts.values(), default=0) if len(counts) >= constraint.get("minDomains", 1) else 0
            most = least + constraint.get("maxSkew", 1) - selects(selector, pod.labels)
            full = [value for value, count in counts.items() if count > most]
            found |= dict.fromkeys([(key, value) for value in (*full, None)], f"with its share of them ({key})")
        return found

    def _is_bound(self, pod: Pod) -> bool:
        volumes = (self.volumes.get((pod.namespace, claim)) for claim in pod.claims)
        return any(volume.terms for volume in volumes if volume)

    def _share(self, needs: Mapping[str, int]) -> float:
        """The largest part of a node that it takes, by the largest node there is."""
        most: dict[str, int] = {}
        for node in self.nodes.values():
            for name, amount in node.allocatable.items():
                most[name] = max(most.get(name, 0), amount)
        return max((amount / most[name] for name, amount in needs.items() if most.get(name)), default=0.0)


def lacking(node: Node, needs: Mapping[str, int]) -> list[str]:
    """The resources that are short. A node without a limit for a driver's volumes takes any number."""
    return [
        WORDS.get(name, name)
        for name, amount in needs.items()
        if amount > node.free.get(name, amount if name.startswith("slots for ") else 0)
    ]


def _left(node: Node, needs: Mapping[str, int]) -> float:
    """The largest part of the node that is still free afterwards."""
    return max(
        (
            (node.free.get(name, 0) - amount) / node.allocatable[name]
            for name, amount in needs.items()
            if node.allocatable.get(name)
        ),
        default=0.0,
    )


def _untainted(pod: Pod) -> Pod:
    """By default, taints do not keep a node from being counted."""
    return Pod(pod.owner, pod.name, pod.labels, {}, {**pod.spec, "tolerations": [{"operator": "Exists"}]})


def room(needs: Mapping[str, int]) -> str:
    """What a pod needs, as people say it; slots for volumes are only spoken of where they are short."""
    known = [shown(name, needs[name]) for name in ("cpu", "memory") if needs.get(name)]
    others = (name for name in needs if name not in {"cpu", "memory", "pods"} and not name.startswith("slots for "))
    rest = [shown(name, needs[name]) for name in others if needs[name]]
    return ", ".join(known + rest) or "a place among the node's pods"
