# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One panel of a spec, compiled to Grafana's JSON."""

from __future__ import annotations

from typing import Any

from ..._contract.model import Contract
from . import objectives
from .series import LABEL, names
from .variables import datasource

Object = dict[str, Any]

# Okabe and Ito's colours, which colour-blind eyes can distinguish.
GOOD, WARNING, CRITICAL = "#009E73", "#E69F00", "#D55E00"
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
SERVICE_LABELS = ("job", "service", "service_name")
INSTANT = {"table", "bargauge"}
WITHOUT_UNIT = {"table", "logs"}
NO_DATA = "No data in this time range"

OPTIONS: dict[str, Object] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "value",
        "graphMode": "area",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "bargauge": {
        "displayMode": "basic",
        "orientation": "horizontal",
        "valueMode": "text",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "heatmap": {"calculate": False, "color": {"mode": "scheme", "scheme": "Viridis", "steps": 64}},
    "table": {"showHeader": True, "cellHeight": "sm"},
    "logs": {
        "showTime": True,
        "wrapLogMessage": True,
        "enableLogDetails": True,
        "sortOrder": "Descending",
        "dedupStrategy": "none",
    },
}


def panel(identity: int, spec: Object, place: Object, dashboard: Object, contract: Contract) -> Object:
    """One panel at its place."""
    kind = spec.get("type", "timeseries")
    queries = expanded(spec["queries"], contract)
    compiled: Object = {
        "id": identity,
        "type": kind,
        "title": spec["title"],
        "description": description(spec),
        "gridPos": place,
        "datasource": datasource(queries[0].get("source", "prometheus")),
        "targets": [target(index, query, kind, contract) for index, query in enumerate(queries)],
        "fieldConfig": {
            "defaults": defaults(spec, kind, queries, dashboard),
            "overrides": overrides(kind, queries, contract),
        },
        "options": OPTIONS[kind] | ({"yAxis": {"unit": spec["unit"]}} if kind == "heatmap" else {}),
    }
    if kind == "table":
        if queries[0].get("source") == "tempo":
            compiled["options"] = OPTIONS[kind] | {"sortBy": [{"displayName": "Duration", "desc": True}]}
        else:
            compiled["transformations"] = columns(spec, queries)
    return compiled


def expanded(queries: list[Object], contract: Contract) -> list[Object]:
    """The queries, those of objectives written out."""
    found: list[Object] = []
    for query in queries:
        if "slo" in query:
            found += objectives.queries(contract, query["slo"], query.get("service", ""))
        else:
            found.append(query)
    return found


def description(spec: Object) -> str:
    """What it shows and, where it may be empty, why: `dashboards_verify` reads that line."""
    text = " ".join(spec["description"].split())
    return f"{text}\n\nMay be empty: {spec['may_be_empty']}" if "may_be_empty" in spec else text


def target(index: int, query: Object, kind: str, contract: Contract) -> Object:
    """A query in the team's names; one line, as Grafana's editor likes it."""
    source = query.get("source", "prometheus")
    expr = " ".join(query["expr"].split())
    compiled: Object = {"refId": chr(ord("A") + index), "datasource": datasource(source)}
    if source == "tempo":
        return compiled | {"queryType": "traceql", "query": expr, "tableType": "traces", "limit": 100}
    compiled |= {"editorMode": "code", "expr": contract.names.apply(expr) if source == "prometheus" else expr}
    compiled["legendFormat"] = query.get("legend", "__auto")
    instant = kind in INSTANT or bool(query.get("instant"))
    if source == "loki":
        return compiled | {"queryType": "instant" if instant else "range"}
    compiled |= {"instant": instant, "range": not instant}
    if kind == "heatmap":
        compiled["format"] = "heatmap"
    elif kind == "table":
        compiled["format"] = "table"
    elif kind == "timeseries" and "_bucket" in expr:
        compiled["exemplar"] = True
    return compiled


def defaults(spec: Object, kind: str, queries: list[Object], dashboard: Object) -> Object:
    compiled: Object = {
        "noValue": spec.get("no_data", NO_DATA),
        "thresholds": thresholds(spec.get("thresholds", {})),
        "color": {"mode": "thresholds" if kind in {"stat", "bargauge"} else "palette-classic-by-name"},
        "links": [link(name, spec, queries, dashboard) for name in links(spec, kind, queries, dashboard)],
    }
    if "unit" in spec:
        compiled["unit"] = spec["unit"]
    if kind not in WITHOUT_UNIT:
        compiled["min"] = spec.get("min", 0)
    if "max" in spec:
        compiled["max"] = spec["max"]
    if "decimals" in spec:
        compiled["decimals"] = spec["decimals"]
    if "states" in spec:
        texts = {
            str(value): {"text": text, "index": place} for place, (value, text) in enumerate(spec["states"].items())
        }
        compiled["mappings"] = [{"type": "value", "options": texts}]
    if kind == "timeseries":
        compiled["custom"] = {
            "fillOpacity": 60 if spec.get("stacked") else 10,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if spec.get("stacked") else "none"},
            "thresholdsStyle": {"mode": "dashed" if spec.get("thresholds") else "off"},
        }
    return compiled


def thresholds(spec: Object) -> Object:
    """Colours from the lowest value up; where low is bad, the worst comes first."""
    levels = [(spec[level], color) for level, color in (("warning", WARNING), ("critical", CRITICAL)) if level in spec]
    if spec.get("low"):
        rising = sorted(levels)
        colors = [*(color for value, color in rising), GOOD]
        steps = list(zip([None, *(value for value, color in rising)], colors, strict=True))
    else:
        steps = [(None, GOOD), *levels]
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


def overrides(kind: str, queries: list[Object], contract: Contract) -> list[Object]:
    """Each series whose name is known its colour, each column its title and unit."""
    if kind == "table":
        alone = len(queries) == 1
        return [
            {
                "matcher": {"id": "byName", "options": "Value" if alone else f"Value #{chr(ord('A') + index)}"},
                "properties": [
                    {"id": "displayName", "value": query["column"]},
                    {"id": "unit", "value": query.get("unit", "short")},
                ],
            }
            for index, query in enumerate(queries)
            if "column" in query
        ]
    if kind != "timeseries":
        return []
    named = [name for query in queries for name in names(query, contract)]
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": SERIES[place % len(SERIES)]}}],
        }
        for place, name in enumerate(named)
    ]


def columns(spec: Object, queries: list[Object]) -> list[Object]:
    """One row for each set of labels, their names as the description wants them, without the time."""
    titles = spec.get("columns", {})
    order = {name: place for place, name in enumerate(titles)}
    organize = {"excludeByName": {"Time": True}, "renameByName": titles, "indexByName": order}
    merge = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    return [*merge, {"id": "organize", "options": organize}]


def links(spec: Object, kind: str, queries: list[Object], dashboard: Object) -> list[str]:
    """The panel's own, and those of the whole dashboard; lines and traces lead on by themselves."""
    own: list[str] = spec.get("links", [])
    if kind == "logs" or queries[0].get("source") == "tempo":
        return own
    return [*own, *(name for name in dashboard.get("links", []) if name not in own)]


def link(name: str, spec: Object, queries: list[Object], dashboard: Object) -> Object:
    """A data link to another dashboard, at the same time and about the same service; `service` is the service's own."""
    service = of_series(spec, queries) or dashboard.get("service", "")
    query = ["${__url_time_range}"]
    if "namespace" in dashboard["variables"] and name != "traces":
        query.append("${namespace:queryparam}")
    if service and name in {"logs", "traces"}:
        query.append(f"var-{'service' if name == 'logs' else 'traced'}={service}")
    title = "This service" if name == "service" else name.replace("-", " ").capitalize()
    uid = service if name == "service" else name
    return {"title": title, "url": f"/d/ias-{uid}?{'&'.join(query)}"}


def of_series(spec: Object, queries: list[Object]) -> str:
    """The service that a series or a table's row is about, as Grafana writes it; empty where none is."""
    for label in SERVICE_LABELS:
        if label in spec.get("columns", {}):
            return f"${{__data.fields.{spec['columns'][label]}}}"
        if any(label in LABEL.findall(query.get("legend", "")) for query in queries):
            return f"${{__field.labels.{label}}}"
    return ""
