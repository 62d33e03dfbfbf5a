# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards as anybody may have saved them: each is read, in time that grows with its length."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._grafana_model import files
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.model import DataSource
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.panels import read_panels
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.variables import (
    Chosen,
    UnsupportedError,
    choose,
    choose_datasource,
    fixed_values,
    label_values,
    lookup,
    substitute,
)
from tests.unit.growth import LINEAR, growth

SOURCES = [DataSource("p", "Prometheus", "prometheus", True, {})]
VARIABLE = {
    "name": "job", "type": "custom", "query": "a,b", "regex": "", "allValue": "", "multi": True, "includeAll": False,
    "current": {"text": "a", "value": ["a"]},
}  # fmt: skip
DASHBOARD: dict[str, Any] = {
    "title": "T",
    "templating": {"list": [VARIABLE]},
    "panels": [
        {
            "id": 1, "title": "P", "description": "May be empty: x", "datasource": {"uid": "p"}, "interval": "30s",
            "targets": [{"refId": "A", "expr": "up", "datasource": {"uid": "p"}, "queryType": "", "hide": False}],
        },
        {"type": "row", "panels": [{"id": 2, "targets": [{"expr": "up"}]}]},
    ],
}  # fmt: skip
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    raw: Any = json.loads(json.dumps(DASHBOARD))
    node = raw
    while isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            node[key] = data.draw(VALUES)
            break
        node = node[key]
    read_panels("T", raw, SOURCES, {"job": Chosen(("a",))})
    variable = raw["templating"]
    variable = variable.get("list") if isinstance(variable, dict) else variable
    variable = variable[0] if isinstance(variable, list) and variable else variable
    if isinstance(variable, dict):
        with suppress(UnsupportedError):
            choose_datasource(variable, SOURCES)
            chosen = choose(variable, fixed_values(variable))
            assert isinstance(substitute("$job", {"job": chosen}), str)


@pytest.mark.parametrize("kind", ["prometheus", "loki"])
@pytest.mark.parametrize(
    "query",
    [
        "metrics([)",
        "metrics((?<=a)b)",
        "label_values(",
        "label_values(,)",
        "label_values(up,)",
        5,
        None,
        [],
        {"query": 5},
        {"label": []},
    ],
)
def test_a_query_that_makes_no_sense_is_said(kind: str, query: Any) -> None:
    with suppress(UnsupportedError):
        lookup(kind, query)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("label_values(job)", ("", "job")),
        (' label_values( up{a="b,c"} , instance ) ', ('up{a="b,c"}', "instance")),
        ("label_values(sum(up) by (a),\n a)", ("sum(up) by (a)", "a")),
        ("label_values(up, a) x", None),
        ("label_values(up, a b)", None),
        ("query_result(up)", None),
    ],
)
def test_the_parts_of_label_values(text: str, found: tuple[str, str] | None) -> None:
    assert label_values(text) == found


@pytest.mark.parametrize(
    "text",
    [
        lambda count: "${a:" * count,
        lambda count: "${a" * count,
        lambda count: "[[a:" * count,
        lambda count: "$a" * count,
    ],
)
def test_references_are_found_in_linear_time(collector_off: None, text: Callable[[int], str]) -> None:
    def work(count: int) -> Callable[[], object]:
        query = text(count)
        return lambda: substitute(query, {"b": Chosen(("x",))})

    assert growth(work, 2000) <= LINEAR


@pytest.mark.parametrize(
    "text",
    [
        lambda count: "label_values(" + " " * count,
        lambda count: "label_values(" + " ," * count,
        lambda count: "label_values(" + "a, " * count + ")",
        lambda count: "metrics(" + ") " * count,
        lambda count: "query_result(" + ")\n" * count + "x",
    ],
)
def test_queries_of_variables_are_read_in_linear_time(collector_off: None, text: Callable[[int], str]) -> None:
    def work(count: int) -> Callable[[], object]:
        query = text(count)

        def ask() -> None:
            with suppress(UnsupportedError):
                lookup("prometheus", query)

        return ask

    assert growth(work, 2000) <= LINEAR


def test_keys_that_are_written_twice_are_found_in_linear_time(collector_off: None) -> None:
    def work(count: int) -> Callable[[], object]:
        names = [f"k{number}" for number in range(count)] + ["k0"]
        return lambda: files.repeated(names)

    assert growth(work, 1000) <= LINEAR
