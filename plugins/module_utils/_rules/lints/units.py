# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Thresholds in another unit than what they are compared with.

Only where a metric is compared as it is: through arithmetic nobody can tell (`100 * a / b` may be anything).
"""

from __future__ import annotations

import re

from ..._promql.nodes import Aggregation, Call, Expr, MatrixSelector, Subquery, VectorSelector, strip_parens
from ..context import Context
from .conditions import thresholds

_SUFFIX = re.compile(r"_(bytes|ratio|timestamp)(?:_seconds)?$|^process_start_time_(seconds)$")
_KEEPS = frozenset({"sum", "avg", "max", "min", "topk", "bottomk", "quantile"})
_OVER_TIME = re.compile(r"(?:avg|max|min|last|quantile)_over_time")
_OLDEST = 1e9
"""Seconds since 1970: no timestamp that is watched is as old (2001)."""


def check(context: Context) -> None:
    for left, operator, number in thresholds(context.tree):
        metric = _compared(left)
        unit = _unit(context, metric) if metric else ""
        value = number.value
        if operator in {"==", "!="} or value <= 0:
            continue
        if unit == "timestamp" and value < _OLDEST:
            _add(
                context, left, f"{metric} is a moment in seconds since 1970, {value:g} an age", f"time() - {metric} > N"
            )
        elif unit == "ratio" and value >= 2:
            _add(context, left, f"{metric} is a ratio, {value:g} looks like percent", f"write {value / 100:g}")
        elif unit == "bytes" and value < 100:
            _add(
                context, left, f"{metric} is in bytes, {value:g} looks like a larger unit", "multiply it by 1024 * 1024"
            )


def _add(context: Context, node: Expr, message: str, hint: str) -> None:
    context.add("unit-mismatch", "warning", message, node, hint)


def _unit(context: Context, metric: str) -> str:
    """From the contract, else from the name."""
    contract = context.index.contract
    described = contract.metrics.get(metric) if contract is not None else None
    if described is not None and described.unit:
        return described.unit
    found = _SUFFIX.search(metric)
    return "" if found is None else found[1] or "timestamp"


def _compared(node: Expr) -> str:
    """The metric whose plain value is compared; "" where something is calculated."""
    node = strip_parens(node)
    while not isinstance(node, VectorSelector):
        if isinstance(node, Aggregation) and node.operator in _KEEPS:
            node = strip_parens(node.expr)
        elif isinstance(node, Call) and _OVER_TIME.fullmatch(node.name):
            node = strip_parens(node.arguments[-1])
        elif isinstance(node, MatrixSelector):
            node = node.vector
        elif isinstance(node, Subquery):
            node = strip_parens(node.expr)
        else:
            return ""
    return node.metric
