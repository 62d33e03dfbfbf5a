# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a cluster, reduced pod by pod: a list of fifty thousand is never held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .._causes.objects import Object, labels_of, selects, space_of, spec_of
from . import pods
from .nodes import Node, Resident
from .pods import HostPort, Owner, Running, Term
from .workloads import Workload


@dataclass(slots=True)
class Load:
    """What the pods of others take of one node."""

    needs: dict[str, int] = field(default_factory=dict)
    ports: dict[HostPort, str] = field(default_factory=dict)
    residents: list[Resident] = field(default_factory=list)


@dataclass
class Inventory:
    """Give it every pod of the cluster.

    `owners` are the workloads that a deployment replaces: their pods are `ours`, and all others load their nodes.
    Of those, only what `terms` match and what wants to be apart is remembered.
    """

    owners: frozenset[Owner]
    terms: Sequence[Term] = ()
    services: Sequence[Object] = ()
    """Services of which it is asked whether they select any pod."""
    ours: dict[Owner, list[Running]] = field(default_factory=dict)
    loads: dict[str, Load] = field(default_factory=dict)
    selected: set[int] = field(default_factory=set)
    """Positions in `services`."""

    def add(self, item: Object) -> None:
        self._select(item)
        pod = pods.running(item)
        if pod is None:
            return
        if pod.owner in self.owners:
            self.ours.setdefault(pod.owner, []).append(pod)
            return
        load = self.loads.setdefault(pod.node, Load())
        for name, amount in pod.needs.items():
            load.needs[name] = load.needs.get(name, 0) + amount
        load.ports |= dict.fromkeys(pod.ports, str(pod.owner))
        if pod.apart or any(term.matches(pod.owner.namespace, pod.labels) for term in self.terms):
            load.residents.append(Resident(pod.owner.namespace, pod.labels, pod.apart))

    def _select(self, item: Object) -> None:
        for number, service in enumerate(self.services):
            if space_of(service) == space_of(item) and selects(
                {"matchLabels": spec_of(service)["selector"]}, labels_of(item)
            ):
                self.selected.add(number)

    def onto(self, nodes: dict[str, Node]) -> None:
        """Take the load of each node from what it offers."""
        for name, load in self.loads.items():
            if name in nodes:
                nodes[name].take(load.needs)
                nodes[name].ports |= load.ports
                nodes[name].residents += load.residents


def terms_of(workloads: Iterable[Workload]) -> list[Term]:
    """All that the placement of these pods asks about other pods."""
    found: dict[str, Term] = {}
    for workload in workloads:
        for pod in workload.pods[:1]:
            spread = [
                Term(one["topologyKey"], one.get("labelSelector") or {}, frozenset({pod.namespace}))
                for one in pods.spread_constraints(pod.spec)
            ]
            found |= {repr(term): term for term in (*pod.near, *pod.apart, *spread)}
    return list(found.values())
