# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ratios that are none: each series by itself, averages of ratios, and events per second taken for a ratio."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..._promql.nodes import (
    COMPARISONS,
    METRIC_NAME,
    Aggregation,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    Subquery,
    VectorSelector,
    strip_parens,
    walk,
)
from ..._promql.shapes import (
    COUNTER_FUNCTIONS,
    PER_SECOND,
    corresponding_selectors,
    factored,
    matchers_of,
    scaled,
    under_aggregations,
)
from ..context import Comparison, Context
from .matching import includes, keeps

_SAYS_RATIO = re.compile(
    r"(?i)\b(?:ratio|percent(?:age)?|rate of \w+|(?:error|failure|drop|rejection|miss|hit)s?[ -]?rate)\b|%"
    r"|(?-i:(?:Error|Failure|Fail|Drop|Reject)s?Rate|Ratio\b|Percent(?!ile))"
)
_SAYS_ERRORS = re.compile(r"Error|Fail")
_SAYS_PER_SECOND = re.compile(r"(?i)per second|per minute|/s\b|/sec|\brps\b|\bops\b|/min")
_FRACTION_OF_TIME = re.compile(r"_seconds_(?:total|sum)$|_seconds$")
_SERIES = re.compile(r"_(?:total|bucket|sum|count)$")


def check(context: Context) -> None:
    for node in context.all(Binary):
        if node.operator == "/":
            _by_itself(context, node)
    for aggregation in context.all(Aggregation):
        if aggregation.operator == "avg" and _is_counted_ratio(context, aggregation.expr):
            _of_ratio(context, aggregation, "average")
        elif aggregation.operator == "sum" and _is_counted_ratio(context, aggregation.expr, through_records=False):
            _of_ratio(context, aggregation, "sum")  # recorded ratios may be parts of a whole
    for call in context.all(Call):
        if call.name == "avg_over_time" and _is_counted_ratio(context, call.arguments[0]):
            _of_ratio(context, call, "average")


def check_alert(context: Context) -> None:
    for comparison in context.thresholds:
        if comparison.operator in {">", ">="}:
            _threshold(context, comparison)


# -- a series by itself


def _by_itself(context: Context, node: Binary) -> None:
    """Both sides are alike but for matchers: a label that differs there is still on both sides, and must be equal."""
    found = corresponding_selectors(factored(node.left)[0], factored(node.right)[0])
    if found is None:
        return
    left, right, aggregations = found
    differing = _differing(left, right)
    if METRIC_NAME in differing or any(_is_fixed(left, label) and _is_fixed(right, label) for label in differing):
        return  # two parts of a whole: see matching
    if not differing:
        if node.matching.cardinality == "one-to-one" and (aggregations or not node.matching.labels):
            _add_self(context, node, [])
        return
    kept = sorted(label for label in differing if all(keeps(aggregation, label) for aggregation in aggregations))
    if all(includes(node.matching, label) for label in kept) and len(kept) == len(differing):
        _add_self(context, node, kept)
    elif any(_is_ambiguous(node.matching, label, left, right) for label in kept):
        context.add(
            "many-to-many",
            "warning",
            f"several series that differ in {', '.join(kept)} match each other: Prometheus refuses to choose one",
            node,
            f"aggregate both sides, without {', '.join(kept)}",
        )


def _add_self(context: Context, node: Binary, labels: list[str]) -> None:
    named = ", ".join(labels)
    context.add(
        "ratio-self",
        "warning",
        "each series is divided by itself: the result is 1 wherever there is a value"
        + (f", as both sides still have {named}" if named else ""),
        node,
        "aggregate both sides by the same labels" + (f", without {named}" if named else ""),
    )


def _is_ambiguous(matching: Matching, label: str, left: VectorSelector, right: VectorSelector) -> bool:
    """The label does not count in the matching, and the side that must have one series for each has several."""
    if includes(matching, label) or label in matching.include:
        return False
    if matching.cardinality == "one-to-many":
        return not _is_fixed(left, label)
    return not _is_fixed(right, label) or (matching.cardinality == "one-to-one" and not _is_fixed(left, label))


def _differing(left: VectorSelector, right: VectorSelector) -> set[str]:
    """The labels whose matchers differ."""
    return {label for label, _operator, _value in matchers_of(left) ^ matchers_of(right)}


def _is_fixed(selector: VectorSelector, label: str) -> bool:
    return any(matcher.name == label and matcher.operator == "=" for matcher in selector.matchers)


# -- averages of ratios


def _of_ratio(context: Context, node: Expr, what: str) -> None:
    context.add(
        "aggregate-of-ratio",
        "warning",
        f"the {what} of ratios gives little traffic the weight of much, and a series without any (0 / 0) makes it NaN",
        node,
        "aggregate both sides of the division, then divide",
    )


def _is_counted_ratio(context: Context, node: Expr, *, through_records: bool = True) -> bool:
    """The node's values are ratios of events that are counted, also by recording rules."""
    return any(
        all(_is_counted(context, side) for side in (division.left, division.right))
        for division in _divisions(context, node, through_records=through_records)
    )


def _divisions(context: Context, node: Expr, *, through_records: bool) -> Iterator[Binary]:
    """The divisions of two vectors that the node's values come from, up to a factor or a filter; each record once."""
    pending, seen = [node], set[str]()
    while pending:
        node = strip_parens(pending.pop())
        if isinstance(node, Subquery):
            pending.append(node.expr)
        elif isinstance(node, MatrixSelector):
            pending.append(node.vector)
        elif isinstance(node, Binary) and (found := scaled(node)) is not None:
            pending.append(found[0])
        elif isinstance(node, Binary) and node.operator in COMPARISONS | {"and", "unless"}:
            pending.append(node.left)
        elif isinstance(node, Binary) and node.operator == "/" and node.left.type == node.right.type == "vector":
            yield node
        elif through_records and isinstance(node, VectorSelector) and node.metric not in seen:
            seen.add(node.metric)
            pending += [rule.tree for rule in context.index.records.get(node.metric, ()) if rule.tree is not None]


def _is_counted(context: Context, node: Expr) -> bool:
    return any(isinstance(part, Call) and part.name in COUNTER_FUNCTIONS for part in context.index.parts(node))


# -- rates in alerts


def _threshold(context: Context, comparison: Comparison) -> None:
    value = under_aggregations(comparison.vector)
    speaks_of = _speaks_of(context) if 0 < comparison.limit <= 1 and _is_event_rate(value) else ""
    if speaks_of and not _guards_ratio(context, comparison):
        context.add(
            "rate-not-ratio",
            "warning" if speaks_of == "a ratio" else "info",
            f"the alert speaks of {speaks_of}, but compares events per second: it depends on the traffic",
            comparison.vector,
            "divide by the rate of all events, by the same labels, and guard it with a minimum of traffic",
        )
    elif _is_traffic_ratio(value) and not _has_guard(context.tree):
        context.add(
            "low-traffic",
            "info",
            "one failure out of two requests at night is 50 %: the ratio has no guard for little traffic",
            comparison.vector,
            "add `and <rate of all events> > N`",
        )


def _speaks_of(context: Context) -> str:
    """What the alert's texts lead a reader to expect; "" where they name events per second."""
    rule = context.rule
    about = [text for key, text in rule.annotations.items() if key in {"summary", "description", "message"}]
    text = "\n".join([rule.name, *about])
    if _SAYS_PER_SECOND.search(text) is not None:
        return ""
    return "a ratio" if _SAYS_RATIO.search(text) else "errors" if _SAYS_ERRORS.search(rule.name) else ""


def _is_event_rate(node: Expr) -> bool:
    """A rate of events; a rate of seconds is a share of time."""
    if not (isinstance(node, Call) and node.name in PER_SECOND):
        return False
    return not any(isinstance(n, VectorSelector) and _FRACTION_OF_TIME.search(n.metric) for n in walk(node))


def _is_traffic_ratio(node: Expr) -> bool:
    inner = under_aggregations(factored(node)[0])
    return (
        isinstance(inner, Binary)
        and inner.operator == "/"
        and all(
            any(isinstance(n, Call) and n.name in PER_SECOND for n in walk(side)) for side in (inner.left, inner.right)
        )
    )


def _has_guard(tree: Expr) -> bool:
    return any(isinstance(node, Binary) and node.operator == "and" for node in walk(tree))


def _guards_ratio(context: Context, comparison: Comparison) -> bool:
    """The rate stands beside a ratio or a quantile of the same events, and says that there are enough of them."""
    events = _events(context, comparison.vector)
    child: Expr = comparison.node
    for parent in context.ancestors(child):
        if isinstance(parent, Binary) and parent.operator == "or":
            return False
        if isinstance(parent, Binary) and parent.operator == "and":
            other = parent.left if parent.right is child else parent.right
            if _judges(context, other) and events & _events(context, other):
                return True
        child = parent
    return False


def _judges(context: Context, node: Expr) -> bool:
    """There is a ratio or a quantile in it, or in what it is recorded from."""
    return any(
        (isinstance(part, Binary) and part.operator == "/" and part.left.type == part.right.type == "vector")
        or (isinstance(part, Call) and part.name in {"histogram_quantile", "histogram_fraction"})
        for part in context.index.parts(node)
    )


def _events(context: Context, node: Expr) -> set[str]:
    """The metrics that the node is made of, without what tells the series of a histogram apart."""
    parts = context.index.parts(node)
    return {_SERIES.sub("", part.metric) for part in parts if isinstance(part, VectorSelector) and part.metric}
