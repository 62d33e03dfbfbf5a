# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Series that make an expression come out at a wanted value: the expression is followed backwards.

Enough for the usual conditions of alerts: thresholds, rates, ratios, differences, quantiles, guards. UnsolvedError
says which part cannot be inverted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from .._promql.nodes import (
    COMPARISONS,
    METRIC_NAME,
    Aggregation,
    Binary,
    Call,
    Expr,
    Matcher,
    MatrixSelector,
    Number,
    Subquery,
    Unary,
    VectorSelector,
    strip_parens,
)
from .._promql.patterns import accepts
from .._promql.printer import to_text
from .._promql.shapes import FLIPPED, SAME_UNIT_AGGREGATIONS, SAME_UNIT_FUNCTIONS, same_unit
from .._rules.context import Index
from .._rules.label_flow import absent_labels

_MAX_DEPTH = 60
_MAX_STEPS = 20_000
_LONG = 1_000
"""Patterns from here on are not guessed at."""
_BASES = (100.0, 1.0, 10_000.0, 1e6, 1e9, 1e12)
_OF_SLOPE = frozenset({"rate", "irate", "deriv"})
_OF_WINDOW = frozenset({"increase", "delta"})
_META = re.compile(r"\\d[+*]?|\.[+*]|\[[^\]]*\][+*]?|\\(.)|\.|\(\?:|[()^$]|[*+?]")


class UnsolvedError(ValueError):
    """No series are found; the message says which part is too much."""


@dataclass(frozen=True, slots=True)
class SyntheticSeries:
    """A series that begins with `start` and grows by `slope` a second."""

    labels: tuple[tuple[str, str], ...]
    start: float = 0.0
    slope: float = 0.0

    @property
    def label_map(self) -> dict[str, str]:
        return dict(self.labels)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A selector whose sum is settled: no later series may be selected by it."""

    selector: VectorSelector
    by_slope: bool


class Solver:
    """Collects series. `common` are labels that each series gets, so that both sides of an operator match."""

    def __init__(self, index: Index, common: dict[str, str]) -> None:
        self.index = index
        self.common = common
        self.series: list[SyntheticSeries] = []
        self._slots: list[_Slot] = []
        self._base = _BASES[0]
        self._depth = 0
        self._steps = 0

    def step(self, depth: int) -> None:
        """One more part of an expression is looked at; records may make few of them many."""
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            raise UnsolvedError("the expression is too large")

    # -- conditions

    def satisfy(self, parts: Iterable[Expr], *, fires: bool) -> None:
        """All conditions hold; with `fires` False, the first does just not. Nothing is kept where that fails."""
        wanted = list(parts)
        problem = UnsolvedError("nothing to solve")
        for base in _BASES:
            before = self._state()
            self._base = base
            try:
                for number, part in enumerate(wanted):
                    self._condition(part, holds=fires or number > 0)
            except UnsolvedError as error:
                problem = error
                self._restore(before)
            else:
                return
        raise problem

    def exists(self, selector: Expr) -> None:
        """Something is selected, for absent() to be silent."""
        inner = strip_parens(selector)
        while isinstance(inner, Aggregation):
            inner = strip_parens(inner.expr)
        if isinstance(inner, MatrixSelector):
            inner = inner.vector
        if not isinstance(inner, VectorSelector):
            raise UnsolvedError(f"absent() of {to_text(selector)}")
        if not any(selects(inner, series) for series in self.series):
            self._add(inner, 1.0, by_slope=False, summed=True)

    def _condition(self, node: Expr, *, holds: bool) -> None:
        node = strip_parens(node)
        self._depth += 1
        self.step(self._depth)
        if isinstance(node, Call) and node.name in {"absent", "absent_over_time"}:
            if not holds:
                self.exists(node.arguments[0])
        elif isinstance(node, Binary) and node.operator in COMPARISONS and not node.return_bool:
            self._comparison(node, holds=holds)
        elif isinstance(node, Binary) and node.operator == "and":
            self._condition(node.left, holds=holds)
            self._condition(node.right, holds=True)
        elif isinstance(node, Binary) and node.operator == "unless":
            self._condition(node.left, holds=holds)
        elif holds and node.type == "vector" and not (isinstance(node, Binary) and node.operator == "or"):
            if self._value(node) is None:
                self._make(node, 1.0)
        else:
            raise UnsolvedError(f"no threshold in {to_text(node)}")
        self._depth -= 1

    def _comparison(self, node: Binary, *, holds: bool) -> None:
        left, right, operator = node.left, node.right, node.operator
        if left.type == "scalar" and right.type == "vector":
            left, right, operator = right, left, FLIPPED[operator]
        threshold = self._value(right)
        if threshold is None:
            threshold = self._base
            self._make(right, threshold)
        value = self._value(left)
        if value is None:
            self._make(left, beside(operator, threshold, holds=holds))
        elif _compare(operator, value, threshold) != holds:
            raise UnsolvedError(f"{to_text(node)} with the values that the rest needs")

    # -- values

    def _make(self, node: Expr, value: float, *, summed: bool = False) -> None:
        """Series under which the node has the value."""
        node = strip_parens(node)
        self._depth += 1
        self.step(self._depth)
        if isinstance(node, VectorSelector):
            self._make_selector(node, value, by_slope=False, summed=summed)
        elif isinstance(node, Unary):
            self._make(node.expr, -value if node.operator == "-" else value, summed=summed)
        elif isinstance(node, Aggregation) and node.operator in SAME_UNIT_AGGREGATIONS:
            self._make(node.expr, value, summed=summed or node.operator == "sum")
        elif isinstance(node, Call):
            self._make_call(node, value, summed=summed)
        elif isinstance(node, Binary) and node.operator in {"+", "-", "*", "/"}:
            self._make_binary(node, value)
        else:
            raise UnsolvedError(to_text(node))
        self._depth -= 1

    def _make_call(self, node: Call, value: float, *, summed: bool) -> None:
        if node.name == "histogram_quantile":
            self._make_quantile(node, value)
            return
        argument = next((operand for operand in node.arguments if operand.type in {"vector", "matrix"}), None)
        if argument is None or node.name not in _OF_SLOPE | _OF_WINDOW | SAME_UNIT_FUNCTIONS:
            raise UnsolvedError(to_text(node))
        if not isinstance(argument, MatrixSelector):
            if node.name not in SAME_UNIT_FUNCTIONS:
                raise UnsolvedError(to_text(node))
            self._make(argument.expr if isinstance(argument, Subquery) else argument, value, summed=summed)
            return
        by_slope = node.name in _OF_SLOPE | _OF_WINDOW
        if by_slope and value < 0 and node.name not in {"deriv", "delta"}:
            raise UnsolvedError(f"a negative {to_text(node)}")
        if node.name in _OF_WINDOW:
            value /= _window(argument)
        self._make_selector(argument.vector, value, by_slope=by_slope, summed=summed)

    def _make_selector(self, node: VectorSelector, value: float, *, by_slope: bool, summed: bool) -> None:
        if node.modifiers is not None:
            raise UnsolvedError(f"offset or @ in {to_text(node)}")
        if not node.metric:
            raise UnsolvedError(f"{to_text(node)} names no metric")
        records = self.index.records.get(node.metric, [])
        if records and not by_slope:
            tree = records[0].tree
            if len(records) > 1 or tree is None:
                raise UnsolvedError(f"{node.metric} is recorded more than once")
            known = self._value(tree)
            if known is None:
                self._make(tree, value)
            elif not math.isclose(known, value):
                raise UnsolvedError(f"{node.metric} has a value already")
            return
        self._add(node, value, by_slope=by_slope, summed=summed)

    def _add(self, node: VectorSelector, value: float, *, by_slope: bool, summed: bool) -> None:
        """A series of the selector; where it selects others already, the rest of the sum."""
        selected = [series for series in self.series if selects(node, series)]
        if selected:
            rest = value - sum(series.slope if by_slope else series.start for series in selected)
            if math.isclose(rest, 0, abs_tol=1e-12):
                return
            if rest < 0 or not summed:
                raise UnsolvedError(f"{to_text(node)} has a value already")
            value = rest
        series = SyntheticSeries(self._labels(node), 0.0 if by_slope else value, value if by_slope else 0.0)
        if any(slot.selector is not node and selects(slot.selector, series) for slot in self._slots):
            raise UnsolvedError(f"{to_text(node)} is part of what is settled already")
        self.series.append(series)
        self._slots.append(_Slot(node, by_slope))

    def _labels(self, node: VectorSelector) -> tuple[tuple[str, str], ...]:
        labels = {METRIC_NAME: node.metric, **self.common}
        for matcher in node.matchers:
            if matcher.name != METRIC_NAME:
                labels[matcher.name] = example(matcher, labels.get(matcher.name, ""), f"{matcher.name}-1")
        for slot in self._slots:
            if slot.selector.metric == node.metric:
                self._avoid(slot.selector, node, labels)
        return tuple((name, value) for name, value in labels.items() if value)

    def _avoid(self, other: VectorSelector, own: VectorSelector, labels: dict[str, str]) -> None:
        """Changes one label so that a settled selector does not select the series, and its own still does."""
        if to_text(other) == to_text(own) or not selects(other, SyntheticSeries(tuple(labels.items()))):
            return
        for matcher in other.matchers:
            for value in ("200", "other", "", *_candidates(matcher.value)):
                changed = SyntheticSeries(tuple({**labels, matcher.name: value}.items()))
                if selects(own, changed) and not selects(other, changed):
                    labels[matcher.name] = value
                    return

    def _make_quantile(self, node: Call, value: float) -> None:
        """Two buckets around the value, filled so that the quantile lies at it."""
        quantile, buckets = strip_parens(node.arguments[0]), strip_parens(node.arguments[1])
        while isinstance(buckets, Aggregation) and buckets.operator == "sum":
            buckets = strip_parens(buckets.expr)
        if not (isinstance(buckets, Call) and buckets.name in _OF_SLOPE | _OF_WINDOW):
            raise UnsolvedError(to_text(node))
        argument = buckets.arguments[0]
        if not (isinstance(quantile, Number) and isinstance(argument, MatrixSelector) and value > 0):
            raise UnsolvedError(to_text(node))
        selector = argument.vector
        if selector.modifiers is not None or any(selects(selector, series) for series in self.series):
            raise UnsolvedError(to_text(node))
        labels = self._labels(selector)
        # linear within a bucket: nothing below 0, all of it below the second bound
        bound = value / quantile.value if quantile.value > 0 else value
        for upper, rate in ((f"{bound:.6g}", self._base), ("+Inf", self._base)):
            self.series.append(SyntheticSeries((*labels, ("le", upper)), slope=rate))
        self._slots.append(_Slot(selector, by_slope=True))

    def _make_binary(self, node: Binary, value: float) -> None:
        left, right = self._value(node.left), self._value(node.right)
        if right is not None:
            self._make(node.left, _inverse_left(node.operator, value, right))
        elif left is not None:
            self._make(node.right, _inverse_right(node.operator, value, left))
        else:
            self._make_both(node, value)

    def _make_both(self, node: Binary, value: float) -> None:
        """Both sides are free: one gets a plain value, the other what is left; the other order when that fails."""
        right = {"/": self._base, "*": 1.0, "+": 0.0, "-": self._base}[node.operator]
        left = _inverse_left(node.operator, value, right)
        before, depth = self._state(), self._depth
        for first, second in (((node.right, right), (node.left, left)), ((node.left, left), (node.right, right))):
            try:
                self._make(*first)
                known = self._value(second[0])
                if known is None:
                    self._make(second[0], second[1])
                elif not math.isclose(known, second[1]):
                    raise UnsolvedError(to_text(node))
            except UnsolvedError:
                self._restore(before)
                self._depth = depth
            else:
                return
        raise UnsolvedError(to_text(node))

    def _value(self, node: Expr) -> float | None:
        """The value under the series so far; None where they do not settle it."""
        self._depth += 1
        self.step(self._depth)
        value = self._known(strip_parens(node))
        self._depth -= 1
        return value

    def _known(self, node: Expr) -> float | None:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, VectorSelector):
            return self._value_of_selector(node)
        if isinstance(node, Call):
            return self._value_of_call(node)
        if isinstance(node, Binary):
            return self._value_of_binary(node)
        if isinstance(node, Unary) and (inner := self._value(node.expr)) is not None:
            return -inner if node.operator == "-" else inner
        operand = same_unit(node) if isinstance(node, Aggregation) else None
        return None if operand is None else self._value(operand)

    def _value_of_selector(self, node: VectorSelector) -> float | None:
        records = self.index.records.get(node.metric, [])
        if len(records) == 1 and records[0].tree is not None:
            return self._value(records[0].tree)
        return self._settled(node, by_slope=False)

    def _value_of_binary(self, node: Binary) -> float | None:
        if node.operator not in {"+", "-", "*", "/"}:
            return None
        left, right = self._value(node.left), self._value(node.right)
        if left is None or right is None or (node.operator == "/" and not right):
            return None
        return {"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1.0)}[node.operator]

    def _value_of_call(self, node: Call) -> float | None:
        argument = next((operand for operand in node.arguments if operand.type in {"vector", "matrix"}), None)
        if not isinstance(argument, MatrixSelector):
            if argument is None or node.name not in SAME_UNIT_FUNCTIONS:
                return None
            return self._value(argument.expr if isinstance(argument, Subquery) else argument)
        if node.name in _OF_SLOPE | _OF_WINDOW:
            slope = self._settled(argument.vector, by_slope=True)
            return slope if slope is None or node.name in _OF_SLOPE else slope * _window(argument)
        return self._settled(argument.vector, by_slope=False) if node.name in SAME_UNIT_FUNCTIONS else None

    def _settled(self, node: VectorSelector, *, by_slope: bool) -> float | None:
        if not any(to_text(slot.selector) == to_text(node) and slot.by_slope == by_slope for slot in self._slots):
            return None
        return sum(series.slope if by_slope else series.start for series in self.series if selects(node, series))

    def _state(self) -> tuple[list[SyntheticSeries], list[_Slot]]:
        return list(self.series), list(self._slots)

    def _restore(self, state: tuple[list[SyntheticSeries], list[_Slot]]) -> None:
        self.series, self._slots = list(state[0]), list(state[1])
        self._depth = 0


def beside(operator: str, threshold: float, *, holds: bool) -> float:
    """A value for which the comparison just holds, or just does not."""
    step = abs(threshold) * 0.1
    if threshold.is_integer() and (threshold == 0 or 2 <= abs(threshold) < 1e6):
        step = 1.0
    if 0 < threshold < 1:
        step = min(step, (1 - threshold) / 2)  # a share stays one
    above, below = threshold + step, threshold - step
    return {
        ">": above if holds else below if threshold > 0 else threshold,
        ">=": above if holds else below,
        "<": below if holds else above,
        "<=": below if holds else above,
        "==": threshold if holds else above,
        "!=": above if holds else threshold,
    }[operator]


def _compare(operator: str, left: float, right: float) -> bool:
    return {
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
        "==": math.isclose(left, right),
        "!=": not math.isclose(left, right),
    }[operator]


def _inverse_left(operator: str, value: float, right: float) -> float:
    """x in `x operator right == value`."""
    if operator in {"*", "/"} and not right:
        raise UnsolvedError("a product with zero" if operator == "*" else "a quotient by zero")
    if operator == "*":
        return value / right
    return {"+": value - right, "-": value + right, "/": value * right}[operator]


def _inverse_right(operator: str, value: float, left: float) -> float:
    """x in `left operator x == value`."""
    if operator == "/":
        if not value or not left:
            raise UnsolvedError("a quotient of zero")
        return left / value
    return _inverse_left("*", value, left) if operator == "*" else value - left if operator == "+" else left - value


def _window(node: MatrixSelector) -> float:
    if not isinstance(node.range, Number):
        raise UnsolvedError(f"the range of {to_text(node)}")
    return node.range.value


# -- labels


def selects(selector: VectorSelector, series: SyntheticSeries) -> bool:
    labels = series.label_map
    return labels.get(METRIC_NAME) == selector.metric and all(
        _accepts(matcher, labels.get(matcher.name, "")) for matcher in selector.matchers if matcher.name != METRIC_NAME
    )


def _accepts(matcher: Matcher, value: str) -> bool:
    if matcher.operator in {"=", "!="}:
        return (matcher.value == value) == (matcher.operator == "=")
    answer = accepts(matcher.value, value)
    if answer is None:
        raise UnsolvedError(f"the regular expression {matcher.value!r}")
    return answer == (matcher.operator == "=~")


def example(matcher: Matcher, *preferred: str) -> str:
    """A value that the matcher accepts."""
    for value in (*preferred, *_candidates(matcher.value), ""):
        if _accepts(matcher, value):
            return value
    raise UnsolvedError(f"a value for {matcher.name}{matcher.operator}{matcher.value!r}")


def _candidates(pattern: str) -> Iterator[str]:
    """Texts that a pattern may be meant for: each alternative, with its wildcards filled in."""
    alternatives = pattern.replace("(", "|").replace(")", "|").split("|") if len(pattern) <= _LONG else []
    for alternative in alternatives:
        for filling in ("0", "1", "x", ""):
            yield _META.sub(partial(_fill, filling), alternative)
    yield pattern


def _fill(filling: str, match: re.Match[str]) -> str:
    return match[1] or filling


def labels_of_absent(node: Call) -> dict[str, str]:
    """The labels of what absent() returns."""
    names = absent_labels(node.arguments[0])
    selector = strip_parens(node.arguments[0])
    if isinstance(selector, MatrixSelector):
        selector = selector.vector
    matchers = selector.matchers if isinstance(selector, VectorSelector) else []
    return {matcher.name: matcher.value for matcher in matchers if matcher.name in names}
