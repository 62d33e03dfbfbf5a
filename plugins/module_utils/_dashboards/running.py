# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which panels and variables ask only for services that a site does not run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._contract.running import Running
from .._grafana_model.json_values import mapping, text
from .._grafana_model.panels import Panel
from .._grafana_model.variables import label_values
from .._logql import parse as parse_logql
from .._logql.nodes import LogQuery, walk
from .._promql import parse as parse_promql
from .._promql.errors import QueryError
from .expand import expansions

SERVICE_LABELS = ("service_name", "service", "job", "app", "container")
"""Labels of Loki's streams that may name a service."""
NOT_RUN = "what it asks for does not run here, as the list of services says"


def excused(panel: Panel, running: Running) -> Panel:
    """The panel; it may be empty where all of its queries ask Prometheus or Loki for what does not run."""
    if not panel.queries or panel.may_be_empty or any(_is_fed(query, running) for query in panel.queries):
        return panel
    return replace(panel, may_be_empty=NOT_RUN)


def is_variable_fed(variable: Mapping[str, Any], running: Running) -> bool:
    """Whether a variable's query may find something: anything but a query of Prometheus for what does not run."""
    query = text(variable.get("query")) or text(mapping(variable.get("query")).get("query"))
    listed = label_values(query)
    return _may_find(listed[0] if listed else query, _of_metrics(running))


def _is_fed(query: Mapping[str, Any], running: Running) -> bool:
    asks = {"prometheus": _of_metrics, "loki": _of_logs}.get(text(mapping(query.get("datasource")).get("type")))
    return asks is None or _may_find(text(query.get("expr")), asks(running))


def _may_find(expr: str, is_fed: Callable[[str], bool]) -> bool:
    """True also for what is no query."""
    for expansion in expansions(expr, {}):
        try:
            return is_fed(expansion)
        except QueryError:
            continue
    return True


def _of_metrics(running: Running) -> Callable[[str], bool]:
    return lambda expr: running.is_fed(parse_promql(expr))


def _of_logs(running: Running) -> Callable[[str], bool]:
    return lambda expr: any(
        _has_writer(node, running) for node in walk(parse_logql(expr)) if isinstance(node, LogQuery)
    )


def _has_writer(query: LogQuery, running: Running) -> bool:
    by_label = ([matcher for matcher in query.matchers if matcher.name == label] for label in SERVICE_LABELS)
    return all(running.may_be(matchers) for matchers in by_label)
