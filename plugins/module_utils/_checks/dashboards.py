# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the dashboards show something?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._findings import Finding
from .._grafana_model.panels import Panel


def has_sample(result: Mapping[str, Any]) -> bool:
    """Whether a query's answer holds a real value: NaN and Inf are null there, and times are no samples."""
    return any(_frame_has_sample(frame) for frame in result.get("frames") or [])


def _frame_has_sample(frame: Mapping[str, Any]) -> bool:
    fields = (frame.get("schema") or {}).get("fields") or []
    columns = (frame.get("data") or {}).get("values") or []
    numbers = [column for field, column in zip(fields, columns, strict=False) if field.get("type") == "number"]
    others = [column for field, column in zip(fields, columns, strict=False) if field.get("type") != "time"]
    return any(value is not None for column in numbers or others for value in column)


def judge_panel(panel: Panel, results: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Every query of a panel is answered."""
    findings = [
        _about(panel, "dashboards/query-impossible", problem, "Correct the panel") for problem in panel.problems
    ]
    for query in panel.queries:
        result = results.get(query["refId"], {})
        if "error" in result or not result:
            reason = result.get("error") or "no answer"
            findings.append(
                _about(
                    panel,
                    "dashboards/query-failed",
                    f"query {query['refId']} failed: {reason}",
                    "Try the query in Grafana's Explore",
                    {"query": text_of(query)},
                )
            )
    return findings


def text_of(query: Mapping[str, Any]) -> str:
    return " ".join(str(query.get("expr") or query.get("query") or query.get("expression") or "").split())


def missing_dashboard(uid: str, title: str, folder: str) -> Finding:
    return Finding(
        "dashboards/missing",
        "error",
        f"folder {folder} has no dashboard with uid {uid}",
        "Run grafana_dashboards; Grafana's search may be a few seconds late",
        object=title,
    )


def empty_folder(folder: str) -> Finding:
    return Finding(
        "dashboards/none",
        "error",
        "there is no dashboard in it, or no such folder",
        "Run grafana_dashboards",
        object=folder,
    )


def unhealthy(name: str, message: str) -> Finding:
    return Finding(
        "datasources/unhealthy",
        "error",
        f"the data source does not work: {message}",
        "Check that the service behind its URL runs and can be reached from Grafana's pod",
        object=name,
    )


def unresolved(dashboard: str, variable: str, reason: str) -> Finding:
    return Finding(
        "dashboards/variable",
        "error",
        f"variable {variable} has no value: {reason}",
        "Check the variable's query and its data source",
        object=dashboard,
    )


def empty_panels(panels: Sequence[Panel]) -> list[dict[str, str]]:
    """The panels that may be empty, and why."""
    return [{"panel": panel.label, "reason": panel.may_be_empty} for panel in panels]


def _about(
    panel: Panel, finding_id: str, message: str, hint: str, evidence: Mapping[str, object] | None = None
) -> Finding:
    return Finding(finding_id, "error", message, hint, object=panel.label, evidence=evidence or {})
