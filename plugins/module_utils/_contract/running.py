# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the contract's services a site runs, and which queries ask only for the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from .._findings import did_you_mean
from .._promql.nodes import Binary, Expr, VectorSelector, children, walk
from .._promql.patterns import accepts
from .model import Contract, Service

Recorded = Callable[[str], "bool | None"]
"""Whether a record of that name has anything to record; None where no rule records it."""


class Condition(Protocol):
    """A matcher of one label, of PromQL or of LogQL."""

    @property
    def operator(self) -> str: ...
    @property
    def value(self) -> str: ...


class UnknownServiceError(ValueError):
    """The list names a service that the contract does not have; says which one, and what it has."""


def chosen(known: Collection[str], wanted: Sequence[str]) -> list[str]:
    """The services of the list, in the contract's order; all of them where it is empty. Raises UnknownServiceError."""
    if unknown := [name for name in wanted if name not in known]:
        near = did_you_mean(unknown[0], known) or f"it has {', '.join(known) or 'none'}"
        raise UnknownServiceError(f"the contract has no service {unknown[0]!r}: {near}")
    return [name for name in known if name in wanted or not wanted]


@dataclass(frozen=True)
class Running:
    """The services of a contract that a site runs.

    What the contract does not know runs beside it: queries for that are never left out.
    """

    contract: Contract
    """With all of its services."""
    names: frozenset[str]
    """Of the services that run."""

    @classmethod
    def of(cls, contract: Contract, wanted: Sequence[str]) -> Running:
        """All services where the list is empty. Raises UnknownServiceError."""
        return cls(contract, frozenset(chosen(contract.services, wanted)))

    @cached_property
    def own_contract(self) -> Contract:
        """The contract of what runs: the same metrics, and no other services."""
        services = {name: service for name, service in self.contract.services.items() if name in self.names}
        return replace(self.contract, services=services)

    def runs(self, name: str) -> bool:
        """Whether a service runs; True for one that the contract does not have."""
        return name in self.names or name not in self.contract.services

    def is_fed(self, tree: Expr, recorded: Recorded = lambda _name: None) -> bool:
        """Whether all that an expression needs may have series: of `or` one side will do."""
        if len(self.names) == len(self.contract.services):
            return True
        fed: dict[int, bool | None] = {}  # None: asks for nothing
        for node in reversed(list(walk(tree))):  # children first
            if isinstance(node, VectorSelector):
                fed[id(node)] = self._selects(node, recorded)
            else:
                below = [answer for child in children(node) if (answer := fed[id(child)]) is not None]
                every = any if isinstance(node, Binary) and node.operator == "or" else all
                fed[id(node)] = every(below) if below else None
        return fed[id(tree)] is not False

    def may_be(self, matchers: Sequence[Condition]) -> bool:
        """Whether a label may name a service that runs, or one that the contract does not have."""
        found = self._named(matchers, lambda service: (service.name, *self._jobs(service)))
        return not found or any(service.name in self.names for service in found)

    def _selects(self, selector: VectorSelector, recorded: Recorded) -> bool:
        jobs = [matcher for matcher in selector.matchers if matcher.name == "job"]
        services = [matcher for matcher in selector.matchers if matcher.name == "service"]
        sources = [
            [service for service in self._declaring.get(selector.metric, ()) if _takes(jobs, self._jobs(service))],
            self._named(jobs, self._jobs),
            self._named(services, lambda service: (service.name,)),
        ]
        return recorded(selector.metric) is not False and all(
            any(service.name in self.names for service in found) for found in sources if found
        )

    def _named(self, matchers: Iterable[Condition], values: Callable[[Service], Iterable[str]]) -> list[Service]:
        """The services that a label must be one of; none where it may be any, or what the contract does not know."""
        positive = [matcher for matcher in matchers if matcher.operator in {"=", "=~"}]
        every = [service for service in self.contract.services.values() if any(values(service))]
        found = [service for service in every if positive and _takes(positive, values(service))]
        return found if len(found) < len(every) else []

    def _jobs(self, service: Service) -> tuple[str, ...]:
        """Its job as the contract and as the team calls it."""
        return (service.job, self.contract.names.job(service.job)) if service.job else ()

    @cached_property
    def _declaring(self) -> dict[str, list[Service]]:
        """The services that declare a series, by its name in the contract and that of the team."""
        found: dict[str, list[Service]] = {}
        for service in self.contract.services.values():
            for spec in service.metrics.values():
                for name in spec.series:
                    for alias in dict.fromkeys([name, self.contract.names.metric(name)]):
                        found.setdefault(alias, []).append(service)
        return found


def _takes(matchers: Sequence[Condition], values: Iterable[str]) -> bool:
    """Whether all matchers take one of the values; True without a matcher."""
    return not matchers or any(all(_accepts(matcher, value) for matcher in matchers) for value in values)


def _accepts(matcher: Condition, value: str) -> bool:
    equal = value == matcher.value if matcher.operator in {"=", "!="} else accepts(matcher.value, value) is not False
    return equal == (matcher.operator in {"=", "=~"})


EVERYTHING = Running(Contract(), frozenset())
"""Where no contract says what there may be."""
