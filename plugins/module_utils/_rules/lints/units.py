# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Thresholds in another unit than what they are compared with.

A value's unit is followed through what keeps it (`max`, `avg_over_time`, a difference) and what makes another of it
(bytes / bytes is a ratio, * 100 makes it percent). Where that ends, nothing is said.
"""

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
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)
from ..._promql.shapes import corresponding_selectors, factored, matchers_of, same_unit, scaled, under_aggregations
from ..context import Comparison, Context

_TIMESTAMP = re.compile(
    r"_timestamp(?:_seconds)?$|_unixtime$|_epoch(?:_seconds)?$|_not_(?:after|before)$|_expiry$|_client_expiration_seconds$"
    r"|_(?:expires|created|started|finished|completed|updated|seen)_at$|^kube_\w+_created$|^node_time_seconds$"
    r"|(?:^|_)(?:start|boot|creation|completion|deletion|expiration|schedule|success|successful|failure|push|reload)"
    r"_time(?:_seconds)?$|_last_\w+_time(?:_seconds)?$"
)
_RECORDED = re.compile(r"^[^:]*:([^:]+):(?:max|min|avg|last)$")
_SUFFIX = re.compile(
    r"_(bytes|seconds|ratio|percent|percentage)(?:_(?:total|bucket|sum|used|free|available|max|limit|size|committed))?$"
)
_REQUEST = re.compile(r"request|response|latency|http|grpc|rpc|query")
_WHOLE = re.compile(r"size|total|limit|capacity|max|quota|allocatable", re.IGNORECASE)
_MOST = re.compile(r"(?:^|_)(?:max|limits?|capacity|quota|maxclients)(?:_|$)")
_OLDEST = 1e9
"""Seconds since 1970: no timestamp that is watched is as old (2001)."""
_NAMES = {"percentage": "percent", "unixtime": "timestamp", "unix timestamp": "timestamp", "epoch": "timestamp"}


def check(context: Context) -> None:
    comparisons = context.comparisons
    if not comparisons:
        return
    units = _units(context)
    for comparison in comparisons:
        if comparison.operator not in {"==", "!="} and comparison.limit > 0:
            judge = _JUDGES.get(units.get(id(comparison.vector), ""))
            if judge is not None:
                judge(context, comparison)


def _add(context: Context, comparison: Comparison, message: str, hint: str) -> None:
    context.add("unit-mismatch", "warning", message, comparison.vector, hint)


# -- what is wrong


def _timestamp(context: Context, comparison: Comparison) -> None:
    if comparison.limit < _OLDEST:
        name = _name(comparison.vector)
        message = f"{name} is a moment in seconds since 1970, {comparison.limit:g} is an age"
        _add(context, comparison, message, f"time() - {name} > N, or {name} - time() < N for what is still to come")


def _ratio(context: Context, comparison: Comparison) -> None:
    if comparison.limit >= 2:
        message = f"{_name(comparison.vector)} is a ratio, {comparison.limit:g} looks like percent"
        _add(context, comparison, message, f"write {comparison.limit / 100:g}")


def _quotient(context: Context, comparison: Comparison) -> None:
    """Of two values of one unit: of a part and its whole for certain, else where the threshold is far from one."""
    division = next(node for node in walk(comparison.vector) if isinstance(node, Binary) and node.operator == "/")
    whole = any(isinstance(node, VectorSelector) and _WHOLE.search(node.metric) for node in walk(division.right))
    if (2 if whole else 5) <= comparison.limit <= 100:
        message = (
            f"a quotient of two values of one unit is compared with {comparison.limit:g}, which looks like percent"
        )
        _add(context, comparison, message, f"write {comparison.limit / 100:g}, or multiply the quotient by 100")


def _share(context: Context, comparison: Comparison) -> None:
    if 1 < comparison.limit <= 100:
        message = f"a share of events is at most 1, {comparison.limit:g} looks like percent"
        _add(context, comparison, message, f"write {comparison.limit / 100:g}, or multiply the share by 100")


def _percent(context: Context, comparison: Comparison) -> None:
    if 0.5 <= comparison.limit < 1 and comparison.operator in {">", ">="}:
        message = f"the value is in percent, {comparison.limit:g} looks like a ratio"
        _add(context, comparison, message, f"write {comparison.limit * 100:g}")


def _bytes(context: Context, comparison: Comparison) -> None:
    if comparison.limit < 100:
        message = f"{_name(comparison.vector)} is in bytes, {comparison.limit:g} looks like a larger unit"
        _add(context, comparison, message, "multiply it by 1024 * 1024")


def _seconds(context: Context, comparison: Comparison) -> None:
    parts = list(walk(comparison.vector))
    is_quantile = any(isinstance(part, Call) and part.name == "histogram_quantile" for part in parts)
    is_request = any(isinstance(part, VectorSelector) and _REQUEST.search(part.metric) for part in parts)
    if is_quantile and is_request and 100 <= comparison.limit < math.inf:
        message = f"the time of a request is in seconds, {comparison.limit:g} looks like milliseconds"
        _add(context, comparison, message, f"write {comparison.limit / 1000:g}")


_JUDGES: dict[str, Callable[[Context, Comparison], None]] = {
    "timestamp": _timestamp,
    "ratio": _ratio,
    "quotient": _quotient,
    "share": _share,
    "percent": _percent,
    "bytes": _bytes,
    "seconds": _seconds,
}


def _name(node: Expr) -> str:
    return next((part.metric for part in walk(node) if isinstance(part, VectorSelector)), "the value")


# -- the units of values


def _units(context: Context) -> dict[int, str]:
    """The unit of each node that has a known one, by the node's id.

    Beside units there are "quotient" (of two values of one unit), "share" (of events, never above 1) and "percent".
    """
    units: dict[int, str] = {}
    has_unit = any(_of_selector(context, node, units) for node in context.all(VectorSelector))
    if not has_unit and "/" not in context.rule.expr:
        return units
    for node in reversed(context.nodes):  # operands before what is made of them
        unit = _READERS[type(node)](context, node, units) if type(node) in _READERS else ""
        if unit:
            units[id(node)] = unit
    return units


def _of_selector(context: Context, node: VectorSelector, _units: dict[int, str]) -> str:
    """From the contract, else from the name; a moment is in seconds too, and only its name tells."""
    described = context.metric(node.metric)
    unit = described.unit if described is not None else ""
    name = _RECORDED.sub(r"\1", node.metric)
    if unit in {"", "seconds"} and _TIMESTAMP.search(name):
        return "timestamp"
    if unit:
        return _NAMES.get(unit, unit)
    found = _SUFFIX.search(name)
    return "" if found is None else _NAMES.get(found[1], found[1])


def _of_operand(_context: Context, node: Expr, units: dict[int, str]) -> str:
    operand = same_unit(node)
    unit = units.get(id(operand), "")
    if isinstance(node, Aggregation) and node.operator == "sum" and unit not in {"bytes", "seconds"}:
        return ""  # of ratios or moments: no such thing any more
    return unit


def _of_call(context: Context, node: Call, units: dict[int, str]) -> str:
    if node.name in {"time", "timestamp"}:
        return "timestamp"
    if node.name == "histogram_quantile":
        return next((units[id(part)] for part in walk(node.arguments[1]) if id(part) in units), "")
    if node.name == "increase":
        return units.get(id(node.arguments[0]), "")
    return _of_operand(context, node, units)


def _of_binary(_context: Context, node: Binary, units: dict[int, str]) -> str:
    left, right = units.get(id(node.left), ""), units.get(id(node.right), "")
    if node.operator in COMPARISONS | {"and", "unless"}:
        return "" if node.return_bool else right if node.left.type == "scalar" else left
    if (found := scaled(node)) is not None:
        operand, number = found
        is_divisor = node.operator == "/" and operand is node.right
        return "" if is_divisor else _with_number(node.operator, units.get(id(operand), ""), number)
    if node.operator == "/":
        return _of_division(node, units)
    if node.operator == "-" and left == right == "timestamp":
        return "seconds"
    return left if left == right and node.operator in {"+", "-", "or"} else ""


def _with_number(operator: str, unit: str, number: float) -> str:
    if operator in {"*", "/"}:
        percent = unit in {"ratio", "quotient", "share"} and (operator, number) in {("*", 100), ("/", 0.01)}
        return "percent" if percent else unit if number == 1 else ""
    return unit if operator in {"+", "-"} else ""


def _of_division(node: Binary, units: dict[int, str]) -> str:
    (left, factor), (right, divisor) = factored(node.left), factored(node.right)
    if (units.get(id(left)) == units.get(id(right)) == "bytes" and not _has_offset(node)) or _is_part(left, right):
        unit = "quotient"
    elif _is_share(left, right):
        unit = "share"
    else:
        return ""
    return _with_number("*", unit, factor / divisor)


def _has_offset(node: Expr) -> bool:
    """The same at another time: how many times as much."""
    return any(
        isinstance(part, VectorSelector | Subquery) and part.modifiers is not None and part.modifiers.offset is not None
        for part in walk(node)
    )


def _is_part(left: Expr, right: Expr) -> bool:
    """A gauge by the most that it can be: `open_fds / max_fds`."""
    part, whole = under_aggregations(left), under_aggregations(right)
    return isinstance(part, VectorSelector) and isinstance(whole, VectorSelector) and bool(_MOST.search(whole.metric))


def _is_share(left: Expr, right: Expr) -> bool:
    """Some events of a metric by all of them: `requests{status=~"5.."} / requests`, both counted the same way."""
    found = corresponding_selectors(left, right)
    return found is not None and matchers_of(found[0]) > matchers_of(found[1])


_READERS: dict[type, Callable[[Context, Any, dict[int, str]], str]] = {
    Aggregation: _of_operand,
    Binary: _of_binary,
    Call: _of_call,
    MatrixSelector: _of_operand,
    Paren: _of_operand,
    Subquery: _of_operand,
    Unary: _of_operand,
    VectorSelector: _of_selector,
}
