# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts on two windows: a long one that makes sure, and a short one that ends the alert when the cause has gone.

What makes such a pair work: the short window is about a twelfth of the long one, both are compared with the same
threshold, and both look at the same thing. See "Alerting on SLOs" in Google's SRE workbook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..._promql.literals import format_duration, parse_duration
from ..._promql.nodes import Binary, Expr, MatrixSelector, Number, VectorSelector, strip_parens, walk
from ..._promql.shapes import matchers_of
from ..context import Context, thresholds

_WINDOW = re.compile(r"(?<=[a-z_])([0-9]+(?:ms|[smhdw]))$")
_RATIO = (6.0, 24.0)
"""How many times longer the long window may be: the usual pairs are 1h/5m, 6h/30m, 1d/2h and 3d/6h."""


def check(context: Context) -> None:
    for pair in _pairs(context.tree):
        sides = [list(thresholds(side)) for side in pair]
        if any(len(found) != 1 for found in sides):
            continue
        first, second = sides[0][0], sides[1][0]
        windows = _window(first.vector), _window(second.vector)
        if None in windows or windows[0] == windows[1] or first.operator != second.operator:
            continue
        if _shape(first.vector) != _shape(second.vector):
            continue
        short, long = sorted(window for window in windows if window is not None)
        if 0 in {first.limit, second.limit}:
            continue  # "still going on"
        if first.limit != second.limit:
            context.add(
                "burn-rate-threshold",
                "warning",
                f"the windows of {format_duration(long)} and {format_duration(short)} are compared with"
                f" {first.limit:g} and {second.limit:g}: the pair ends early or late",
                second.vector,
                "compare both with one threshold",
            )
        elif not _RATIO[0] <= long / short <= _RATIO[1]:
            context.add(
                "burn-rate-windows",
                "info",
                f"the short window ({format_duration(short)}) is no twelfth of the long one ({format_duration(long)})",
                second.vector,
                "use pairs such as 1h and 5m, 6h and 30m, 3d and 6h",
            )


def _pairs(tree: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Both sides of every `and`, also below `or`."""
    pending = [tree]
    while pending:
        node = strip_parens(pending.pop())
        if isinstance(node, Binary) and node.operator in {"and", "or"}:
            pending += [node.right, node.left]
            if node.operator == "and":
                yield node.left, node.right


def _window(node: Expr) -> float | None:
    """The one window below the node, from its ranges or from the names of the records it uses."""
    found: set[float] = set()
    for part in walk(node):
        if isinstance(part, MatrixSelector) and isinstance(part.range, Number):
            found.add(part.range.value)
        elif isinstance(part, VectorSelector) and ":" in part.name and (window := _WINDOW.search(part.name)):
            found.add(parse_duration(window[1]))
    return found.pop() if len(found) == 1 else None


def _shape(node: Expr) -> list[object]:
    """What is looked at, without the windows."""
    return [
        (_WINDOW.sub("", part.name), sorted(matchers_of(part)))
        for part in walk(node)
        if isinstance(part, VectorSelector)
    ]
