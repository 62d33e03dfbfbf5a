# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tree to text. Parsing the text again gives an equal tree (but NaN equals nothing)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from .literals import format_duration, parse_duration
from .nodes import (
    Aggregation,
    Binary,
    Call,
    Duration,
    Expr,
    Matcher,
    Matching,
    MatrixSelector,
    Modifiers,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
)

_PLAIN_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_GROUPING = re.compile(r"(?!(?i:without|inf|nan)$)[A-Za-z_:][A-Za-z0-9_:]*")
_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quote(text: str) -> str:
    """A string literal with this value."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte that is no UTF-8
    if code < 0x20 or code in {0x7F, 0xFFFD}:
        return f"\\u{code:04x}"
    return char


def to_text(expr: Expr) -> str:
    """The expression, printed."""
    parts: list[str] = []
    _write(expr, parts)
    return "".join(parts)


def _write(expr: Expr, out: list[str]) -> None:
    # a chain a + b + c + … leans to the left and may be thousands long: no recursion on that side
    chain: list[Binary] = []
    while isinstance(expr, Binary):
        chain.append(expr)
        expr = expr.left
    _WRITERS[type(expr)](expr, out)
    for binary in reversed(chain):
        out.append(f" {binary.operator}{' bool' if binary.return_bool else ''}{_matching(binary.matching)} ")
        _write(binary.right, out)


def _number(node: Number, out: list[str]) -> None:
    out.append(number_text(node))


def number_text(node: Number) -> str:
    value = node.value
    if node.is_duration:
        text = format_duration(value)
        # the shortest way to write it, unless rounding would change it
        if parse_duration(text.removeprefix("-")) == abs(value):
            return text
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "-Inf" if value < 0 else "Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _string(node: String, out: list[str]) -> None:
    out.append(quote(node.value))


def _vector(node: VectorSelector, out: list[str]) -> None:
    out.append(_selector(node) + _modifiers(node.modifiers))


def _selector(node: VectorSelector) -> str:
    if node.name and not node.matchers:
        return node.name
    return f"{node.name}{{{','.join(map(_matcher, node.matchers))}}}"


def _matcher(matcher: Matcher) -> str:
    name = matcher.name if _PLAIN_LABEL.fullmatch(matcher.name) else quote(matcher.name)
    return f"{name}{matcher.operator}{quote(matcher.value)}"


def _matrix(node: MatrixSelector, out: list[str]) -> None:
    out.append(f"{_selector(node.vector)}[{duration_text(node.range)}]{_modifiers(node.vector.modifiers)}")


def _subquery(node: Subquery, out: list[str]) -> None:
    _write(node.expr, out)
    step = "" if node.step is None else duration_text(node.step)
    out.append(f"[{duration_text(node.range)}:{step}]{_modifiers(node.modifiers)}")


def _modifiers(modifiers: Modifiers | None) -> str:
    if modifiers is None:
        return ""
    text = f" {modifiers.extended}" if modifiers.extended else ""
    if isinstance(modifiers.at, str):
        text += f" @ {modifiers.at}()"
    elif modifiers.at is not None:
        text += f" @ {modifiers.at!r}"
    if modifiers.offset is not None:
        text += f" offset {duration_text(modifiers.offset)}"
    return text


def duration_text(duration: Duration) -> str:
    if isinstance(duration, Number):
        return number_text(duration)
    operands = [duration_text(operand) for operand in duration.operands]
    if duration.operator == "()":
        return f"({operands[0]})"
    if duration.operator.isidentifier():
        return f"{duration.operator}({', '.join(operands)})"
    if len(operands) == 1:
        return f"{duration.operator}{operands[0]}"
    return f"{operands[0]} {duration.operator} {operands[1]}"


def _call(node: Call, out: list[str]) -> None:
    out.append(f"{node.name}(")
    _arguments(node.arguments, out)


def _arguments(arguments: Iterable[Expr], out: list[str]) -> None:
    for index, argument in enumerate(arguments):
        if index:
            out.append(", ")
        _write(argument, out)
    out.append(")")


def _aggregation(node: Aggregation, out: list[str]) -> None:
    out.append(node.operator)
    if node.without or node.labels:
        out.append(f" {'without' if node.without else 'by'} ({_labels(node.labels)}) ")
    out.append("(")
    _arguments([node.expr] if node.parameter is None else [node.parameter, node.expr], out)


def _labels(labels: Iterable[str]) -> str:
    return ", ".join(label if _PLAIN_GROUPING.fullmatch(label) else quote(label) for label in labels)


def _matching(matching: Matching) -> str:
    text = ""
    if matching.labels or matching.on or matching.cardinality in {"many-to-one", "one-to-many"}:
        text = f" {'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})"
    if matching.cardinality in {"many-to-one", "one-to-many"}:
        side = "left" if matching.cardinality == "many-to-one" else "right"
        text += f" group_{side} ({_labels(matching.include)})"
    left, right = matching.fill_left, matching.fill_right
    if left is not None:
        text += f" fill_left ({left!r})"
    if right is not None:
        text += f" fill_right ({right!r})"
    return text


def _unary(node: Unary, out: list[str]) -> None:
    out.append(node.operator)
    _write(node.expr, out)


def _paren(node: Paren, out: list[str]) -> None:
    out.append("(")
    _write(node.expr, out)
    out.append(")")


_WRITERS: dict[type, Callable[[Any, list[str]], None]] = {
    Aggregation: _aggregation,
    Call: _call,
    MatrixSelector: _matrix,
    Number: _number,
    Paren: _paren,
    String: _string,
    Subquery: _subquery,
    Unary: _unary,
    VectorSelector: _vector,
}
