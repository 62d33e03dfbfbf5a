# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queries that follow from an objective (SLO) in services.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._contract.model import Contract
from ..._contract.objectives import Objective
from ..._promql.printer import quote

Object = dict[str, Any]


def good_share(objective: Objective, job: str, window: str) -> str:
    """PromQL: the share of what was good within the window, 0 to 1."""
    scope = f"job={quote(job)}"
    metric = objective.metric
    if objective.kind == "up":
        return f"avg(avg_over_time({metric}{{{scope}}}[{window}]))"
    if objective.kind == "histogram":
        good = f"sum(increase({metric}_bucket{{{scope}, {objective.bucket}}}[{window}]))"
        return f"({good} / sum(increase({metric}_count{{{scope}}}[{window}])))"
    bad = ", ".join(f"{label}=~{quote(pattern)}" for label, pattern in objective.bad)
    failed = f"(sum(increase({metric}{{{scope}, {bad}}}[{window}])) or vector(0))"
    return f"(1 - {failed} / sum(increase({metric}{{{scope}}}[{window}])))"


def budget_left(objective: Objective, job: str, window: str) -> str:
    """PromQL: the share of the error budget that is left, 1 when nothing failed, below 0 when it is overspent."""
    allowed = f"{1 - objective.percent / 100:.6g}"
    return f"1 - (1 - {good_share(objective, job, window)}) / {allowed}"


def queries(contract: Contract, name: str, only: str = "") -> Iterator[Object]:
    """What is left of each service's (or the named one's) budget of an objective, in the range shown."""
    for service in contract.services.values():
        for objective in service.objectives:
            if objective.name == name and only in {"", service.name} and service.job:
                about = objective.name.replace("_", " ") if only else service.name
                yield {
                    "expr": budget_left(objective, service.job, "$__range"),
                    "legend": f"{about} ({objective.percent:g} %)",
                    "instant": True,
                }
