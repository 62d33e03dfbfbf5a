# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queries of a dashboard, panel by panel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .json_values import mapping, mappings, number, text
from .model import DataSource, Json
from .variables import Chosen, substitute, substitute_all

EXPRESSION = {"type": "__expr__", "uid": "__expr__"}
# Their data come from elsewhere: another panel, Grafana itself.
BUILT_IN = {"-- Dashboard --", "-- Grafana --", "grafana", "datasource"}
MIXED = "-- Mixed --"
# Only a browser can turn these into a query.
BROWSER_ONLY = {"traceqlSearch", "serviceMap", "upload"}
DEFAULT_INTERVAL = 15_000
MAX_DATA_POINTS = 100
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
MAY_BE_EMPTY = re.compile(r"May be empty:\s*(?P<reason>[^\n]+)")


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel with queries. ``may_be_empty`` is the reason, empty where there is none."""

    dashboard: str
    id: int
    title: str
    may_be_empty: str
    queries: tuple[Json, ...]
    problems: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.dashboard}/{self.title or self.id}"


def every_panel(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The panels of a dashboard, also those in collapsed rows."""
    for _at, panel in mappings(dashboard.get("panels")):
        if panel.get("type") == "row":
            yield from (inner for _at, inner in mappings(panel.get("panels")))
        else:
            yield panel


def read_panels(
    title: str, dashboard: Mapping[str, Any], sources: Sequence[DataSource], chosen: Mapping[str, Chosen]
) -> list[Panel]:
    """The panels that have queries, with their variables resolved."""
    panels = []
    for raw in every_panel(dashboard):
        queries, problems = read_targets(raw, sources, chosen)
        if queries or problems:
            found = MAY_BE_EMPTY.search(text(raw.get("description")))
            reason = found["reason"].strip() if found else ""
            name = substitute(text(raw.get("title")), chosen)
            identity = int(number(raw.get("id")) or 0)
            panels.append(Panel(title, identity, name, reason, tuple(queries), tuple(problems)))
    return panels


def read_targets(
    panel: Mapping[str, Any], sources: Sequence[DataSource], chosen: Mapping[str, Chosen]
) -> tuple[list[Json], list[str]]:
    queries: list[Json] = []
    problems: list[str] = []
    for at, target in mappings(panel.get("targets")):
        uid = datasource_uid(target.get("datasource"), panel.get("datasource"), chosen)
        if target.get("hide") or uid in BUILT_IN:
            continue
        ref = text(target.get("refId")) or chr(ord("A") + at % 26)
        if uid == EXPRESSION["uid"]:
            queries.append({**target, "refId": ref, "datasource": EXPRESSION})
            continue
        source = find_source(uid, sources)
        if source is None:
            problems.append(f"query {ref} asks data source {uid}, which Grafana does not have")
        elif (kind := text(target.get("queryType"))) in BROWSER_ONLY:
            problems.append(f"query {ref} is of type {kind}, which only a browser can ask")
        else:
            queries.append(ready(target, ref, panel, source, chosen))
    return queries, problems


def datasource_uid(own: Any, panels: Any, chosen: Mapping[str, Chosen]) -> str:
    """A target's data source: its own, or the panel's. Old dashboards give a name in place of an object."""
    for reference in (own, panels):
        uid = text(mapping(reference).get("uid")) or text(reference)
        if uid and uid != MIXED:
            return substitute(uid, chosen)
    return ""


def find_source(name: str, sources: Sequence[DataSource]) -> DataSource | None:
    """By uid, or by name; the default data source where the name is empty."""
    if name in {"", "default"}:
        return next((source for source in sources if source.is_default), None)
    return next((source for source in sources if name in {source.uid, source.name}), None)


def ready(
    target: Mapping[str, Any], ref: str, panel: Mapping[str, Any], source: DataSource, chosen: Mapping[str, Chosen]
) -> Json:
    """A target as a browser would send it."""
    query: Json = substitute_all(dict(target), chosen)
    interval = max(
        milliseconds(source.options.get("timeInterval")) or DEFAULT_INTERVAL, milliseconds(panel.get("interval"))
    )
    query |= {
        "refId": ref,
        "datasource": {"type": source.type, "uid": source.uid},
        "intervalMs": interval,
        "maxDataPoints": MAX_DATA_POINTS,
    }
    if source.type == "prometheus":
        query["range"] = bool(query.get("range")) or not query.get("instant")
    return query


def milliseconds(duration: Any) -> int:
    """A duration such as 30s; a lower bound may be written as >30s."""
    found = re.fullmatch(r">?(\d+)(ms|[smhd])", str(duration or "").strip())
    return int(found[1]) * UNITS[found[2]] if found else 0
