# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables and data sources: what is named has to exist, what exists has to be used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._findings import did_you_mean
from .._grafana_model.json_values import mapping, mappings, text
from .._grafana_model.variables import REFERENCE
from .expand import references
from .json_positions import Path
from .model import ADHOC, NO_SOURCE, Dashboard, Panel, Target
from .report import DashboardReport

_BUILT_IN_SOURCES = frozenset({"-- Grafana --", "-- Dashboard --", "grafana", "datasource", "__expr__"})
_QUERY_KEYS = ("expr", "query", "rawSql", "legendFormat", "target", "alias")
_EQUALS = re.compile(rf"(?<![=!~<>|])([!|]?=)\s*[\"'`](?:{REFERENCE.pattern})[\"'`]")
_MOST_HINTS = 20
_AS_PATTERN = {"=": "=~", "!=": "!~", "|=": "|~"}


@dataclass(frozen=True, slots=True)
class Source:
    """A data source that the Grafana at hand has."""

    uid: str
    name: str = ""
    type: str = ""


def check(dashboard: Dashboard, sources: Sequence[Source] | None, report: DashboardReport) -> None:
    inputs = {text(item.get("name")) for _at, item in mappings(dashboard.raw.get("__inputs"))}
    known = set(dashboard.variables) | inputs
    undefined: set[str] = set()
    for path, panel, value in _queried(dashboard):
        for name, how in references(value):
            if name not in known and name not in undefined and not name.startswith("__"):
                undefined.add(name)
                report.add(
                    "dashboards/undefined-variable",
                    "error",
                    f"no variable is called {name!r}: ${name} is sent as it is written",
                    hint=did_you_mean(name, sorted(known)) if len(undefined) <= _MOST_HINTS else "",
                    path=path,
                    panel=panel,
                )
            elif name in known and how == "csv" and "=~" in value:
                _format(name, path, panel, report)
    for panel in dashboard.panels:
        _repeat(dashboard, panel, report)
        for target in panel.targets:
            if target.language != "other":
                _equals(dashboard, panel, target, report)
    _unused(dashboard, report)
    _sources(dashboard, sources, inputs, report)


def _queried(dashboard: Dashboard) -> Iterator[tuple[Path, Panel | None, str]]:
    """Every text that a data source is asked with."""
    for panel in dashboard.panels:
        for target in panel.targets:
            for key in _QUERY_KEYS:
                value = text(target.raw.get(key))
                if value:
                    yield (*target.path, key), panel, value
            if target.source:
                yield (*target.path, "datasource"), panel, target.source
    for variable in dashboard.variables.values():
        if variable.type == "query":
            query = variable.raw.get("query")
            yield (*variable.path, "query"), None, text(query) or text(mapping(query).get("query"))


def _format(name: str, path: Path, panel: Panel | None, report: DashboardReport) -> None:
    report.add(
        "dashboards/variable-format",
        "warning",
        f"${{{name}:csv}} inside a regular expression matches only one value with commas in it",
        hint=f"write ${{{name}:pipe}} or ${{{name}:regex}}",
        path=path,
        panel=panel,
    )


def _repeat(dashboard: Dashboard, panel: Panel, report: DashboardReport) -> None:
    name = text(panel.raw.get("repeat"))
    if not name:
        return
    variable = dashboard.variables.get(name)
    if variable is None:
        message = f"the panel repeats by {name!r}, which is no variable"
        report.add("dashboards/undefined-variable", "error", message, path=(*panel.path, "repeat"), panel=panel)
    elif not variable.is_multi:
        report.add(
            "dashboards/repeat-single",
            "info",
            f"the panel repeats by {name!r}, which has only one value at a time",
            hint="let the variable have several values",
            path=(*panel.path, "repeat"),
            panel=panel,
        )


def _equals(dashboard: Dashboard, panel: Panel, target: Target, report: DashboardReport) -> None:
    found = {match[2] or match[3] or match[5]: match[1] for match in _EQUALS.finditer(target.query)}
    for name, operator in found.items():
        variable = dashboard.variables.get(name)
        if variable is not None and variable.is_multi:
            report.add(
                "dashboards/multi-value-equals",
                "warning",
                f'{operator}"${name}" finds nothing once two values are chosen',
                hint=f'write {_AS_PATTERN[operator]}"${name}"',
                path=target.query_path,
                panel=panel,
            )


def _unused(dashboard: Dashboard, report: DashboardReport) -> None:
    used = set(_names_in(dashboard.raw))
    for variable in dashboard.variables.values():
        if variable.type not in ADHOC and variable.name not in used:
            report.add(
                "dashboards/unused-variable",
                "warning",
                f"variable {variable.name!r} is used nowhere",
                hint="remove it, or use it in the queries",
                path=variable.path,
            )


def _names_in(node: Any) -> Iterator[str]:
    """Names of the variables anywhere in the dashboard."""
    pending = [node]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield from (name for name, _format in references(value))
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
            for key in ("repeat", "variable"):
                if isinstance(value.get(key), str):
                    yield value[key]


def _sources(dashboard: Dashboard, sources: Sequence[Source] | None, inputs: set[str], report: DashboardReport) -> None:
    if sources is None:
        return
    known = {name for source in sources for name in (source.uid, source.name)} | _BUILT_IN_SOURCES | NO_SOURCE
    types = {source.type for source in sources}
    for variable in dashboard.variables.values():
        kind = text(variable.raw.get("query"))
        if variable.type == "datasource" and kind and kind not in types:
            message = f"variable {variable.name!r} chooses among data sources of type {kind!r}, and Grafana has none"
            report.add("dashboards/datasource", "error", message, path=variable.path)
    reported: set[str] = set()
    for panel in dashboard.panels:
        for target in panel.targets:
            uid = target.source
            if uid in known or uid in reported or "$" in uid or uid in inputs:
                continue
            reported.add(uid)
            near = did_you_mean(uid, sorted(known - _BUILT_IN_SOURCES - {""})) if len(reported) <= _MOST_HINTS else ""
            report.add(
                "dashboards/datasource",
                "error",
                f"Grafana has no data source {uid!r}",
                hint=near or "use a variable of type datasource",
                path=(*target.path, "datasource"),
                panel=panel,
            )
