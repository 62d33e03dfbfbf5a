# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the shape of an expression says: constants, factors, and which parts keep the unit of their operand."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from .nodes import (
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
    strip_parens,
)

COUNTER_FUNCTIONS = frozenset({"rate", "irate", "increase"})
"""What makes sense of a counter."""
PER_SECOND = frozenset({"rate", "irate"})
SAME_UNIT_AGGREGATIONS = frozenset({"sum", "avg", "max", "min", "topk", "bottomk", "quantile"})
SAME_UNIT_FUNCTIONS = frozenset(
    {
        *("avg_over_time", "max_over_time", "min_over_time", "last_over_time", "first_over_time", "quantile_over_time"),
        *("abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "sort", "sort_desc"),
        *("label_replace", "label_join"),
    }
)
FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
"""The operator when both sides change places."""

_MOST_STEPS = 50
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": math.pow,
}


def constant(expr: Expr, depth: int = 0) -> float | None:
    """The number that a scalar expression always gives (`24 * 3600`); None where it depends on something."""
    node = strip_parens(expr)
    if isinstance(node, Number):
        return node.value
    if node.type != "scalar" or depth > _MOST_STEPS:
        return None
    if isinstance(node, Unary):
        value = constant(node.expr, depth + 1)
        return -value if value is not None and node.operator == "-" else value
    if isinstance(node, Binary) and node.operator in _ARITHMETIC:
        return _computed(node.operator, constant(node.left, depth + 1), constant(node.right, depth + 1))
    return None


def _computed(sign: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return _ARITHMETIC[sign](left, right)
    except (ArithmeticError, ValueError):
        return None


def same_unit(node: Expr) -> Expr | None:
    """The operand whose unit the node keeps; None where it makes another one."""
    if isinstance(node, Paren | Subquery | Unary):
        return node.expr
    if isinstance(node, MatrixSelector):
        return node.vector
    if isinstance(node, Aggregation):
        return node.expr if node.operator in SAME_UNIT_AGGREGATIONS else None
    if isinstance(node, Call) and node.name in SAME_UNIT_FUNCTIONS:
        return node.arguments[1 if node.name == "quantile_over_time" else 0]
    return None


def under_aggregations(node: Expr) -> Expr:
    """Without parentheses and aggregations that keep the unit."""
    while isinstance(node, Paren | Aggregation) and (operand := same_unit(node)) is not None:
        node = operand
    return node


def scaled(node: Binary) -> tuple[Expr, float] | None:
    """The other operand and the number, where one operand is a number; None between two vectors."""
    if (number := constant(node.right)) is not None:
        return node.left, number
    if (number := constant(node.left)) is not None:
        return node.right, number
    return None


def factored(expr: Expr) -> tuple[Expr, float]:
    """What is multiplied with, or divided by, numbers; and their product."""
    node, factor = strip_parens(expr), 1.0
    while isinstance(node, Binary) and node.operator in {"*", "/"} and (found := scaled(node)) is not None:
        sign, (operand, number) = node.operator, found
        if sign == "/" and (operand is node.right or not number):
            break
        node, factor = strip_parens(operand), factor * number if sign == "*" else factor / number
    return node, factor


def matchers_of(selector: VectorSelector) -> set[tuple[str, str, str]]:
    """Label, operator and value of each matcher."""
    return {(matcher.name, matcher.operator, matcher.value) for matcher in selector.matchers}


def corresponding_selectors(left: Expr, right: Expr) -> tuple[VectorSelector, VectorSelector, list[Aggregation]] | None:
    """The selectors of one metric under two expressions that are alike but for matchers, and the aggregations above."""
    aggregations: list[Aggregation] = []
    while True:
        left, right = strip_parens(left), strip_parens(right)
        if isinstance(left, VectorSelector) and isinstance(right, VectorSelector):
            same = left.metric and left.metric == right.metric and left.modifiers == right.modifiers
            return (left, right, aggregations) if same else None
        if isinstance(left, Aggregation):
            aggregations.append(left)
        operands = _first_difference(left, right)
        if operands is None:
            return None
        left, right = operands


def _first_difference(left: Expr, right: Expr) -> tuple[Expr, Expr] | None:
    """The operands that may differ of two nodes that do the same; None where they do not."""
    if isinstance(left, Aggregation) and isinstance(right, Aggregation):
        alike = (left.operator, left.without, left.parameter) == (right.operator, right.without, right.parameter)
        return (left.expr, right.expr) if alike and set(left.labels) == set(right.labels) else None
    if isinstance(left, MatrixSelector) and isinstance(right, MatrixSelector):
        return (left.vector, right.vector) if left.range == right.range else None
    if isinstance(left, Subquery) and isinstance(right, Subquery):
        alike = (left.range, left.step, left.modifiers) == (right.range, right.step, right.modifiers)
        return (left.expr, right.expr) if alike else None
    if isinstance(left, Call) and isinstance(right, Call) and left.function == right.function:
        pairs = list(zip(left.arguments, right.arguments, strict=False))
        vectors = [pair for pair in pairs if pair[0].type in {"vector", "matrix"}]
        alike = len(vectors) == 1 and all(pair in vectors or pair[0] == pair[1] for pair in pairs)
        return vectors[0] if alike else None
    return None
