# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The syntax tree of PromQL.

Two trees are equal when they mean the same; positions (`start`, `end`: offsets into the text) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from .functions import Function, ValueType

MatchOperator = Literal["=", "!=", "=~", "!~"]
Cardinality = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]

METRIC_NAME = "__name__"
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
SET_OPERATORS = frozenset({"and", "or", "unless"})


@dataclass(slots=True)
class Number:
    value: float
    start: int = field(compare=False)
    end: int = field(compare=False)
    is_duration: bool = False
    type: ClassVar[ValueType] = "scalar"


@dataclass(slots=True)
class String:
    value: str
    start: int = field(compare=False)
    end: int = field(compare=False)
    type: ClassVar[ValueType] = "string"


@dataclass(slots=True)
class DurationExpr:
    """Arithmetic on durations: step(), range(), max_of(a, b), -a, a + b; `(a)` has the operator "()"."""

    operator: str
    operands: tuple[Duration, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


Duration: TypeAlias = Number | DurationExpr


@dataclass(slots=True)
class Matcher:
    name: str
    operator: MatchOperator
    value: str
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(slots=True)
class Modifiers:
    """`offset`, `@`, `anchored` and `smoothed` of a selector or a subquery."""

    offset: Duration | None = None
    at: float | Literal["start", "end"] | None = None
    extended: Literal["anchored", "smoothed", ""] = ""


@dataclass(slots=True)
class VectorSelector:
    name: str
    """The name in front of the braces; "" when there is none (see `metric`)."""
    matchers: list[Matcher]
    start: int = field(compare=False)
    end: int = field(compare=False)
    modifiers: Modifiers | None = None
    type: ClassVar[ValueType] = "vector"

    @property
    def metric(self) -> str:
        """The metric's name, wherever it is written; "" when the selector names none."""
        if self.name:
            return self.name
        for matcher in self.matchers:
            if matcher.name == METRIC_NAME and matcher.operator == "=":
                return matcher.value
        return ""


@dataclass(slots=True)
class MatrixSelector:
    vector: VectorSelector
    """Carries the modifiers too."""
    range: Duration
    start: int = field(compare=False)
    end: int = field(compare=False)
    type: ClassVar[ValueType] = "matrix"


@dataclass(slots=True)
class Subquery:
    expr: Expr
    range: Duration
    step: Duration | None
    start: int = field(compare=False)
    end: int = field(compare=False)
    modifiers: Modifiers | None = None
    type: ClassVar[ValueType] = "matrix"


@dataclass(slots=True)
class Call:
    function: Function
    arguments: list[Expr]
    start: int = field(compare=False)
    end: int = field(compare=False)

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def type(self) -> ValueType:
        return self.function.returns


@dataclass(slots=True)
class Aggregation:
    operator: str
    expr: Expr
    parameter: Expr | None
    labels: tuple[str, ...]
    without: bool
    start: int = field(compare=False)
    end: int = field(compare=False)
    type: ClassVar[ValueType] = "vector"


@dataclass(slots=True)
class Matching:
    """How two vectors are matched; `on` False means `ignoring`."""

    on: bool = False
    labels: tuple[str, ...] = ()
    cardinality: Cardinality = "one-to-one"
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(slots=True)
class Binary:
    operator: str
    left: Expr
    right: Expr
    return_bool: bool
    matching: Matching
    operator_start: int = field(compare=False)
    type: ValueType = "vector"

    @property
    def start(self) -> int:
        return _first(self).start

    @property
    def end(self) -> int:
        return _last(self).end


@dataclass(slots=True)
class Unary:
    operator: Literal["+", "-"]
    expr: Expr
    start: int = field(compare=False)

    @property
    def type(self) -> ValueType:
        return "scalar" if self.expr.type == "scalar" else "vector"

    @property
    def end(self) -> int:
        return _last(self).end


@dataclass(slots=True)
class Paren:
    expr: Expr
    start: int = field(compare=False)
    end: int = field(compare=False)
    type: ValueType = "vector"


Expr: TypeAlias = (
    Number | String | VectorSelector | MatrixSelector | Subquery | Call | Aggregation | Binary | Unary | Paren
)
_Leaf: TypeAlias = Number | String | VectorSelector | MatrixSelector | Subquery | Call | Aggregation | Paren


def _first(expr: Expr) -> _Leaf | Unary:
    while isinstance(expr, Binary):
        expr = expr.left
    return expr


def _last(expr: Expr) -> _Leaf:
    while isinstance(expr, Binary | Unary):
        expr = expr.right if isinstance(expr, Binary) else expr.expr
    return expr


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions, left to right."""
    return _CHILDREN[type(expr)](expr)


_CHILDREN: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
    Aggregation: lambda node: (node.expr,) if node.parameter is None else (node.parameter, node.expr),
    Binary: lambda node: (node.left, node.right),
    Call: lambda node: tuple(node.arguments),
    MatrixSelector: lambda node: (node.vector,),
    Number: lambda _node: (),
    Paren: lambda node: (node.expr,),
    String: lambda _node: (),
    Subquery: lambda node: (node.expr,),
    Unary: lambda node: (node.expr,),
    VectorSelector: lambda _node: (),
}


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all below it, parents first. Does not recurse: chains may be thousands long."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        kind = type(node)
        if kind is not VectorSelector and kind is not Number:
            stack.extend(reversed(_CHILDREN[kind](node)))


def strip_parens(expr: Expr) -> Expr:
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr
