# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows over what happens only now and then: a job that runs once a day changes its counters once a day."""

from __future__ import annotations

from collections.abc import Iterator

from ..._promql.literals import format_duration
from ..._promql.nodes import Call, Expr, MatrixSelector, Number
from ..._promql.shapes import COUNTER_FUNCTIONS
from ..context import Context

_CHANGES = COUNTER_FUNCTIONS | {"delta", "idelta", "changes", "resets"}


def check(context: Context) -> None:
    if context.index.contract is None:
        return
    for comparison in context.thresholds:
        silent = comparison.operator in {"<", "<="} or (comparison.operator == "==" and comparison.limit == 0)
        for metric, window, period in _windows(context, comparison.vector):
            wrong = _when_silent if silent else _when_changed
            message = wrong(metric, window, period, context.rule.for_seconds)
            if message:
                context.add(
                    "rate-vs-period",
                    "warning",
                    message,
                    comparison.vector,
                    f"take a window wider than {format_duration(period)}" + ("" if silent else ", or leave out `for`"),
                )
                return


def _windows(context: Context, node: Expr) -> Iterator[tuple[str, float, float]]:
    """Metric, window and period (in seconds) of what counts changes below the node, or in what it is recorded from."""
    for part in context.index.parts(node):
        if isinstance(part, Call) and part.name in _CHANGES and isinstance(matrix := part.arguments[0], MatrixSelector):
            described = context.metric(matrix.vector.metric)
            if described is not None and described.period and isinstance(matrix.range, Number):
                yield described.name, matrix.range.value, described.period


def _when_changed(metric: str, window: float, period: float, for_seconds: float) -> str:
    """The value is other than zero for one window after each change."""
    if not for_seconds or window > period:
        return ""
    begin = f"{metric} changes every {format_duration(period)}: over {format_duration(window)} the value falls to zero"
    if for_seconds >= window:
        return f"{begin} before `for` ({format_duration(for_seconds)}) is over, so the alert never fires"
    return f"{begin} between two runs, so the alert resolves although nothing has got better"


def _when_silent(metric: str, window: float, period: float, for_seconds: float) -> str:
    """The value is zero from one window after a change until the next one."""
    if window + for_seconds > period:
        return ""
    return (
        f"{metric} changes every {format_duration(period)}: over {format_duration(window)} the value is zero between"
        " two runs, so the alert fires although nothing is wrong"
    )
