# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask Grafana for the values of a dashboard's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._grafana_model.json_values import text
from .._grafana_model.model import DataSource
from .._grafana_model.panels import datasource_uid, find_source
from .._grafana_model.variables import (
    Chosen,
    UnsupportedError,
    choose,
    choose_datasource,
    fixed_values,
    lookup,
    pick,
    substitute_all,
)
from .._http import parse
from .client import Grafana

NOT_VARIABLES = {"adhoc", "groupby", "switch"}
"""Kinds without a value that stands in a query."""


def values_of(
    grafana: Grafana, sources: Sequence[DataSource], variable: Mapping[str, Any], chosen: Mapping[str, Chosen]
) -> Chosen:
    """The value of one variable; `chosen` are those before it. UnsupportedError or HttpError where it has none."""
    kind = text(variable.get("type"))
    if not kind:
        raise UnsupportedError("it has no type")
    if kind == "datasource":
        return choose_datasource(variable, sources)
    if kind != "query":
        return choose(variable, fixed_values(variable))
    source = find_source(datasource_uid(variable.get("datasource"), None, chosen), sources)
    if source is None:
        raise UnsupportedError("its data source does not exist")
    request = lookup(source.type, substitute_all(variable.get("query") or "", chosen))
    found = parse(source.type, request.path, request.read, grafana.proxy(source.uid, request.path, request.query))
    return choose(variable, pick(found, text(variable.get("regex"))))
