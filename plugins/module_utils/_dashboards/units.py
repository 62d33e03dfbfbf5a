# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a query measures, from the names of its metrics, against the unit that a panel shows it in."""

from __future__ import annotations

import re
from collections.abc import Callable

from .._promql.nodes import Aggregation, Call, Expr, MatrixSelector, VectorSelector, strip_parens
from .._promql.shapes import PER_SECOND, same_unit

_SUFFIX = re.compile(r"_(bytes|seconds|ratio|celsius)(_total|_bucket|_sum)?$")
# every unit of a kind, and those that take the plain number
_KINDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    kind: (frozenset(right.split()), frozenset(f"{right} {wrong}".split()))
    for kind, right, wrong in (
        ("bytes", "bytes decbytes", "kbytes deckbytes mbytes decmbytes gbytes decgbytes tbytes dectbytes bits decbits"),
        ("bytes a second", "Bps binBps", "KBs KiBs MBs MiBs GBs GiBs bps binbps Kbits Mbits Gbits"),
        ("seconds", "s dtdurations clocks", "ms µs ns m h d dtdurationms clockms"),
        ("a ratio", "percentunit", "percent"),
    )
}
_ALL = frozenset(unit for _right, units in _KINDS.values() for unit in units)


def mismatch(tree: Expr, unit: str, unit_of: Callable[[str], str]) -> str:
    """What is wrong about the unit; "" when nothing is known to be. `unit_of` gives a metric's unit, or ""."""
    kind = kind_of(tree, unit_of)
    if not kind or unit not in _ALL or unit in _KINDS[kind][0]:
        return ""
    return f"the query gives {kind}, the panel shows them as {unit!r}"


def kind_of(tree: Expr, unit_of: Callable[[str], str]) -> str:
    """The kind of the values, where the query is plain enough; else ""."""
    node, per_second = tree, False
    while not isinstance(node, VectorSelector):
        if isinstance(node, Call) and node.name in PER_SECOND:
            per_second, node = True, node.arguments[0]
        elif isinstance(node, Call) and node.name == "increase":
            node = node.arguments[0]
        elif isinstance(node, Call) and node.name == "histogram_quantile":
            return _quantile(node, unit_of)
        elif (operand := same_unit(node)) is not None:
            node = operand
        else:
            return ""
    unit = unit_of(node.metric)
    if per_second:
        return "bytes a second" if unit == "bytes" else ""
    return _kind(unit)


def _quantile(node: Call, unit_of: Callable[[str], str]) -> str:
    inner = strip_parens(node.arguments[1])
    while not isinstance(inner, VectorSelector):
        if isinstance(inner, Aggregation):
            inner = strip_parens(inner.expr)
        elif isinstance(inner, MatrixSelector):
            inner = inner.vector
        elif isinstance(inner, Call) and inner.arguments:
            inner = strip_parens(inner.arguments[0])
        else:
            return ""
    return _kind(unit_of(inner.metric))


def _kind(unit: str) -> str:
    return {"bytes": "bytes", "seconds": "seconds", "ratio": "a ratio"}.get(unit, "")


def by_suffix(metric: str) -> str:
    """The unit in a metric's name, as Prometheus recommends to write it."""
    found = _SUFFIX.search(metric)
    return found[1] if found else ""
