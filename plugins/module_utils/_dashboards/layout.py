# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Panels as such: ids, titles, units, types, places on the grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._grafana_model.json_values import mapping, mappings, number, text
from .model import Dashboard, Panel
from .report import DashboardReport

GRID = 24
GRAFANA_12, GRAFANA_13 = 41, 42
"""Schema versions: each Grafana migrates older dashboards to its own, and refuses newer ones."""
_REMOVED = {
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-singlestat-panel": "stat",
    "grafana-piechart-panel": "piechart",
    "grafana-worldmap-panel": "geomap",
    "natel-discrete-panel": "state-timeline",
}
_WITHOUT_DATA = frozenset({"row", "text", "dashlist", "alertlist", "news", "annolist", "welcome", "pluginlist"})
_WITH_UNIT = frozenset({"timeseries", "stat", "gauge", "bargauge", "barchart", "histogram"})


def check(dashboard: Dashboard, report: DashboardReport) -> None:
    _schema(dashboard, report)
    _duplicates(dashboard, report)
    for panel in dashboard.panels:
        _panel(panel, report)
    top = [panel for panel in dashboard.panels if not panel.row]
    _grid(top, report)
    for row in {panel.row: None for panel in dashboard.panels if panel.row}:
        _grid([panel for panel in dashboard.panels if panel.row == row], report)


def _schema(dashboard: Dashboard, report: DashboardReport) -> None:
    version = dashboard.raw.get("schemaVersion")
    if not isinstance(version, int) or isinstance(version, bool):
        report.add(
            "dashboards/schema-version",
            "warning",
            "schemaVersion is missing or no whole number: Grafana migrates the dashboard from the oldest one",
            hint=f"{GRAFANA_12} is that of Grafana 12, {GRAFANA_13} that of Grafana 13",
            path=("schemaVersion",),
        )
    elif version > GRAFANA_13:
        message = f"schemaVersion {version} is newer than {GRAFANA_13}, that of Grafana 13"
        report.add("dashboards/schema-version", "warning", message, path=("schemaVersion",))
    elif version < GRAFANA_12:
        message = (
            f"schemaVersion {version} is older than {GRAFANA_12}, that of Grafana 12:"
            " Grafana migrates the dashboard each time it is opened"
        )
        report.add("dashboards/schema-version", "info", message, path=("schemaVersion",))


def _duplicates(dashboard: Dashboard, report: DashboardReport) -> None:
    seen: dict[str, Panel] = {}
    for panel in dashboard.panels:
        if panel.id is not None:
            first = seen.setdefault(repr(panel.id), panel)
            if first is not panel:
                report.add(
                    "dashboards/duplicate-id",
                    "warning",
                    f"the panel's id {panel.id} is also that of {first.name!r}: links and repeats go to one of them",
                    path=(*panel.path, "id"),
                    panel=panel,
                )
        refs: set[str] = set()
        for target in panel.targets:
            if target.ref in refs:
                report.add(
                    "dashboards/duplicate-ref",
                    "warning",
                    f"two queries have the refId {target.ref}: Grafana keeps one of them",
                    hint="name them A, B, C …",
                    path=target.path,
                    panel=panel,
                )
            refs.add(target.ref)


def _panel(panel: Panel, report: DashboardReport) -> None:
    if panel.type in _REMOVED:
        report.add(
            "dashboards/removed-panel",
            "warning",
            f"panel type {panel.type!r} was an Angular plugin, which Grafana 12 no longer has",
            hint=f"use {_REMOVED[panel.type]}",
            path=(*panel.path, "type"),
            panel=panel,
        )
    if panel.type in _WITHOUT_DATA or panel.raw.get("libraryPanel"):
        return
    if not panel.title.strip():
        report.add("dashboards/panel-title", "info", "the panel has no title", path=panel.path, panel=panel)
    if not text(panel.raw.get("description")).strip():
        report.add(
            "dashboards/panel-description",
            "info",
            "the panel has no description",
            hint="one sentence on what is good and what is bad",
            path=panel.path,
            panel=panel,
        )
    if panel.type in _WITH_UNIT and panel.targets and not units(panel.raw):
        report.add("dashboards/panel-unit", "info", "the panel has no unit", path=panel.path, panel=panel)


def units(raw: Mapping[str, Any]) -> list[str]:
    """The units of a panel: the default one, then those of overrides."""
    config = mapping(raw.get("fieldConfig"))
    found = [text(mapping(config.get("defaults")).get("unit"))]
    for _at, override in mappings(config.get("overrides")):
        found += [
            text(item.get("value")) for _i, item in mappings(override.get("properties")) if item.get("id") == "unit"
        ]
    return [unit for unit in found if unit]


# -- the grid


def _grid(panels: Iterable[Panel], report: DashboardReport) -> None:
    """Panels from top to bottom; `below` is, for each column, how far down it is taken, and by which panel."""
    below: list[tuple[float, Panel | None]] = [(0.0, None)] * GRID
    for y, x, width, height, panel in sorted(_boxes(panels, report), key=lambda box: box[:2]):
        columns = range(int(max(x, 0)), int(min(x + width, GRID)))
        other = next((owner for end, owner in (below[column] for column in columns) if end > y), None)
        if other is not None:
            report.add(
                "dashboards/panel-overlap",
                "warning",
                f"the panel lies over {other.name!r}: Grafana moves one of them",
                path=(*panel.path, "gridPos"),
                panel=panel,
            )
        for column in columns:
            below[column] = max(below[column], (y + height, panel), key=lambda taken: taken[0])


def _boxes(panels: Iterable[Panel], report: DashboardReport) -> list[tuple[float, float, float, float, Panel]]:
    boxes: list[tuple[float, float, float, float, Panel]] = []
    for panel in panels:
        position = mapping(panel.raw.get("gridPos"))
        if not position:
            continue
        x, y, width, height = (number(position.get(key)) for key in "xywh")
        if x is None or y is None or not width or not height or x < 0 or y < 0 or width < 0 or x + width > GRID:
            report.add(
                "dashboards/panel-outside",
                "warning",
                f"gridPos {dict(position)} is not within the {GRID} columns",
                path=(*panel.path, "gridPos"),
                panel=panel,
            )
        else:
            boxes.append((y, x, width, height, panel))
    return boxes
