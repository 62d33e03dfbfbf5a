# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which labels the result of an expression can have, by following them through every operator.

A flow is a tuple of branches: `a or b` has those of both sides. The metric's name is no label here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from .._promql.nodes import (
    METRIC_NAME,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
    strip_parens,
)

_NO_LABELS: frozenset[str] = frozenset()
MAX_BRANCHES = 8
_KEEPS_SERIES = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


class Labels(NamedTuple):
    """What one branch can carry."""

    possible: frozenset[str] | None = None
    """The labels that are possible at all; None for "any"."""
    excluded: frozenset[str] = _NO_LABELS
    """Labels that are certainly not there."""

    def can(self, label: str) -> bool:
        return label not in self.excluded and (self.possible is None or label in self.possible)

    def keep(self, labels: frozenset[str]) -> Labels:
        kept = labels - self.excluded
        return Labels(kept if self.possible is None else kept & self.possible)

    def drop(self, labels: frozenset[str]) -> Labels:
        if self.possible is not None:
            return Labels(self.possible - labels)
        return Labels(None, self.excluded | labels)

    def add(self, labels: frozenset[str]) -> Labels:
        return Labels(None if self.possible is None else self.possible | labels, self.excluded - labels)


Flow: TypeAlias = tuple[Labels, ...]
Resolver: TypeAlias = Callable[[str], "Flow | None"]
"""The flow of a metric; None when nothing is known about it."""

ANY: Flow = (Labels(),)
NOTHING: Flow = (Labels(_NO_LABELS),)


def can(flow: Flow, label: str) -> bool:
    return any(branch.can(label) for branch in flow)


class Flows:
    """The flows of all nodes of one expression."""

    def __init__(self, nodes: list[Expr], resolve: Resolver) -> None:
        self._resolve = resolve
        self._flows: dict[int, Flow] = {}
        # parents come first in the list, so backwards every child is known before its parent
        for node in reversed(nodes):
            self._flows[id(node)] = _READERS[type(node)](self, node)

    def of(self, node: Expr) -> Flow:
        return self._flows[id(node)]

    def _selector(self, node: VectorSelector) -> Flow:
        known = self._resolve(node.metric) if node.metric else None
        flow = ANY if known is None else known
        empty = [matcher.name for matcher in node.matchers if not matcher.value and matcher.operator == "="]
        return _each(flow, Labels.drop, frozenset(empty)) if empty else flow

    def _constant(self, _node: Number | String) -> Flow:
        return NOTHING

    def _inner(self, node: Paren | Unary | Subquery) -> Flow:
        return self._flows[id(node.expr)]

    def _matrix(self, node: MatrixSelector) -> Flow:
        return self._flows[id(node.vector)]

    def _call(self, node: Call) -> Flow:
        name = node.name
        if name in {"absent", "absent_over_time"}:
            return (Labels(frozenset(absent_labels(node.arguments[0]))),)
        if name in {"label_replace", "label_join"}:
            target = node.arguments[1]
            added = frozenset({target.value}) if isinstance(target, String) else _NO_LABELS
            return _each(self._flows[id(node.arguments[0])], Labels.add, added)
        if name == "info":
            return ANY
        for argument in node.arguments:
            if argument.type in {"vector", "matrix"}:
                flow = self._flows[id(argument)]
                if name in {"histogram_quantile", "histogram_fraction"}:
                    return _each(flow, Labels.drop, _LE)
                return flow
        return NOTHING

    def _aggregation(self, node: Aggregation) -> Flow:
        flow = self._flows[id(node.expr)]
        if node.operator in _KEEPS_SERIES:
            return flow
        labels = frozenset(node.labels)
        flow = _each(flow, Labels.drop, labels) if node.without else _distinct(_each(flow, Labels.keep, labels))
        if node.operator == "count_values" and isinstance(node.parameter, String):
            added = frozenset({node.parameter.value})
            flow = _each(flow, Labels.add, added)
        return flow

    def _binary(self, node: Binary) -> Flow:
        left, right = self._flows[id(node.left)], self._flows[id(node.right)]
        if node.operator == "or":
            return _distinct(left + right)
        if node.operator in SET_OPERATORS or node.right.type == "scalar":
            return left
        if node.left.type == "scalar":
            return right
        matching = node.matching
        labels = frozenset(matching.labels)
        if matching.cardinality == "one-to-one":
            if matching.on:
                return _distinct(_each(left, Labels.keep, labels))
            return _each(left, Labels.drop, labels) if labels else left
        many, other = (left, right) if matching.cardinality == "many-to-one" else (right, left)
        copied = frozenset(label for label in matching.include if can(other, label))
        lost = frozenset(matching.include) - copied
        return _each(_each(many, Labels.add, copied), Labels.drop, lost)


_LE = frozenset({"le"})


def absent_labels(argument: Expr) -> list[str]:
    """The labels that absent() can know: those of `=` matchers that are written once."""
    selector = strip_parens(argument)
    if isinstance(selector, MatrixSelector):
        selector = selector.vector
    if not isinstance(selector, VectorSelector):
        return []
    names = [matcher.name for matcher in selector.matchers]
    return [
        matcher.name
        for matcher in selector.matchers
        if matcher.operator == "=" and matcher.value and matcher.name != METRIC_NAME and names.count(matcher.name) == 1
    ]


def _each(flow: Flow, change: Callable[[Labels, frozenset[str]], Labels], labels: frozenset[str]) -> Flow:
    return tuple([change(branch, labels) for branch in flow])


def _distinct(flow: Flow) -> Flow:
    if len(flow) == 1:
        return flow
    branches = tuple(dict.fromkeys(flow))
    return branches if len(branches) <= MAX_BRANCHES else ANY


_READERS: dict[type, Callable[[Flows, Any], Flow]] = {
    Aggregation: Flows._aggregation,
    Binary: Flows._binary,
    Call: Flows._call,
    MatrixSelector: Flows._matrix,
    Number: Flows._constant,
    Paren: Flows._inner,
    String: Flows._constant,
    Subquery: Flows._inner,
    Unary: Flows._inner,
    VectorSelector: Flows._selector,
}
