# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lints of selectors, functions and operators, in alerts and recording rules alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from ..._promql.nodes import (
    COMPARISONS,
    Aggregation,
    Binary,
    Call,
    Duration,
    Expr,
    Matcher,
    MatrixSelector,
    Number,
    Subquery,
    VectorSelector,
    strip_parens,
    walk,
)
from ..._promql.printer import duration_text, to_text
from ..context import Context
from ..label_flow import Flow, Labels, can

_COUNTER_FUNCTIONS = frozenset({"rate", "irate", "increase"})
_COUNTED = _COUNTER_FUNCTIONS | {"delta", "deriv"}
_LOOKS_LIKE_REGEX = re.compile(r"\.[*+]|\\[dws.]|\[[^\]]+[-^][^\]]*\]|^\^|\|.*\w|^[1-5]\.\.$")
_COUNTER_SUFFIX = "_total"
_QUANTILE_OF: dict[str, int] = {"histogram_quantile": 0, "quantile_over_time": 0}


def check(context: Context) -> None:
    for node in context.nodes:
        reader = _CHECKS.get(type(node))
        if reader is not None:
            reader(context, node)


# -- selectors


def _selector(context: Context, node: VectorSelector) -> None:
    by_label: dict[str, list[Matcher]] = {}
    for matcher in node.matchers:
        if matcher.operator == "=" and _LOOKS_LIKE_REGEX.search(matcher.value):
            context.add(
                "eq-looks-like-regex",
                "warning",
                f"{matcher.name}={matcher.value!r} looks like a regular expression, but is compared as text",
                node,
                f"write {matcher.name}=~",
            )
        by_label.setdefault(matcher.name, []).append(matcher)
    if len(by_label) == len(node.matchers):
        return
    for name, matchers in by_label.items():
        wanted = {matcher.value for matcher in matchers if matcher.operator == "="}
        unwanted = {matcher.value for matcher in matchers if matcher.operator == "!="}
        if len(wanted) > 1 or wanted & unwanted:
            context.add(
                "contradictory-matchers",
                "error",
                f"the matchers of {name!r} exclude each other: nothing is selected",
                node,
            )


def _matrix(context: Context, node: MatrixSelector) -> None:
    seconds = _seconds(node.range)
    scrape = context.settings.scrape_interval
    parent = context.parents.get(id(node))
    counted = isinstance(parent, Call) and parent.name in _COUNTED
    if seconds is not None and counted and seconds < 4 * scrape:
        context.add(
            "range-vs-scrape",
            "info",
            f"a range of {duration_text(node.range)} holds fewer than four scrapes ({scrape:g} s apart)",
            node,
            f"use at least {duration_text(Number(4 * scrape, 0, 0, is_duration=True))}",
        )


def _subquery(context: Context, node: Subquery) -> None:
    seconds, step = _seconds(node.range), None if node.step is None else _seconds(node.step)
    if seconds is not None and step is not None and step > seconds / 2:
        context.add(
            "subquery-step",
            "warning",
            f"a step of {duration_text(node.step) if node.step else ''} leaves fewer than two points in the range",
            node,
            "use a step of a tenth of the range",
        )


def _seconds(duration: Duration) -> float | None:
    return duration.value if isinstance(duration, Number) else None


# -- functions


def _call(context: Context, node: Call) -> None:
    name = node.name
    if name in _QUANTILE_OF:
        _quantile(context, node.arguments[0], node)
    if name == "histogram_quantile":
        _histogram(context, node)
    elif name in _COUNTER_FUNCTIONS:
        _counter_function(context, node)
    elif name in {"delta", "idelta"}:
        argument = node.arguments[0]
        if isinstance(argument, MatrixSelector) and argument.vector.metric.endswith(_COUNTER_SUFFIX):
            context.add(
                "delta-on-counter",
                "warning",
                f"{name}() is for gauges: a restart makes it negative on {argument.vector.metric}",
                node,
                "use increase() or rate()",
            )


def _quantile(context: Context, parameter: Expr, node: Expr) -> None:
    value = strip_parens(parameter)
    if isinstance(value, Number) and not 0 <= value.value <= 1 and not math.isnan(value.value):
        context.add(
            "quantile-range",
            "error",
            f"the quantile {value.value:g} is outside 0..1: the result is infinite",
            node,
            f"did you mean {value.value / 100:g}?" if 1 < value.value <= 100 else "",
        )


def _histogram(context: Context, node: Call) -> None:
    buckets = strip_parens(node.arguments[1])
    inner = buckets
    while isinstance(inner, Aggregation) and inner.operator == "sum":
        inner = strip_parens(inner.expr)
    if isinstance(inner, VectorSelector) and inner.metric and ":" not in inner.metric:
        _unrated(context, inner)
    if _names_buckets(buckets) and not can(context.flows.of(buckets), "le"):
        context.add(
            "hq-drops-le",
            "error",
            "histogram_quantile() needs the label le, which the aggregation below drops: the result is empty",
            node,
            "add le to `by`",
        )


def _unrated(context: Context, selector: VectorSelector) -> None:
    metric = selector.metric
    if metric.endswith("_bucket"):
        context.add(
            "hq-no-rate",
            "warning",
            f"the quantile of {metric} is the one since the process started",
            selector,
            f"take rate({metric}[5m]) first",
        )
        return
    context.add(
        "hq-input",
        "warning",
        f"{metric} is neither a rate of buckets nor a recorded one",
        selector,
        f"sum by (le) (rate({metric}_bucket[5m])); for a native histogram rate({metric}[5m])",
    )


def _names_buckets(tree: Expr) -> bool:
    return any(isinstance(node, VectorSelector) and node.metric.endswith("_bucket") for node in walk(tree))


def _counter_function(context: Context, node: Call) -> None:
    argument = node.arguments[0]
    if isinstance(argument, Subquery):
        inner = strip_parens(argument.expr)
        if isinstance(inner, Aggregation) and inner.operator in {"sum", "avg"} and not _has_counter_function(inner):
            context.add(
                "rate-of-aggregate",
                "warning",
                f"{node.name}() of a {inner.operator}: the restart of one series looks like a restart of all",
                node,
                f"take {node.name}() of each series, then aggregate",
            )
    elif isinstance(argument, MatrixSelector):
        _counter_of_record(context, node, argument.vector)


def _counter_of_record(context: Context, node: Call, selector: VectorSelector) -> None:
    """rate() of a recorded metric whose own expression is a rate, a ratio or a sum already."""
    for rule in context.index.records.get(selector.metric, []):
        tree = strip_parens(rule.tree) if rule.tree is not None else None
        if tree is None:
            continue
        if _has_counter_function(tree):
            context.add(
                "rate-on-gauge",
                "warning",
                f"{selector.metric} is recorded from a rate already: {node.name}() of it is the change of a gauge",
                node,
                "use the recorded value, or deriv()",
            )
        elif isinstance(tree, Aggregation) and tree.operator in {"sum", "avg"}:
            context.add(
                "rate-of-aggregate",
                "warning",
                f"{selector.metric} is a recorded {tree.operator}: the restart of one series looks like one of all",
                node,
                f"record {tree.operator}({node.name}(…))",
            )


def _has_counter_function(tree: Expr) -> bool:
    return any(isinstance(node, Call) and node.name in _COUNTER_FUNCTIONS for node in walk(tree))


# -- aggregations


def _aggregation(context: Context, node: Aggregation) -> None:
    if node.operator == "quantile" and node.parameter is not None:
        _quantile(context, node.parameter, node)
    if node.operator not in {"sum", "avg"}:
        return
    inner = strip_parens(node.expr)
    if isinstance(inner, Call) and inner.name == "histogram_quantile":
        what = "quantiles"
    elif isinstance(inner, VectorSelector) and any(m.name == "quantile" for m in inner.matchers):
        what = "a summary's quantiles"
    else:
        return
    context.add(
        "aggregate-of-quantile",
        "warning",
        f"the {'average' if node.operator == 'avg' else 'sum'} of {what} is no quantile of anything",
        node,
        "aggregate the buckets first, or take max",
    )


# -- operators


def _binary(context: Context, node: Binary) -> None:
    if node.operator in COMPARISONS:
        for side in (node.left, node.right):
            _raw_counter(context, node, side)
    if node.operator == "/" and _same_series(node):
        context.add(
            "ratio-self",
            "warning",
            "each series is divided by itself: the result is 1 wherever there is a value",
            node,
            "aggregate both sides by the same labels",
        )
    if node.left.type == node.right.type == "vector":
        _matching(context, node)


def _raw_counter(context: Context, node: Binary, side: Expr) -> None:
    other = strip_parens(node.right if side is node.left else node.left)
    if not isinstance(other, Number):
        return
    inner = strip_parens(side)
    while isinstance(inner, Aggregation) and inner.operator in {"sum", "max", "avg"}:
        inner = strip_parens(inner.expr)
    if not (isinstance(inner, VectorSelector) and inner.metric.endswith(_COUNTER_SUFFIX)):
        return
    described = context.index.contract.metrics.get(inner.metric) if context.index.contract else None
    if described is not None and described.type != "counter":
        return
    if node.operator in {">", ">=", "==", "!="} and not (node.operator in {"==", "!="} and other.value == 0):
        context.add(
            "counter-raw",
            "info",
            f"{inner.metric} looks like a counter: its value only says how long the process has been running",
            inner,
            "compare increase() or rate() of it",
        )


def _same_series(node: Binary) -> bool:
    matching = node.matching
    left, right = strip_parens(node.left), strip_parens(node.right)
    if matching.labels or matching.on or matching.include:
        return False
    if isinstance(left, VectorSelector | Call) and type(left) is type(right):
        return to_text(left) == to_text(right) and not (isinstance(left, Call) and left.name == "vector")
    return False


def _matching(context: Context, node: Binary) -> None:
    """Vectors whose labels cannot be equal."""
    if node.operator == "or":
        return
    left, right = context.flows.of(node.left), context.flows.of(node.right)
    matching = node.matching
    if matching.on:
        for label in matching.labels:
            if can(left, label) != can(right, label):
                side = "right" if can(left, label) else "left"
                context.add(
                    "vector-match",
                    "error",
                    f"on ({label}): the {side} side has no label {label!r}, so nothing matches",
                    node,
                    f"keep {label} on both sides",
                )
                return
        return
    if matching.cardinality not in {"one-to-one", "many-to-many"}:
        return
    ignored = frozenset(matching.labels)
    a, b = _exact(left, ignored), _exact(right, ignored)
    if a is None or b is None or a == b:
        return
    context.add(
        "vector-match",
        "error",
        f"the sides have different labels ({_list(a)} and {_list(b)}), so nothing matches",
        node,
        "aggregate both by the same labels, or say on (…), with group_left where one side has more",
    )


def _exact(flow: Flow, ignored: frozenset[str]) -> frozenset[str] | None:
    """The one set of labels all branches are limited to; None when there is none such."""
    branch: Labels = flow[0]
    if len(flow) != 1 or branch.possible is None:
        return None
    return branch.possible - ignored


def _list(labels: frozenset[str]) -> str:
    return ", ".join(sorted(labels)) or "none"


_CHECKS: dict[type, Callable[[Context, Any], None]] = {
    Aggregation: _aggregation,
    Binary: _binary,
    Call: _call,
    MatrixSelector: _matrix,
    Subquery: _subquery,
    VectorSelector: _selector,
}
