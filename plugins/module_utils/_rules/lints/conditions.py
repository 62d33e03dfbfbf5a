# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lints of an alert's condition: when it fires, when it cannot, and when it should not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..._promql.nodes import (
    COMPARISONS,
    Aggregation,
    Binary,
    Call,
    Expr,
    Matcher,
    Number,
    Paren,
    VectorSelector,
    children,
    strip_parens,
    walk,
)
from ..context import Context
from ..label_flow import absent_labels

_RATES = frozenset({"rate", "irate"})
_SAYS_RATIO = re.compile(
    r"(?i)\b(?:ratio|percent(?:age)?|rate of \w+|(?:error|failure|drop|rejection|miss|hit)s?[ -]?rate)\b|%"
    r"|(?-i:(?:Error|Failure|Fail|Drop|Reject)s?Rate|Ratio\b|Percent)"
)
_SAYS_ERRORS = re.compile(r"Error|Fail")
_SAYS_PER_SECOND = re.compile(r"(?i)per second|per minute|/s\b|/sec|\brps\b|\bops\b|/min")
_FRACTION_OF_TIME = re.compile(r"_seconds_(?:total|sum)$|_seconds$")
_FILTERS = COMPARISONS | {"and", "unless"}
_CONDITIONAL = frozenset({"absent", "absent_over_time"})
_NEVER_NEGATIVE = frozenset({"rate", "irate", "increase", "resets", "changes", "count_over_time"})


def check(context: Context) -> None:
    _fires(context)
    _duration(context)
    _ratio(context)
    for node in context.nodes:
        if isinstance(node, Call):
            _call(context, node)
        elif isinstance(node, Aggregation):
            if node.operator in {"topk", "bottomk", "limitk", "limit_ratio"}:
                context.add(
                    "topk-in-alert",
                    "warning",
                    f"{node.operator} picks other series at each evaluation: alerts come and go",
                    node,
                    "compare all series with a threshold instead",
                )
        elif isinstance(node, Binary) and node.operator in COMPARISONS:
            _comparison(context, node)


# -- always


def _fires(context: Context) -> None:
    if context.rule.name in context.settings.always_firing:
        return
    tree = strip_parens(context.tree)
    if tree.type == "scalar":
        context.add("always-fires", "error", "the expression is a number: the alert always fires", tree)
        return
    if isinstance(tree, Binary) and tree.return_bool:
        context.add(
            "always-fires",
            "error",
            "`bool` keeps every series, as 0 or 1: the alert always fires",
            tree,
            "leave out bool, or compare the result with 1",
        )
        return
    for bare in _unconditional(tree):
        side = "an operand of `or`" if bare is not tree else "the expression"
        context.add(
            "always-fires",
            "warning",
            f"{side} has no condition: the alert fires for every series that exists",
            bare,
            "compare it with a threshold",
        )


def _unconditional(tree: Expr) -> Iterator[Expr]:
    """Operands of the outer `or`s that filter nothing."""
    pending = [tree]
    while pending:
        node = strip_parens(pending.pop())
        if isinstance(node, Binary) and node.operator == "or":
            pending += [node.right, node.left]
        elif not _filters(node):
            yield node


def _filters(tree: Expr) -> bool:
    """Something in the expression lets series through or not."""
    for node in walk(tree):
        if isinstance(node, Binary) and not node.return_bool and node.operator in _FILTERS:
            return True
        if isinstance(node, Call) and node.name in _CONDITIONAL:
            return True
        if isinstance(node, VectorSelector) and node.metric in {"ALERTS", "ALERTS_FOR_STATE"}:
            return True
    return False


# -- for


def _duration(context: Context) -> None:
    rule, settings = context.rule, context.settings
    interval = rule.group.interval or settings.evaluation_interval
    if rule.for_seconds and rule.for_seconds < 2 * interval and rule.group.interval:
        context.report.rule(
            rule,
            "rules/short-for",
            "info",
            f"`for` is shorter than two evaluations ({interval:g} s apart): one sample decides",
            place=rule.place("for"),
        )
    if not rule.for_seconds and "for" not in rule.scalars and rule.name not in settings.always_firing:
        critical = rule.labels.get("severity") == "critical"
        context.report.rule(
            rule,
            "rules/missing-for",
            "warning" if critical else "info",
            f"{'a critical alert' if critical else 'the alert'} has no `for`: one bad sample fires it",
            hint="write `for: 0m` when that is meant",
            place=(rule.line, rule.column),
        )


# -- ratios


def _ratio(context: Context) -> None:
    for left, operator, threshold in thresholds(context.tree):
        if operator not in {">", ">="}:
            continue
        value = _stripped(left)
        speaks_of = _speaks_of(context) if 0 < threshold.value <= 1 and _is_event_rate(value) else ""
        if speaks_of:
            context.add(
                "rate-not-ratio",
                "warning" if speaks_of == "a ratio" else "info",
                f"the alert speaks of {speaks_of}, but compares events per second: it depends on the traffic",
                left,
                "divide by the rate of all events, by the same labels, and guard it with a minimum of traffic",
            )
        elif _is_traffic_ratio(left) and not _guarded(context.tree):
            context.add(
                "low-traffic",
                "info",
                "one failure out of two requests at night is 50 %: the ratio has no guard for little traffic",
                left,
                "add `and <rate of all events> > N`",
            )


def thresholds(tree: Expr) -> Iterator[tuple[Expr, str, Number]]:
    """Comparisons of a vector with a number that decide whether the alert fires."""
    pending = [tree]
    while pending:
        node = strip_parens(pending.pop())
        if not isinstance(node, Binary):
            continue
        if node.operator in {"and", "or", "unless"}:
            pending += [node.right, node.left]
        elif node.operator in COMPARISONS and isinstance(number := strip_parens(node.right), Number):
            yield node.left, node.operator, number


def _stripped(node: Expr) -> Expr:
    """Without parentheses and aggregations that keep the unit."""
    while isinstance(node, Paren | Aggregation):
        if isinstance(node, Aggregation) and node.operator not in {"sum", "avg", "max", "min"}:
            break
        node = node.expr
    return node


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
    if not (isinstance(node, Call) and node.name in _RATES):
        return False
    return not any(isinstance(n, VectorSelector) and _FRACTION_OF_TIME.search(n.metric) for n in walk(node))


def _is_traffic_ratio(node: Expr) -> bool:
    inner = _stripped(node)
    while isinstance(inner, Binary) and inner.operator == "*":
        inner = _stripped(inner.left if isinstance(strip_parens(inner.right), Number) else inner.right)
    return (
        isinstance(inner, Binary)
        and inner.operator == "/"
        and all(any(isinstance(n, Call) and n.name in _RATES for n in walk(side)) for side in children(inner))
    )


def _guarded(tree: Expr) -> bool:
    return any(isinstance(node, Binary) and node.operator == "and" for node in walk(tree))


# -- calls and comparisons


def _call(context: Context, node: Call) -> None:
    if node.name == "irate":
        context.add(
            "irate-in-alert",
            "info",
            "irate looks at two samples only: a short peak resets `for`",
            node,
            "use rate()",
        )
    elif node.name in _CONDITIONAL:
        _absent(context, node)


def _absent(context: Context, node: Call) -> None:
    argument = strip_parens(node.arguments[0])
    if node.name == "absent" and isinstance(argument, Aggregation) and (argument.labels and not argument.without):
        context.add(
            "absent-labels",
            "warning",
            "absent() of an aggregation has no labels and is empty while any group exists",
            node,
            f'name what must exist: absent(metric{{{argument.labels[0]}="…"}}), one for each',
        )
    if node.name == "absent" and not context.rule.for_seconds and not absent_labels(argument):
        context.add(
            "absent-for",
            "info",
            "absent() without `for` fires at every restart of Prometheus",
            node,
            "add a `for` of a few scrape intervals",
        )


def _comparison(context: Context, node: Binary) -> None:
    number = strip_parens(node.right)
    if not isinstance(number, Number):
        return
    inner = strip_parens(node.left)
    if _impossible(inner, node.operator, number.value):
        context.add(
            "impossible-value",
            "error",
            f"the left side is never {node.operator} {number.value:g}: the comparison is always false",
            node.left,
        )
    elif (
        isinstance(inner, Call)
        and inner.name in {"increase", "rate", "delta"}
        and node.operator == "=="
        and number.value != 0
    ):
        context.add(
            "increase-equality",
            "warning",
            f"{inner.name}() is extrapolated and hardly ever equals {number.value:g}",
            node.left,
            "compare with >= or <",
        )
    if isinstance(inner, VectorSelector) and inner.metric == "up" and node.operator in {"==", "<"}:
        _target(context, inner)


def _impossible(node: Expr, operator: str, value: float) -> bool:
    if isinstance(node, VectorSelector) and node.metric == "up":
        return {">": value >= 1, "<": value <= 0, "==": value not in {0, 1}}.get(operator, False)
    inner = _stripped(node)
    counted = isinstance(inner, Aggregation) and inner.operator in {"count", "group"}
    if counted or (isinstance(inner, Call) and inner.name in _NEVER_NEGATIVE):
        return (operator == "<" and value <= 0) or (operator in {"<=", "=="} and value < 0)
    return False


def _target(context: Context, up: VectorSelector) -> None:
    """`up == 0` does not see a target that service discovery has lost."""
    jobs = [matcher for matcher in up.matchers if matcher.name == "job"]
    if len(jobs) != 1 or jobs[0].operator != "=" or _watched(context, jobs[0]):
        return
    context.add(
        "target-may-vanish",
        "info",
        f"when job {jobs[0].value!r} vanishes from service discovery, `up` vanishes with it and nothing fires",
        up,
        f'add `or absent(up{{job="{jobs[0].value}"}})`, or a rule of its own',
    )


def _watched(context: Context, job: Matcher) -> bool:
    return (job.name, job.value) in context.index.absent_guards()
