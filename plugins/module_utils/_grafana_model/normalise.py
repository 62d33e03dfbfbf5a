# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two dashboards are the same: without what Grafana adds, fills in or renumbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from .model import Json

SERVER_FIELDS = {"id", "uid", "version", "iteration", "schemaVersion"}
# What a dashboard means that does not say it; Grafana writes these in when somebody saves (its dashboard schema).
DEFAULTS: Json = {
    "editable": True,
    "fiscalYearStartMonth": 0,
    "graphTooltip": 0,
    "liveNow": False,
    "preload": False,
    "style": "dark",
    "timezone": "browser",
}
PANEL_DEFAULTS: Json = {"repeatDirection": "h", "transparent": False}
BUILT_IN_ANNOTATIONS = "-- Grafana --"


def normalise(spec: Mapping[str, Any]) -> Json:
    """What of a dashboard is content."""
    kept = _without(spec, DEFAULTS, SERVER_FIELDS)
    kept["panels"] = _panels(spec.get("panels"))
    kept["tags"] = sorted(map(str, spec.get("tags") or []))
    kept["annotations"] = _annotations(spec.get("annotations"))
    without: Json = _without_empty(kept)
    return without


def digest(spec: Mapping[str, Any]) -> str:
    """A short fingerprint of the content."""
    return hashlib.sha256(json.dumps(normalise(spec), sort_keys=True).encode()).hexdigest()[:16]


def _without(node: Mapping[str, Any], defaults: Mapping[str, Any], names: Collection[str]) -> Json:
    """A copy without some fields, and without those that only say the default. True is not 1 here."""
    return {
        name: value
        for name, value in node.items()
        if name not in names and not (name in defaults and json.dumps(value) == json.dumps(defaults[name]))
    }


def _panels(panels: Any) -> list[Any]:
    """By place: the order in the list is only that of the last save."""
    if not isinstance(panels, list):
        return []
    return sorted((_panel(panel) for panel in panels), key=_place)


def _place(panel: Any) -> tuple[float, float]:
    grid = panel.get("gridPos") if isinstance(panel, dict) else None
    y, x = (grid.get("y"), grid.get("x")) if isinstance(grid, dict) else (0, 0)
    return (y, x) if isinstance(y, (int, float)) and isinstance(x, (int, float)) else (0, 0)


def _panel(panel: Any) -> Any:
    if not isinstance(panel, Mapping):
        return panel
    kept = _without(panel, PANEL_DEFAULTS, {"id"})
    if "panels" in kept:
        kept["panels"] = _panels(kept["panels"])
    return kept


def _annotations(annotations: Any) -> Any:
    """Without the query that every dashboard has: the annotations that users draw on it."""
    if not isinstance(annotations, Mapping) or not isinstance(annotations.get("list"), list):
        return annotations
    return {**annotations, "list": [query for query in annotations["list"] if not _is_built_in(query)]}


def _is_built_in(query: Any) -> bool:
    if not isinstance(query, Mapping) or not query.get("builtIn"):
        return False
    source = query.get("datasource")
    return (source.get("uid") if isinstance(source, Mapping) else source) == BUILT_IN_ANNOTATIONS


def _without_empty(node: Any) -> Any:
    """Leave out null and empty values: Grafana fills in some of them and drops others. False and 0 say something."""
    if isinstance(node, dict):
        kept = {}
        for name, value in node.items():
            # Most of a dashboard's values are texts and numbers, which are looked at here and not by a call each.
            small = _without_empty(value) if isinstance(value, (dict, list)) else value
            if small or isinstance(small, (int, float)):
                kept[name] = small
        return kept
    if isinstance(node, list):
        return [_without_empty(item) for item in node]
    return node
