# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not there raises no alert: targets that vanish, and absent() where it does not see that."""

from __future__ import annotations

import re

from ..._promql.nodes import COMPARISONS, Aggregation, Binary, Call, Expr, Matcher, Paren, VectorSelector, strip_parens
from ..context import ABSENT_FUNCTIONS, Comparison, Context
from ..label_flow import absent_labels

_UP = re.compile(r"^up$|_up$")
_NAMES_TARGET = frozenset({"job", "instance", "service", "app"})


def check(context: Context) -> None:
    for call in context.all(Call):
        if call.name in ABSENT_FUNCTIONS:
            _absent(context, call)
    for comparison in context.comparisons:
        if comparison.operator in {"<", "<="} or (comparison.operator, comparison.limit) in {("==", 0), ("!=", 1)}:
            _target(context, comparison)


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


def _target(context: Context, comparison: Comparison) -> None:
    """`up == 0` does not see a target that service discovery has lost."""
    up = _up(comparison.vector)
    if up is None or _is_guard(context, comparison.node):
        return
    named = (matcher for matcher in up.matchers if matcher.operator == "=" and matcher.value)
    targets = [matcher for matcher in named if matcher.name in _NAMES_TARGET]
    if not targets or any(_is_watched(context, matcher) for matcher in targets):
        return
    target = targets[0]
    context.add(
        "target-may-vanish",
        "warning",
        f"when {target.name} {target.value!r} vanishes from service discovery, `{up.metric}` vanishes with it and"
        " nothing fires",
        up,
        f'add `or absent({up.metric}{{{target.name}="{target.value}"}})`, or a rule of its own',
    )


def _up(node: Expr) -> VectorSelector | None:
    """The `up` whose value, or number, is compared."""
    while not isinstance(node, VectorSelector):
        if isinstance(node, Paren | Aggregation):
            node = node.expr
        elif isinstance(node, Binary) and node.operator in COMPARISONS and node.right.type == "scalar":
            node = node.left
        else:
            return None
    return node if _UP.search(node.metric) else None


def _is_guard(context: Context, node: Expr) -> bool:
    """It is inside an absent(), or what `unless` looks for."""
    child = node
    for parent in context.ancestors(node):
        if isinstance(parent, Call) and parent.name in ABSENT_FUNCTIONS:
            return True
        if isinstance(parent, Binary) and parent.operator == "unless" and parent.right is child:
            return True
        child = parent
    return False


def _is_watched(context: Context, matcher: Matcher) -> bool:
    return (matcher.name, matcher.value) in context.index.absent_guards()
