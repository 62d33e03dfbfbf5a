# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges that hold too few points."""

from __future__ import annotations

from ..._promql.nodes import Call, Duration, MatrixSelector, Number, Subquery
from ..._promql.printer import duration_text
from ..._promql.shapes import COUNTER_FUNCTIONS
from ..context import Context

_NEEDS_SCRAPES = COUNTER_FUNCTIONS | {"delta", "deriv"}
_ENOUGH = 4
"""Scrapes in a range: two are needed, one may fail, and one lies at the edge."""


def check(context: Context) -> None:
    _scrapes(context)
    for node in context.all(Subquery):
        _step(context, node)


def _scrapes(context: Context) -> None:
    """Said once of each range, however many selectors have it."""
    scrape = context.scrape_interval
    short: dict[float, MatrixSelector] = {}
    for call in context.all(Call):
        if call.name in _NEEDS_SCRAPES and isinstance(node := call.arguments[0], MatrixSelector):
            seconds = _seconds(node.range)
            if seconds is not None and seconds < _ENOUGH * scrape:
                short.setdefault(seconds, node)
    for node in short.values():
        context.add(
            "range-vs-scrape",
            "warning",
            f"a range of {duration_text(node.range)} holds fewer than four scrapes ({scrape:g} s apart):"
            " one that fails leaves a gap",
            node,
            f"use at least {duration_text(Number(_ENOUGH * scrape, 0, 0, is_duration=True))},"
            " or state the scrape_interval of these metrics",
        )


def _step(context: Context, node: Subquery) -> None:
    seconds, step = _seconds(node.range), None if node.step is None else _seconds(node.step)
    if seconds is not None and step is not None and step > seconds / 2:
        context.add(
            "subquery-step",
            "warning",
            f"a step of {duration_text(node.step) if node.step else ''} leaves fewer than two points in the range",
            node,
            "use a step of a tenth of the range",
        )


def _seconds(duration: Duration) -> float | None:
    return duration.value if isinstance(duration, Number) else None
