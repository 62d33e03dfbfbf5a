# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile a dashboard's short description into the JSON that Grafana 12 and 13 import, by hand too.

A description names title, uid, variables and rows of panels; the layout on Grafana's 24 columns, ids, data sources and
defaults are computed. See contracts/dashboards/README.md for its fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

COLUMNS = 24
SCHEMA_VERSION = 41
PANEL = {"width": 8, "height": 8}
STAT = {"width": 4, "height": 5}
# Okabe and Ito's colours: told apart by colour-blind eyes too.
GOOD, WARNING, CRITICAL = "#009E73", "#E69F00", "#D55E00"

PANEL_FIELDS = {
    "title",
    "description",
    "type",
    "unit",
    "queries",
    "thresholds",
    "width",
    "height",
    "no_data",
    "max",
    "links",
}
DASHBOARD_FIELDS = {"title", "uid", "description", "variables", "rows"}
TYPES = {"timeseries", "stat", "table", "heatmap"}

Object = dict[str, Any]


class SpecError(Exception):
    """A description that cannot be compiled; says which panel, and what is wrong."""


def datasource(kind: str) -> Object:
    return {"type": kind, "uid": f"${{{kind}}}"}


VARIABLES: dict[str, Object] = {
    "prometheus": {
        "type": "datasource",
        "query": "prometheus",
        "label": "Metrics",
        "current": {"text": "Prometheus", "value": "prometheus"},
    },
    "loki": {"type": "datasource", "query": "loki", "label": "Logs", "current": {"text": "Loki", "value": "loki"}},
    "namespace": {"query": "label_values(http_requests_total, namespace)", "label": "Namespace"},
    "job": {"query": 'label_values(http_requests_total{namespace=~"$namespace"}, job)', "label": "Service"},
    "model": {"query": "label_values(router_requests_total, model)", "label": "Model"},
    "organization": {"query": "label_values(router_requests_total, organization)", "label": "Organization"},
}


def variable(name: str) -> Object:
    """One of the variables that all dashboards share; a query variable takes several values and All."""
    if name not in VARIABLES:
        raise SpecError(f"variable {name} is unknown; there are {', '.join(VARIABLES)}")
    made = {"name": name, "hide": 0, **VARIABLES[name]}
    if made.get("type") == "datasource":
        return made
    return made | {
        "type": "query",
        "datasource": datasource("prometheus"),
        "query": {"query": made["query"], "refId": name},
        "definition": made["query"],
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",  # Loki refuses a selector of which every matcher takes the empty value
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def thresholds(spec: Object) -> Object:
    steps: list[Object] = [{"color": GOOD, "value": None}]
    steps += [
        {"color": color, "value": spec[level]}
        for level, color in (("warning", WARNING), ("critical", CRITICAL))
        if level in spec
    ]
    return {"mode": "absolute", "steps": steps}


def target(index: int, query: Object, panel: str) -> Object:
    if not isinstance(query, dict) or "expr" not in query:
        raise SpecError(f"panel {panel}: a query needs expr")
    kind = query.get("source", "prometheus")
    heatmap = {"format": "heatmap"} if query.get("heatmap") else {}
    instant = {"instant": True, "range": False} if query.get("instant") else {"instant": False, "range": True}
    return {
        "refId": chr(ord("A") + index),
        "datasource": datasource(kind),
        "editorMode": "code",
        "expr": " ".join(query["expr"].split()),
        "legendFormat": query.get("legend", "__auto"),
        **instant,
        **heatmap,
    }


def panel(identity: int, spec: Object, place: Object) -> Object:
    """One panel at its place."""
    title = spec.get("title", "")
    kind = spec.get("type", "timeseries")
    if unknown := set(spec) - PANEL_FIELDS:
        raise SpecError(f"panel {title or identity}: unknown field {', '.join(sorted(unknown))}")
    if missing := [name for name in ("title", "description", "unit", "queries") if not spec.get(name)]:
        raise SpecError(f"panel {title or identity}: {', '.join(missing)} is missing")
    if kind not in TYPES:
        raise SpecError(f"panel {title}: type {kind} is not one of {', '.join(sorted(TYPES))}")
    queries = [query | {"heatmap": kind == "heatmap"} for query in spec["queries"]]
    defaults: Object = {
        "unit": spec["unit"],
        "min": 0,
        "noValue": spec.get("no_data", "no data"),
        "thresholds": thresholds(spec.get("thresholds", {})),
        "color": {"mode": "thresholds" if kind == "stat" else "palette-classic-by-name"},
        "links": spec.get("links", []),
    }
    if "max" in spec:
        defaults["max"] = spec["max"]
    if kind == "timeseries":
        line = "dashed" if spec.get("thresholds") else "off"
        defaults["custom"] = {"fillOpacity": 10, "showPoints": "never", "thresholdsStyle": {"mode": line}}
    return {
        "id": identity,
        "type": kind,
        "title": title,
        "description": spec["description"],
        "gridPos": place,
        "datasource": queries and datasource(queries[0].get("source", "prometheus")),
        "targets": [target(index, query, title) for index, query in enumerate(queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options(kind),
    }


def options(kind: str) -> Object:
    if kind == "stat":
        return {
            "colorMode": "value",
            "graphMode": "area",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
    if kind == "heatmap":
        return {
            "calculate": False,
            "color": {"mode": "scheme", "scheme": "Viridis", "steps": 64},
            "yAxis": {"unit": "s"},
        }
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def laid_out(rows: list[Object]) -> Iterator[Object]:
    """Panels from left to right, a new line where the next one does not fit; a row's header on top."""
    identity, y = 1, 0
    for row in rows:
        yield {
            "id": identity,
            "type": "row",
            "title": row["title"],
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
        }
        identity, x, y, tallest = identity + 1, 0, y + 1, 0
        for spec in row["panels"]:
            size = STAT if spec.get("type") == "stat" else PANEL
            width, height = spec.get("width", size["width"]), spec.get("height", size["height"])
            if not 1 <= width <= COLUMNS:
                raise SpecError(f"panel {spec.get('title')}: width {width} is not 1 to {COLUMNS}")
            if x + width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield panel(identity, spec, {"x": x, "y": y, "w": width, "h": height})
            identity, x, tallest = identity + 1, x + width, max(tallest, height)
        y += tallest


def compile_dashboard(spec: Object) -> Object:
    """The dashboard's JSON model. Raises SpecError."""
    if unknown := set(spec) - DASHBOARD_FIELDS:
        raise SpecError(f"unknown field {', '.join(sorted(unknown))}")
    if missing := sorted(DASHBOARD_FIELDS - set(spec)):
        raise SpecError(f"{', '.join(missing)} is missing")
    return {
        "uid": spec["uid"],
        "title": spec["title"],
        "description": spec["description"],
        "tags": ["ias"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [
            {
                "type": "dashboards",
                "tags": ["ias"],
                "title": "IAS Platform",
                "asDropdown": True,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "templating": {"list": [variable(name) for name in spec["variables"]]},
        "panels": list(laid_out(spec["rows"])),
    }


def text(model: Object) -> str:
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def compiled(source: Path) -> str:
    """The JSON text for a description's file. Raises SpecError with the file's name."""
    try:
        return text(compile_dashboard(yaml.safe_load(source.read_text())))
    except (SpecError, yaml.YAMLError) as error:
        raise SpecError(f"{source}: {error}") from None
