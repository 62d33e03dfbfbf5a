# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quantiles: what they are taken of, and what is made of them."""

from __future__ import annotations

import math
import re

from ..._promql.nodes import Aggregation, Call, Expr, MatrixSelector, Number, VectorSelector, strip_parens, walk
from ..._promql.shapes import COUNTER_FUNCTIONS
from ..context import Context
from ..label_flow import can

_NO_BUCKETS = re.compile(r"_(?:sum|count|total)$")
_QUANTILE_FUNCTIONS = frozenset({"histogram_quantile", "quantile_over_time"})


def check(context: Context) -> None:
    for call in context.all(Call):
        if call.name in _QUANTILE_FUNCTIONS:
            _quantile(context, call.arguments[0], call)
        if call.name == "histogram_quantile":
            _histogram(context, call)
    for aggregation in context.all(Aggregation):
        if aggregation.operator == "quantile" and aggregation.parameter is not None:
            _quantile(context, aggregation.parameter, aggregation)
        if aggregation.operator in {"sum", "avg"}:
            _aggregate_of_quantile(context, aggregation)


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
    _not_buckets(context, node)
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


def _not_buckets(context: Context, node: Call) -> None:
    """Rates of another part of the histogram, or by `le` of something that has no such label."""
    inner, by_le = strip_parens(node.arguments[1]), False
    while isinstance(inner, Aggregation):
        by_le |= not inner.without and "le" in inner.labels
        inner = strip_parens(inner.expr)
    if not (isinstance(inner, Call) and inner.name in COUNTER_FUNCTIONS):
        return
    matrix = inner.arguments[0]
    metric = matrix.vector.metric if isinstance(matrix, MatrixSelector) else ""
    base = _NO_BUCKETS.sub("", metric)
    described = context.metric(metric)
    if metric and (base != metric or (by_le and _is_plain(metric) and described is None)):
        context.add(
            "hq-input",
            "warning",
            f"{metric} has no buckets: the quantile is empty",
            matrix,
            f"take the rate of {base}_bucket",
        )


def _is_plain(metric: str) -> bool:
    return ":" not in metric and not metric.endswith("_bucket")


def _names_buckets(tree: Expr) -> bool:
    return any(isinstance(node, VectorSelector) and node.metric.endswith("_bucket") for node in walk(tree))


def _aggregate_of_quantile(context: Context, node: Aggregation) -> None:
    inner = strip_parens(node.expr)
    if isinstance(inner, Call) and inner.name == "histogram_quantile":
        what = "quantiles"
    elif isinstance(inner, VectorSelector) and any(matcher.name == "quantile" for matcher in inner.matchers):
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
