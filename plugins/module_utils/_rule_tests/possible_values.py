# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which results an expression can have in a test at one moment.

Not an evaluation: where the series do not say, the answer is that it is possible. So "not possible" is certain.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable

from .._promql.nodes import (
    COMPARISONS,
    METRIC_NAME,
    Aggregation,
    Binary,
    Call,
    Duration,
    Expr,
    Matcher,
    MatrixSelector,
    Number,
    Subquery,
    Unary,
    VectorSelector,
    children,
    strip_parens,
)
from .._promql.patterns import accepts
from .._promql.shapes import SAME_UNIT_AGGREGATIONS
from .._rules.context import Index
from .load import Series

LOOKBACK = 300.0
_MAX_DEPTH = 100
_BUILT_IN = frozenset({"ALERTS", "ALERTS_FOR_STATE"})
_KEEPS_RANGE = SAME_UNIT_AGGREGATIONS - {"sum"}

Range = tuple[float, float]
"""The least and the greatest value that an expression can have."""
_ANYTHING: Range = (-math.inf, math.inf)


class PossibleValues:
    """The series of one test at one moment (in seconds), with the recording rules around them."""

    def __init__(self, series: Iterable[Series], index: Index, seconds: float) -> None:
        self.index = index
        self.seconds = seconds
        self._by_name: dict[str, list[Series]] = {}
        for entry in series:
            self._by_name.setdefault(entry.labels[METRIC_NAME], []).append(entry)
        self._depth = 0
        self._open: set[str] = set()
        self._known: dict[tuple[str, float, float, bool], bool] = {}

    def fires(self, node: Expr) -> bool:
        """The expression can have a result."""
        return self._present(node, self.seconds, self.seconds, conditions=True)

    def has_input(self, node: Expr) -> bool:
        """The selectors of the expression have input, so that its condition decides."""
        inner = strip_parens(node)
        if isinstance(inner, Call) and inner.name in {"absent", "absent_over_time"}:
            return self._present(inner.arguments[0], self.seconds, self.seconds, conditions=False)
        return self._present(node, self.seconds, self.seconds, conditions=False)

    # -- presence between two moments

    def _present(self, node: Expr, earliest: float, latest: float, *, conditions: bool) -> bool:
        if self._depth >= _MAX_DEPTH:
            return True
        self._depth += 1
        present = self._has_result(strip_parens(node), earliest, latest, conditions=conditions)
        self._depth -= 1
        return present

    def _has_result(self, node: Expr, earliest: float, latest: float, *, conditions: bool) -> bool:
        if isinstance(node, VectorSelector):
            return self._selected(node, earliest - LOOKBACK, latest, conditions=conditions)
        if isinstance(node, MatrixSelector):
            seconds = _seconds(node.range)
            return self._selected(node.vector, earliest - seconds, latest, conditions=conditions, skip_stale=True)
        if isinstance(node, Subquery):
            before = _seconds(node.range) + _offset(node)
            return self._present(node.expr, earliest - before, latest, conditions=conditions)
        if isinstance(node, Binary):
            return self._binary(node, earliest, latest, conditions=conditions)
        if isinstance(node, Call) and node.name in {"absent", "absent_over_time"}:
            return not conditions or not self._certain(node.arguments[0], earliest, latest)
        return all(
            self._present(child, earliest, latest, conditions=conditions)
            for child in children(node)
            if child.type in {"vector", "matrix"}
        )

    def _binary(self, node: Binary, earliest: float, latest: float, *, conditions: bool) -> bool:
        sides = [
            self._present(side, earliest, latest, conditions=conditions)
            for side in (node.left, node.right)
            if side.type == "vector"
        ]
        if node.operator == "unless":
            return sides[0]
        filled = node.matching.fill_left is not None or node.matching.fill_right is not None
        if node.operator == "or" or filled:
            return any(sides)
        if not all(sides):
            return False
        if conditions and node.operator in COMPARISONS and not node.return_bool and earliest == latest:
            return _can_hold(node.operator, self._range(node.left), self._range(node.right))
        return True

    def _selected(
        self, node: VectorSelector, after: float, until: float, *, conditions: bool, skip_stale: bool = False
    ) -> bool:
        name = node.metric
        shift = _offset(node)
        if not name or name in _BUILT_IN or math.isinf(shift):
            return True
        for series in self._matching(node):
            if series.values.newest(after - shift, until - shift, skip_stale=skip_stale) is not None:
                return True
        return self._recorded(name, after - shift, until - shift, conditions=conditions)

    def _recorded(self, name: str, earliest: float, latest: float, *, conditions: bool) -> bool:
        """By a recording rule; a record that is made of itself may have any value."""
        key = name, earliest, latest, conditions
        if name in self._open or key in self._known:
            return self._known.get(key, True)
        self._open.add(name)
        self._known[key] = any(
            rule.tree is None or self._present(rule.tree, earliest, latest, conditions=conditions)
            for rule in self.index.records.get(name, [])
        )
        self._open.discard(name)
        return self._known[key]

    def _certain(self, node: Expr, earliest: float, latest: float) -> bool:
        """Something is selected all the time."""
        node = strip_parens(node)
        while isinstance(node, Aggregation):
            node = strip_parens(node.expr)
        window = LOOKBACK
        if isinstance(node, MatrixSelector):
            window, node = _seconds(node.range), node.vector
        if not isinstance(node, VectorSelector) or node.modifiers is not None or earliest != latest:
            return False
        return any(
            all(_matches(matcher, series) is True for matcher in node.matchers)
            and series.values.newest(latest - window, latest) is not None
            for series in self._by_name.get(node.metric, [])
        )

    def _matching(self, node: VectorSelector) -> list[Series]:
        return [
            series
            for series in self._by_name.get(node.metric, [])
            if all(_matches(matcher, series) is not False for matcher in node.matchers)
        ]

    # -- values now

    def _range(self, node: Expr) -> Range:
        if self._depth >= _MAX_DEPTH:
            return _ANYTHING
        self._depth += 1
        found = self._range_of(strip_parens(node))
        self._depth -= 1
        return found

    def _range_of(self, node: Expr) -> Range:
        if isinstance(node, Number):
            return node.value, node.value
        if isinstance(node, VectorSelector):
            return self._range_of_selector(node)
        if isinstance(node, Unary):
            low, high = self._range(node.expr)
            return (-high, -low) if node.operator == "-" else (low, high)
        if isinstance(node, Aggregation):
            return self._range(node.expr) if node.operator in _KEEPS_RANGE else _ANYTHING
        if isinstance(node, Binary) and node.operator in _ARITHMETIC:
            return _combined(_ARITHMETIC[node.operator], self._range(node.left), self._range(node.right))
        return _ANYTHING

    def _range_of_selector(self, node: VectorSelector) -> Range:
        if node.modifiers is not None or not node.metric or node.metric in self.index.records:
            return _ANYTHING
        found = [series.values.newest(self.seconds - LOOKBACK, self.seconds) for series in self._matching(node)]
        values = [value for value in found if value is not None]
        if not values or any(math.isnan(value) for value in values):
            return _ANYTHING
        return min(values), max(values)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else math.nan,
}


def _combined(operate: Callable[[float, float], float], left: Range, right: Range) -> Range:
    """The corners of both ranges; a divisor that may be zero makes anything possible."""
    corners = [operate(a, b) for a in left for b in right]
    if any(math.isnan(corner) for corner in corners) or (operate is _ARITHMETIC["/"] and right[0] <= 0 <= right[1]):
        return _ANYTHING
    return min(corners), max(corners)


def _can_hold(comparison: str, left: Range, right: Range) -> bool:
    (low, high), (other_low, other_high) = left, right
    return {
        ">": high > other_low,
        ">=": high >= other_low,
        "<": low < other_high,
        "<=": low <= other_high,
        "==": low <= other_high and other_low <= high,
        "!=": not low == high == other_low == other_high,
    }[comparison]


def _matches(matcher: Matcher, series: Series) -> bool | None:
    """None where that cannot be told."""
    if matcher.name == METRIC_NAME and matcher.operator == "=":
        return True
    value = series.labels.get(matcher.name, "")
    if matcher.operator in {"=", "!="}:
        return (value == matcher.value) == (matcher.operator == "=")
    answer = accepts(matcher.value, value)
    return None if answer is None else answer == (matcher.operator == "=~")


def _seconds(duration: Duration) -> float:
    return duration.value if isinstance(duration, Number) else math.inf


def _offset(node: VectorSelector | Subquery) -> float:
    """Seconds back; infinite where the moment is another one altogether."""
    modifiers = node.modifiers
    if modifiers is None:
        return 0.0
    if modifiers.at is not None:
        return math.inf
    return 0.0 if modifiers.offset is None else _seconds(modifiers.offset)
