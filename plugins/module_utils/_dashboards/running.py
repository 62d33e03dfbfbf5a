# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which panels and variables ask only for services that a site does not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._contract.running import Running
from .._grafana_model.json_values import mapping, text
from .._grafana_model.panels import Panel
from .._grafana_model.variables import label_values
from .._promql import PromQLError, parse
from .expand import expansions

NOT_RUN = "what it asks for does not run here, as the list of services says"


def excused(panel: Panel, running: Running) -> Panel:
    """The panel; it may be empty where all of its queries ask Prometheus for what does not run."""
    if not panel.queries or panel.may_be_empty or any(_is_fed(query, running) for query in panel.queries):
        return panel
    return replace(panel, may_be_empty=NOT_RUN)


def is_variable_fed(variable: Mapping[str, Any], running: Running) -> bool:
    """Whether a variable's query may find something: anything but a query of Prometheus for what does not run."""
    query = text(variable.get("query")) or text(mapping(variable.get("query")).get("query"))
    listed = label_values(query)
    return _asks_for_running(listed[0] if listed else query, running)


def _is_fed(query: Mapping[str, Any], running: Running) -> bool:
    is_prometheus = mapping(query.get("datasource")).get("type") == "prometheus"
    return not is_prometheus or _asks_for_running(text(query.get("expr")), running)


def _asks_for_running(expr: str, running: Running) -> bool:
    """True also for what is no PromQL."""
    for expansion in expansions(expr, {}):
        try:
            return running.is_fed(parse(expansion))
        except PromQLError:
            continue
    return True
