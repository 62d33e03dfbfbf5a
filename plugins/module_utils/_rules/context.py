# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every lint of a rule may look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .._findings import Severity
from .._promql.nodes import (
    COMPARISONS,
    SET_OPERATORS,
    Binary,
    Call,
    Expr,
    VectorSelector,
    children,
    strip_parens,
    walk,
)
from .._promql.shapes import FLIPPED, constant
from .label_flow import ANY, Flow, Flows, Labels
from .model import Rule, RuleFile
from .report import RuleReport

if TYPE_CHECKING:
    from .._contract.model import Contract, Metric

Node = TypeVar("Node")
_MAX_RECORD_DEPTH = 20


DEFAULT_SCRAPE_INTERVAL = 30.0
"""Seconds between two scrapes, where nobody says otherwise."""
EVALUATION_INTERVAL = 30.0
"""Seconds between two evaluations of a group that states no interval."""
SEVERITIES = ("critical", "warning", "info", "none", "page", "ticket", "error")
ABSENT_FUNCTIONS = frozenset({"absent", "absent_over_time"})
ALWAYS_FIRING = frozenset({"Watchdog", "DeadMansSwitch", "InfoInhibitor", "PrometheusAlertmanagerE2eDeadManSwitch"})
"""Alerts that are meant to fire all the time."""


class Comparison(NamedTuple):
    """A vector against a constant, whichever side that is written on."""

    vector: Expr
    operator: str
    limit: float
    node: Binary


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
        rules = [rule for file in files for rule in file.rules]
        index = cls(rules, contract=contract)
        for rule in index.rules:
            if rule.kind == "record":
                index.records.setdefault(rule.name, []).append(rule)
        return index

    def absent_guards(self) -> set[tuple[str, str]]:
        """Label and value of the `=` matchers of everything whose absence some rule of the run notices."""
        if self._guards is None:
            rules = (rule for rule in self.rules if "absent" in rule.expr or "unless" in rule.expr)
            self._guards = {guard for rule in rules if rule.tree is not None for guard in guards(rule.tree)}
        return self._guards

    def parts(self, tree: Expr) -> Iterator[Expr]:
        """The nodes of an expression, and of what the metrics in it are recorded from; each record once."""
        pending, seen = [tree], set[str]()
        while pending:
            for node in walk(pending.pop()):
                yield node
                if isinstance(node, VectorSelector) and node.metric in self.records and node.metric not in seen:
                    seen.add(node.metric)
                    pending += [rule.tree for rule in self.records[node.metric] if rule.tree is not None]

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
    """Label and value of every `=` matcher inside an absent(), or behind an `unless`."""
    for part in walk(tree):
        if isinstance(part, Call) and part.name in ABSENT_FUNCTIONS:
            guarded: Expr = part
        elif isinstance(part, Binary) and part.operator == "unless":
            guarded = part.right
        else:
            continue
        for node in walk(guarded):
            if isinstance(node, VectorSelector):
                yield from ((matcher.name, matcher.value) for matcher in node.matchers if matcher.operator == "=")


class Context:
    """One rule with its tree, prepared once for all lints."""

    def __init__(
        self,
        rule: Rule,
        tree: Expr,
        index: Index,
        report: RuleReport,
        scrape_interval: float = DEFAULT_SCRAPE_INTERVAL,
    ) -> None:
        self.rule = rule
        self.tree = tree
        self.index = index
        self.report = report
        self.scrape_interval = scrape_interval
        self.nodes = list(walk(tree))

    def all(self, kind: type[Node]) -> list[Node]:
        """The expression's nodes of one kind, parents first."""
        found: list[Node] = self._by_kind.get(kind, [])
        return found

    @cached_property
    def _by_kind(self) -> dict[type, list[Any]]:
        kinds: dict[type, list[Any]] = {}
        for node in self.nodes:
            kinds.setdefault(type(node), []).append(node)
        return kinds

    @cached_property
    def flows(self) -> Flows:
        return Flows(self.nodes, self.index.flow)

    @cached_property
    def parents(self) -> dict[int, Expr]:
        return {id(child): node for node in self.nodes for child in children(node)}

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Every comparison with a constant."""
        nodes = (node for node in self.nodes if isinstance(node, Binary) and node.operator in COMPARISONS)
        return [found for node in nodes if (found := _comparison(node)) is not None]

    @cached_property
    def thresholds(self) -> list[Comparison]:
        """The comparisons with a constant that decide whether an alert fires."""
        return list(thresholds(self.tree))

    def metric(self, name: str) -> Metric | None:
        """What the contract says of the metric."""
        contract = self.index.contract
        return None if contract is None else contract.metrics.get(name)

    def ancestors(self, node: Expr) -> Iterator[Expr]:
        parents = self.parents
        while (parent := parents.get(id(node))) is not None:
            yield parent
            node = parent

    def add(self, identity: str, severity: Severity, message: str, node: Expr | None = None, hint: str = "") -> None:
        place = self.rule.place("expr") if node is None else self.rule.place_in_expr(node.start)
        self.report.rule(self.rule, f"rules/{identity}", severity, message, hint=hint, place=place)


def thresholds(tree: Expr) -> Iterator[Comparison]:
    """The comparisons with a constant below the outer `and`, `or` and `unless`."""
    pending = [tree]
    while pending:
        node = strip_parens(pending.pop())
        if not isinstance(node, Binary):
            continue
        if node.operator in SET_OPERATORS:
            pending += [node.right, node.left]
        elif node.operator in COMPARISONS and (found := _comparison(node)) is not None:
            yield found


def _comparison(node: Binary) -> Comparison | None:
    if (limit := constant(node.right)) is not None:
        return Comparison(node.left, node.operator, limit, node)
    if (limit := constant(node.left)) is not None:
        return Comparison(node.right, FLIPPED[node.operator], limit, node)
    return None
