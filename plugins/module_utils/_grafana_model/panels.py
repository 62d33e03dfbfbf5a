# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dashboard asks of its data sources, panel by panel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """A panel with something to ask. ``may_be_empty`` is the reason, empty where there is none."""

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
    for panel in dashboard.get("panels") or []:
        if panel.get("type") == "row":
            yield from panel.get("panels") or []
        else:
            yield panel


def read_panels(
    title: str, dashboard: Mapping[str, Any], sources: Sequence[DataSource], chosen: Mapping[str, Chosen]
) -> list[Panel]:
    """The panels that ask something, with their variables resolved."""
    panels = []
    for raw in every_panel(dashboard):
        queries, problems = read_targets(raw, sources, chosen)
        if queries or problems:
            found = MAY_BE_EMPTY.search(raw.get("description") or "")
            reason = found["reason"].strip() if found else ""
            name = substitute(raw.get("title") or "", chosen)
            panels.append(Panel(title, raw.get("id", 0), name, reason, tuple(queries), tuple(problems)))
    return panels


def read_targets(
    panel: Mapping[str, Any], sources: Sequence[DataSource], chosen: Mapping[str, Chosen]
) -> tuple[list[Json], list[str]]:
    queries: list[Json] = []
    problems: list[str] = []
    for number, target in enumerate(panel.get("targets") or []):
        wanted = datasource_uid(target.get("datasource"), panel.get("datasource"), chosen)
        if target.get("hide") or wanted in BUILT_IN:
            continue
        ref = target.get("refId") or chr(ord("A") + number)
        if wanted == EXPRESSION["uid"]:
            queries.append({**target, "refId": ref, "datasource": EXPRESSION})
            continue
        source = find_source(wanted, sources)
        if source is None:
            problems.append(f"query {ref} asks data source {wanted}, which Grafana does not have")
        elif target.get("queryType") in BROWSER_ONLY:
            problems.append(f"query {ref} is of type {target['queryType']}, which only a browser can ask")
        else:
            queries.append(ready(target, ref, panel, source, chosen))
    return queries, problems


def datasource_uid(own: Any, panels: Any, chosen: Mapping[str, Chosen]) -> str:
    """A target's data source: its own, or the panel's. Old dashboards give a name in place of an object."""
    for reference in (own, panels):
        uid = reference.get("uid") if isinstance(reference, Mapping) else reference
        if uid and uid != MIXED:
            return substitute(str(uid), chosen)
    return ""


def find_source(wanted: str, sources: Sequence[DataSource]) -> DataSource | None:
    """By uid, or by name; the default one where nothing is named."""
    if wanted in {"", "default"}:
        return next((source for source in sources if source.is_default), None)
    return next((source for source in sources if wanted in {source.uid, source.name}), None)


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
