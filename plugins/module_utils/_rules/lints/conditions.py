# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lints of an alert's condition: when it fires, when it cannot, and when it should not."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator

from ..._promql.nodes import COMPARISONS, Aggregation, Binary, Call, Expr, VectorSelector, strip_parens, walk
from ..._promql.shapes import under_aggregations
from ..context import ABSENT_FUNCTIONS, ALWAYS_FIRING, EVALUATION_INTERVAL, Comparison, Context

_FILTERS = COMPARISONS | {"and", "unless"}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NEVER_NEGATIVE = frozenset({"rate", "irate", "increase", "resets", "changes", "count_over_time"})


def check(context: Context) -> None:
    _fires(context)
    _duration(context)
    for aggregation in context.all(Aggregation):
        if aggregation.operator in {"topk", "bottomk", "limitk", "limit_ratio"}:
            context.add(
                "topk-in-alert",
                "warning",
                f"{aggregation.operator} picks other series at each evaluation: alerts come and go",
                aggregation,
                "compare all series with a threshold instead",
            )
    for call in context.all(Call):
        if call.name == "irate":
            context.add(
                "irate-in-alert",
                "warning",
                "irate looks at two samples only: a short peak resets `for`",
                call,
                "use rate()",
            )
            break
    for comparison in context.comparisons:
        _comparison(context, comparison)


# -- always


def _fires(context: Context) -> None:
    if context.rule.name in ALWAYS_FIRING:
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
        if isinstance(node, Call) and node.name in ABSENT_FUNCTIONS:
            return True
        if isinstance(node, VectorSelector) and node.metric in {"ALERTS", "ALERTS_FOR_STATE"}:
            return True
    return False


# -- for


def _duration(context: Context) -> None:
    rule = context.rule
    interval = rule.group.interval or EVALUATION_INTERVAL
    if rule.for_seconds and rule.for_seconds < 2 * interval and rule.group.interval:
        context.report.rule(
            rule,
            "rules/short-for",
            "info",
            f"`for` is shorter than two evaluations ({interval:g} s apart): one sample decides",
            place=rule.place("for"),
        )
    if not rule.for_seconds and "for" not in rule.scalars and rule.name not in ALWAYS_FIRING:
        critical = rule.labels.get("severity") == "critical"
        context.report.rule(
            rule,
            "rules/missing-for",
            "warning" if critical else "info",
            f"{'a critical alert' if critical else 'the alert'} has no `for`: one bad sample fires it",
            hint="write `for: 0m` when that is meant",
            place=(rule.line, rule.column),
        )


# -- comparisons


def _comparison(context: Context, comparison: Comparison) -> None:
    inner = strip_parens(comparison.vector)
    sign, limit = comparison.operator, comparison.limit
    if _impossible(inner, sign, limit):
        context.add(
            "impossible-value",
            "error",
            f"the value is never {sign} {limit:g}: the comparison is always false",
            comparison.vector,
        )
    elif isinstance(inner, Call) and inner.name in {"increase", "rate", "delta"} and sign == "==" and limit != 0:
        context.add(
            "increase-equality",
            "warning",
            f"{inner.name}() is extrapolated and hardly ever equals {limit:g}",
            comparison.vector,
            "compare with >= or <",
        )


def _impossible(node: Expr, sign: str, value: float) -> bool:
    if isinstance(node, VectorSelector) and node.metric == "up":
        return {">": value >= 1, "<": value <= 0, "==": value not in {0, 1}}.get(sign, False)
    inner = under_aggregations(node)
    if isinstance(inner, Call) and inner.name in ABSENT_FUNCTIONS:
        return not _OPERATORS[sign](1, value)
    if isinstance(inner, Aggregation) and inner.operator in {"count", "group"}:
        # of nothing there is no count, not even 0
        return (sign == "<" and value <= 1) or (sign in {"<=", "=="} and value < 1)
    if isinstance(inner, Call) and inner.name in _NEVER_NEGATIVE:
        return (sign == "<" and value <= 0) or (sign in {"<=", "=="} and value < 0)
    return False
