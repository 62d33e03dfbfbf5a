# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every lint of a rule may look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .._findings import Severity
from .._promql.nodes import Call, Expr, VectorSelector, children, walk
from .label_flow import ANY, Flow, Flows, Labels
from .model import Rule, RuleFile
from .report import RuleReport

if TYPE_CHECKING:
    from .._contract.model import Contract

_MAX_RECORD_DEPTH = 20


class Settings(NamedTuple):
    """What the lints need to know about the server and the house's conventions."""

    scrape_interval: float = 30.0
    evaluation_interval: float = 30.0
    severities: tuple[str, ...] = ("critical", "warning", "info", "none", "page", "ticket", "error")
    always_firing: tuple[str, ...] = (
        "Watchdog",
        "DeadMansSwitch",
        "InfoInhibitor",
        "PrometheusAlertmanagerE2eDeadManSwitch",
    )


@dataclass(slots=True)
class Index:
    """All rules of the run, by what they define."""

    rules: list[Rule] = field(default_factory=list)
    records: dict[str, list[Rule]] = field(default_factory=dict)
    contract: Contract | None = None
    _flows: dict[str, Flow | None] = field(default_factory=dict)
    _depth: int = 0
    _guards: set[tuple[str, str]] | None = None

    @classmethod
    def of(cls, files: Iterable[RuleFile], contract: Contract | None = None) -> Index:
        rules = [rule for file in files for group in file.groups for rule in group.rules]
        index = cls(rules, contract=contract)
        for rule in index.rules:
            if rule.kind == "record":
                index.records.setdefault(rule.name, []).append(rule)
        return index

    def absent_guards(self) -> set[tuple[str, str]]:
        """Label and value of the `=` matchers inside any absent() of the run."""
        if self._guards is None:
            trees = (rule.tree for rule in self.rules if "absent" in rule.expr)
            self._guards = {guard for tree in trees if tree is not None for guard in guards(tree)}
        return self._guards

    def flow(self, metric: str) -> Flow | None:
        """The labels of a metric that a rule of the run records or the contract describes; None for any other."""
        if self.contract is not None and (described := self.contract.metrics.get(metric)) is not None:
            return (Labels(self.contract.target_labels | frozenset(described.labels)),)
        if metric in self._flows:
            return self._flows[metric]
        rules = self.records.get(metric)
        if not rules or self._depth >= _MAX_RECORD_DEPTH or any(rule.tree is None for rule in rules):
            return None
        self._flows[metric] = None  # a cycle ends here
        self._depth += 1
        branches: Flow = ()
        for rule in rules:
            if rule.tree is not None:
                added = frozenset(rule.group.all_labels(rule))
                flow = Flows(list(walk(rule.tree)), self.flow).of(rule.tree)
                branches += tuple(branch.add(added) for branch in flow)
        self._depth -= 1
        self._flows[metric] = branches or ANY
        return self._flows[metric]


def guards(tree: Expr) -> Iterator[tuple[str, str]]:
    """Label and value of every `=` matcher inside an absent()."""
    for call in walk(tree):
        if isinstance(call, Call) and call.name in {"absent", "absent_over_time"}:
            for node in walk(call):
                if isinstance(node, VectorSelector):
                    yield from ((matcher.name, matcher.value) for matcher in node.matchers if matcher.operator == "=")


class Context:
    """One rule with its tree, prepared once for all lints."""

    def __init__(self, rule: Rule, tree: Expr, index: Index, settings: Settings, report: RuleReport) -> None:
        self.rule = rule
        self.tree = tree
        self.index = index
        self.settings = settings
        self.report = report
        self.nodes = list(walk(tree))

    @cached_property
    def flows(self) -> Flows:
        return Flows(self.nodes, self.index.flow)

    @cached_property
    def parents(self) -> dict[int, Expr]:
        return {id(child): node for node in self.nodes for child in children(node)}

    def ancestors(self, node: Expr) -> Iterator[Expr]:
        parents = self.parents
        while (parent := parents.get(id(node))) is not None:
            yield parent
            node = parent

    def add(self, identity: str, severity: Severity, message: str, node: Expr | None = None, hint: str = "") -> None:
        place = self.rule.place("expr") if node is None else self.rule.place_in_expr(node.start)
        self.report.rule(self.rule, f"rules/{identity}", severity, message, hint=hint, place=place)
