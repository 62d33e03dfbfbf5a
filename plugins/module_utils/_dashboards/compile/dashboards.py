# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile a dashboard's spec to the JSON that Grafana 12 and 13 import, by hand too.

A spec has title, uid, variables and rows of panels; the layout on Grafana's 24 columns, ids, data sources, colours and
defaults are computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._contract.model import Contract
from ..layout import GRAFANA_12, GRID
from .panels import expanded, panel
from .variables import variable

SIZES = {"stat": (4, 5), "table": (12, 8), "logs": (24, 12), "heatmap": (12, 8)}
SIZE = (8, 8)

Object = dict[str, Any]


def lay_out(rows: list[Object], dashboard: Object, contract: Contract) -> Iterator[Object]:
    """Panels from left to right, a new line where the next one does not fit; a row's header on top."""
    identity, y = 1, 0
    for row in rows:
        yield {
            "id": identity,
            "type": "row",
            "title": row["title"],
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": y, "w": GRID, "h": 1},
        }
        identity, x, y, tallest = identity + 1, 0, y + 1, 0
        for spec in row["panels"]:
            width, height = SIZES.get(spec.get("type", ""), SIZE)
            width, height = spec.get("width", width), spec.get("height", height)
            if x + width > GRID:
                x, y, tallest = 0, y + tallest, 0
            yield panel(identity, spec, {"x": x, "y": y, "w": width, "h": height}, dashboard, contract)
            identity, x, tallest = identity + 1, x + width, max(tallest, height)
        y += tallest


def with_queries(rows: list[Object], contract: Contract) -> list[Object]:
    """The rows with the panels that ask for something: not for objectives of services that do not run."""
    asking = [
        {**row, "panels": [spec for spec in row["panels"] if expanded(spec["queries"], contract)]} for row in rows
    ]
    return [row for row in asking if row["panels"]]


def compile_dashboard(spec: Object, contract: Contract) -> Object:
    """The dashboard's JSON, of a spec that has the right form."""
    return {
        "uid": spec["uid"],
        "title": spec["title"],
        "description": spec["description"],
        "tags": ["ias"],
        "schemaVersion": GRAFANA_12,
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
        "templating": {"list": [variable(name, contract.names) for name in spec["variables"]]},
        "panels": list(lay_out(with_queries(spec["rows"], contract), spec, contract)),
    }
