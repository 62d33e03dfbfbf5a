# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every dashboard: compiled, laid out, told apart by colour-blind eyes, and in the names of a team."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._rules.contract import Contract, load
from ansible_collections.ias.observability.plugins.module_utils._rules.contract_names import Names
from ansible_collections.ias.observability.plugins.module_utils._rules.report import Report
from tools.contracts import dashboards, panels

FOLDER = Path(__file__).resolve().parents[4] / "contracts" / "dashboards"
ALL = sorted(FOLDER.glob("*.yaml"))
MISSION = {
    "System Overview": [
        *("Total requests", "Error rate", "P95 latency by service", "Active organizations", "Total tokens processed"),
    ],
    "User Service Metrics": ["Requests by route", "Database calls", "Auth failures by reason", "Slowest traces"],
    "API Router Performance": [
        *("Requests by model", "Budget exceeded rate", "Latency histogram", "vLLM backend health"),
    ],
    "Analytics Service Health": ["Ingest lag", "Batch time", "Backlog", "Failed events"],
    "vLLM GPU Utilization": ["GPU use", "GPU memory", "Temperature", "Power", "New XID errors", "KV cache"],
    "Database": ["Connection pool utilization", "Query latency", "Slow queries (> 1 s)", "Table sizes"],
    "Logs": ["Errors by service", "Log volume by service"],
    "Traces": ["Who calls whom", "Slowest traces"],
    "Stack Health": ["Lines dropped", "Spans taken in and refused"],
}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def contract(root: Path) -> Contract:
    return load("services.yaml", (root / "contracts/services.yaml").read_text(), Report())


def shown(model: Object) -> Iterator[Object]:
    return (panel for panel in model["panels"] if panel["type"] != "row")


def test_every_dashboard_of_the_mission_has_its_panels() -> None:
    models = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    titles = {model["title"]: {panel["title"] for panel in shown(model)} for model in models}
    missing = {title: sorted(set(wanted) - titles[title]) for title, wanted in MISSION.items()}
    assert {title: names for title, names in missing.items() if names} == {}
    assert len({model["uid"] for model in models}) == len(models)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_the_compiled_file_is_what_the_description_says(path: Path, contract: Contract) -> None:
    assert path.with_suffix(".json").read_text() == dashboards.compiled(path, contract)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_panels_lie_on_the_grid_without_overlap(path: Path) -> None:
    model = json.loads(path.with_suffix(".json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in model["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert all(x < dashboards.COLUMNS for x, _ in cells)
        taken |= cells
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows_and_what_nothing_means(path: Path) -> None:
    for panel in shown(json.loads(path.with_suffix(".json").read_text())):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"]
        assert defaults["noValue"]
        assert defaults["thresholds"]["steps"][0]["value"] is None
        assert "unit" in defaults or panel["type"] in {"table", "logs"}
        for target in panel["targets"]:
            assert "[$__interval]" not in target.get("expr", "")
            assert not re.search(r"rate\([^\[\]]*\[\d", target.get("expr", "")), "a rate over a fixed range"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_panel_of_a_service_leads_to_its_logs_and_traces(path: Path, contract: Contract) -> None:
    spec, model = yaml.safe_load(path.read_text()), json.loads(path.with_suffix(".json").read_text())
    spans = yaml.safe_load((FOLDER.parent / "services.yaml").read_text())["services"].get(spec.get("service"), {})
    wanted = {"Logs", "Traces"} if "spans" in spans else {"Logs"}
    for panel in shown(model) if "service" in spec else ():
        found = {link["title"] for link in panel["fieldConfig"]["defaults"]["links"]}
        leads_itself = panel["type"] == "logs" or panel["targets"][0]["datasource"]["type"] == "tempo"
        assert leads_itself or wanted <= found, panel["title"]


LISTED = {
    "API Router Performance": {"model", "organization"},
    "User Service Metrics": {"route"},
    "vLLM GPU Utilization": {"model_name", "gpu"},
    "Database": {"datname"},
    "System Overview": {"job"},
    "Logs": {"service"},
    "Traces": {"traced"},
}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_list_to_choose_from_takes_several_and_all(path: Path) -> None:
    model = json.loads(path.with_suffix(".json").read_text())
    kinds = {one["name"]: one for one in model["templating"]["list"]}
    assert kinds["prometheus"]["type"] == "datasource"
    assert LISTED.get(model["title"], set()) <= kinds.keys()
    assert "namespace" in kinds or model["title"] == "Traces"  # span metrics have no namespace
    for one in kinds.values():
        if one["type"] == "query":
            assert (one["multi"], one["includeAll"], one["current"]["value"]) == (True, True, ["$__all"]), one["name"]
            assert re.fullmatch(one["allValue"], "x")
            assert not re.fullmatch(one["allValue"], "")


SPEC: Object = {
    "title": "T",
    "uid": "ias-t",
    "description": "d",
    "service": "web",
    "variables": ["prometheus", "namespace", "job"],
    "rows": [{"title": "R", "panels": []}],
}


def one(contract: Contract, *queries: Object, **spec: Any) -> Object:
    """The JSON of a panel."""
    described = {"title": "P", "description": "What it is.", "unit": "s", "queries": list(queries), **spec}
    model = dashboards.compile_dashboard({**SPEC, "rows": [{"title": "R", "panels": [described]}]}, contract)
    found: Object = model["panels"][1]
    return found


def test_panels_fill_lines_from_left_to_right(contract: Contract) -> None:
    wanted = [{"title": str(width), "description": "d", "unit": "s", "width": width, "queries": [{"expr": "up"}]}
              for width in (8, 8, 12, 12)]  # fmt: skip
    rows = [{"title": "a", "panels": wanted}, {"title": "b", "panels": wanted[:1]}]
    model = dashboards.compile_dashboard({**SPEC, "rows": rows}, contract)
    places = [(panel["title"], panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in model["panels"]]
    assert places == [("a", 0, 0), ("8", 0, 1), ("8", 8, 1), ("12", 0, 9), ("12", 12, 9), ("b", 0, 17), ("8", 0, 18)]


def test_a_teams_names_reach_queries_and_variables(contract: Contract) -> None:
    metrics = {"http_requests_total": "web_hits_total", "lag_seconds": "delay"}
    renamed = dataclasses.replace(contract, names=Names(metrics, {"api": "edge", "b": "c"}))
    expr = 'rate(http_requests_total{job=~"api|b|x", path="api"}[5m]) + lag_seconds_bucket{le="job"} + my_lag_seconds'
    panel = one(renamed, {"expr": expr})
    assert panel["targets"][0]["expr"] == (
        'rate(web_hits_total{job=~"edge|c|x", path="api"}[5m]) + delay_bucket{le="job"} + my_lag_seconds'
    )
    model = dashboards.compile_dashboard(SPEC, renamed)
    assert model["templating"]["list"][2]["definition"] == 'label_values(web_hits_total{namespace=~"$namespace"}, job)'


def test_why_a_panel_may_be_empty_stands_in_its_description(contract: Contract) -> None:
    panel = one(contract, {"expr": "up"}, may_be_empty="nothing fails")
    assert panel["description"] == "What it is.\n\nMay be empty: nothing fails"


@pytest.mark.parametrize(
    ("spec", "steps"),
    [
        ({}, [(None, panels.GOOD)]),
        ({"critical": 1}, [(None, panels.GOOD), (1, panels.CRITICAL)]),
        ({"warning": 1, "critical": 5}, [(None, panels.GOOD), (1, panels.WARNING), (5, panels.CRITICAL)]),
        ({"low": True, "critical": 1}, [(None, panels.CRITICAL), (1, panels.GOOD)]),
        (
            {"low": True, "warning": 5, "critical": 1},
            [(None, panels.CRITICAL), (1, panels.WARNING), (5, panels.GOOD)],
        ),
    ],
)
def test_thresholds_warn_on_the_bad_side(spec: Object, steps: list[tuple[float | None, str]]) -> None:
    assert [(step["value"], step["color"]) for step in panels.thresholds(spec)["steps"]] == steps


def test_named_series_have_colours_of_their_own(contract: Contract) -> None:
    panel = one(contract, {"expr": "up", "legend": "P50"}, {"expr": "up", "legend": "P95"})
    colors = [entry["properties"][0]["value"]["fixedColor"] for entry in panel["fieldConfig"]["overrides"]]
    assert colors == list(panels.SERIES[:2])


LOGS = "/d/ias-logs?${__url_time_range}&${namespace:queryparam}"


@pytest.mark.parametrize(
    ("legend", "name", "url"),
    [
        (
            "{{job}}",
            "logs",
            "/d/ias-logs?${__url_time_range}&${namespace:queryparam}&var-service=${__field.labels.job}",
        ),
        ("{{job}}", "service", "/d/ias-${__field.labels.job}?${__url_time_range}&${namespace:queryparam}"),
        ("x", "traces", "/d/ias-traces?${__url_time_range}&var-traced=web"),
        ("x", "vllm", "/d/ias-vllm?${__url_time_range}&${namespace:queryparam}"),
    ],
)
def test_a_series_leads_on_to_its_service(contract: Contract, legend: str, name: str, url: str) -> None:
    panel = one(contract, {"expr": "up", "legend": legend}, links=[name])
    assert panel["fieldConfig"]["defaults"]["links"][0]["url"] == url


def test_a_dashboards_links_are_those_of_its_panels_too(contract: Contract) -> None:
    rows = [{"title": "R", "panels": [
        {"title": "a", "description": "d", "unit": "s", "queries": [{"expr": "up"}], "links": ["logs", "vllm"]},
        {"title": "b", "description": "d", "unit": "s", "queries": [{"expr": "up"}]},
        {"title": "c", "description": "d", "type": "logs", "queries": [{"source": "loki", "expr": "{}"}]},
    ]}]  # fmt: skip
    model = dashboards.compile_dashboard({**SPEC, "links": ["logs", "traces"], "rows": rows}, contract)
    found = [[one["title"] for one in panel["fieldConfig"]["defaults"]["links"]] for panel in shown(model)]
    assert found == [["Logs", "Vllm", "Traces"], ["Logs", "Traces"], []]


def test_a_tables_columns_have_titles_and_units_and_its_rows_lead_on(contract: Contract) -> None:
    queries = [{"expr": "a", "column": "Size", "unit": "bytes"}, {"expr": "b", "column": "Age"}]
    panel = one(contract, *queries, type="table", columns={"job": "Service"}, links=["logs"])
    assert [target["format"] for target in panel["targets"]] == ["table", "table"]
    assert [transformation["id"] for transformation in panel["transformations"]] == ["merge", "organize"]
    overrides = [(entry["matcher"]["options"], *(one["value"] for one in entry["properties"]))
                 for entry in panel["fieldConfig"]["overrides"]]  # fmt: skip
    assert overrides == [("Value #A", "Size", "bytes"), ("Value #B", "Age", "short")]
    assert panel["fieldConfig"]["defaults"]["links"][0]["url"].endswith("var-service=${__data.fields.Service}")


OBJECTIVES = """\
services:
  web:
    metrics:
      hits_total: {type: counter, labels: {status: {max: 9}}}
      seconds: {type: histogram}
    slo:
      availability: {objective: 99.9, total: hits_total, bad: {status: 5..}}
      latency: {objective: 95, histogram: seconds, seconds: 1}
  box: {job: box-exporter, metrics: {ok: {type: gauge}}, slo: {availability: {objective: 99, up: up}}}
"""


def test_an_objective_becomes_the_budget_that_is_left() -> None:
    promised = load("o", OBJECTIVES, Report())
    panel = one(promised, {"slo": "availability"}, {"slo": "latency"}, type="bargauge")
    assert [(target["legendFormat"], target["expr"]) for target in panel["targets"]] == [
        (
            "web (99.9 %)",
            '1 - (1 - (1 - (sum(increase(hits_total{job="web", status=~"5.."}[$__range])) or vector(0))'
            ' / sum(increase(hits_total{job="web"}[$__range])))) / 0.001',
        ),
        ("box (99 %)", '1 - (1 - avg(avg_over_time(up{job="box-exporter"}[$__range]))) / 0.01'),
        (
            "web (95 %)",
            '1 - (1 - (sum(increase(seconds_bucket{job="web", le=~"1([.]0)?"}[$__range]))'
            ' / sum(increase(seconds_count{job="web"}[$__range])))) / 0.05',
        ),
    ]
    assert all(target["instant"] for target in panel["targets"])


def test_a_description_is_short() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in ALL)
    count = sum(len(row["panels"]) for path in ALL for row in yaml.safe_load(path.read_text())["rows"])
    assert lines / count < 12
