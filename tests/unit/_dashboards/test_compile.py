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

from ansible_collections.ias.observability.plugins.module_utils._contract.aliases import MetricAliases
from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards import layout
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile import dashboards, panels
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tools import yaml_text
from tools.contracts import generated

FOLDER = Path(__file__).resolve().parents[3] / "contracts" / "dashboards"
ALL = sorted(FOLDER.glob("*.yaml"))
# What the platform's people asked for, and what else its operators look for: the panel's title, and what it asks for.
WANTED: dict[str, dict[str, str]] = {
    "System Overview": {
        "Total requests": "http_requests_total",
        "Error rate": 'status=~"5.."',
        "P95 latency by service": "histogram_quantile(0.95, sum by (job, le)",
        "Active organizations": "by (organization) (increase(router_requests_total",
        "Total tokens processed": "increase(router_tokens_total",
        "Error budget left, availability": "http_requests_total",
        "Error budget left, latency": "http_request_duration_seconds_bucket",
        "Firing alerts": 'ALERTS{alertstate="firing"',
        "Firing alerts by name": 'ALERTS{alertstate="firing"',
        "CPU of the nodes": "node_cpu_seconds_total",
        "Memory of the nodes": "node_memory_MemAvailable_bytes",
        "Disks of the nodes": "node_filesystem_avail_bytes",
        "Requests being answered": "http_requests_in_flight",
    },
    "User Service Metrics": {
        "Requests by route": "by (route) (rate(http_requests_total",
        "Error rate by route": 'status=~"5.."',
        "P95 latency by route": "http_request_duration_seconds_bucket",
        "Database calls": "user_db_query_duration_seconds_count",
        "Auth failures by reason": "user_auth_failures_total",
        "CPU": "process_cpu_seconds_total",
        "Memory": "process_resident_memory_bytes",
        "Log lines": 'service_name="user-service"',
        "Slowest traces": 'resource.service.name = "user-service" && kind = server } with (most_recent=true)',
    },
    "API Router Performance": {
        "Requests by model": "by (model) (rate(router_requests_total",
        "Budget exceeded rate": "rate(router_budget_exceeded_total",
        "Latency histogram": "router_request_duration_seconds_bucket",
        "vLLM backend health": "router_backend_up",
        "Waiting requests": "router_queue_depth",
        "P95 of the wait": "router_queue_duration_seconds_bucket",
        "Retries": "router_retries_total",
        "Upstream errors": "router_upstream_errors_total",
        "Tokens by model": "by (model, kind) (rate(router_tokens_total",
        "Organizations with most tokens": "topk(10, sum by (organization)",
    },
    "Analytics Service Health": {
        "Ingest lag": "analytics_ingest_lag_seconds",
        "Batch time": "analytics_batch_duration_seconds_bucket",
        "Backlog": "analytics_backlog_events",
        "Failed events": 'outcome="failed"',
        "Error rate": 'status=~"5.."',
    },
    "vLLM GPU Utilization": {
        "GPU use": "gpu:utilization:ratio",
        "GPU memory": "gpu:memory_used:bytes",
        "Temperature": "gpu:temperature:celsius",
        "Power": "gpu:power:watts",
        "New XID errors": "gpu:xid:code",
        "Running and waiting": "vllm:num_requests_waiting",
        "Time to the first token": "vllm:time_to_first_token_seconds_bucket",
        "Tokens": "vllm:generation_tokens_total",
        "Preemptions": "vllm:num_preemptions_total",
        # by their old names too
        "KV cache by model": "or vllm:gpu_cache_usage_perc",
        "Inter-token latency": "or rate(vllm:time_per_output_token_seconds_bucket",
        "Prefix cache hit rate": "or rate(vllm:gpu_prefix_cache_hits_total",
    },
    "Database": {
        "Connection pool utilization": "user_db_pool_max_connections",
        "Query latency": "user_db_query_duration_seconds_bucket",
        "Slow queries (> 1 s)": 'le=~"1([.]0)?"',
        "Table sizes": "pg_stat_user_tables_table_size_bytes",
        "Buffer cache hits": "pg_stat_database_blks_hit",
        "Locks": "pg_locks_count",
        "Deadlocks": "pg_stat_database_deadlocks",
        "Dead rows": "pg_stat_user_tables_n_dead_tup",
        "Replication lag": "pg_replication_lag_seconds",
        "Long transactions": "pg_stat_activity_max_tx_duration",
    },
    "Logs": {
        "Errors by service": "error|critical|fatal",
        "Log volume by service": "by (service_name) (rate(",
    },
    "Traces": {
        "Who calls whom": "traces_service_graph_request_total",
        "Slowest traces": "kind = server } with (most_recent=true)",
    },
    "Stack Health": {
        "Samples": "prometheus_tsdb_head_samples_appended_total",
        "From file to store": "loki_source_file_read_lines_total",
        "Lines dropped": "loki_discarded_samples_total",
        "Spans taken in and refused": "tempo_discarded_spans_total",
    },
}
KINDS = {
    "Latency histogram": "heatmap",
    "Table sizes": "bargauge",
    "Organizations with most tokens": "bargauge",
    "Log lines": "logs",
    "Who calls whom": "table",
}
NO_UNIT = {"table", "logs"}
PALETTE = {*panels.SERIES, panels.GOOD, panels.WARNING, panels.CRITICAL}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def contract(root: Path) -> Contract:
    return load("services.yaml", (root / "contracts/services.yaml").read_text(), RuleReport())


def shown(model: Object) -> Iterator[Object]:
    return (panel for panel in model["panels"] if panel["type"] != "row")


@pytest.fixture(scope="module")
def models() -> dict[str, Object]:
    loaded = [json.loads(path.with_suffix(".json").read_text()) for path in ALL]
    assert len({model["uid"] for model in loaded}) == len(loaded)
    return {model["title"]: model for model in loaded}


@pytest.mark.parametrize(("title", "name"), [(title, name) for title, found in WANTED.items() for name in found])
def test_a_panel_that_was_asked_for_is_there(models: dict[str, Object], title: str, name: str) -> None:
    (panel,) = [panel for panel in shown(models[title]) if panel["title"] == name]
    asked = [target.get("expr") or target["query"] for target in panel["targets"]]
    assert any(WANTED[title][name] in text for text in asked), asked
    assert panel["type"] == KINDS.get(name, panel["type"])


def test_the_overview_leads_to_every_service(models: dict[str, Object], contract: Contract) -> None:
    (panel,) = [panel for panel in shown(models["System Overview"]) if panel["title"] == "Every service"]
    urls = [link["url"] for link in panel["fieldConfig"]["defaults"]["links"]]
    assert any(url.startswith("/d/ias-${__data.fields.Service}?") for url in urls)
    uids = {model["uid"] for model in models.values()}
    assert {f"ias-{job}" for job in contract.metrics["http_requests_total"].jobs} <= uids


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_the_committed_file_is_what_the_spec_says(path: Path, contract: Contract) -> None:
    assert (path.with_suffix(".json").read_text(), []) == generated.dashboard(
        Source(path.name, path.read_text()), contract
    )


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_panels_lie_on_the_grid_without_overlap(path: Path) -> None:
    model = json.loads(path.with_suffix(".json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in model["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert all(x < layout.GRID for x, _ in cells)
        taken |= cells
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows_and_what_nothing_means(path: Path) -> None:
    for panel in shown(json.loads(path.with_suffix(".json").read_text())):
        defaults = panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) >= 10
        assert defaults["noValue"]
        assert defaults["thresholds"]["steps"][0]["value"] is None
        assert defaults.get("unit") or panel["type"] in NO_UNIT
        values = [one for one in panel["fieldConfig"]["overrides"] if one["matcher"]["options"].startswith("Value")]
        for column in values if panel["type"] == "table" else ():
            assert {entry["id"] for entry in column["properties"]} == {"displayName", "unit"}
        for target in panel["targets"]:
            assert "[$__interval]" not in target.get("expr", "")
            assert not re.search(r"rate\([^\[\]]*\[\d", target.get("expr", "")), "a rate over a fixed range"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_panel_of_a_service_leads_to_its_logs_and_traces(path: Path, contract: Contract) -> None:
    spec, model = yaml_text.load(path.read_text()), json.loads(path.with_suffix(".json").read_text())
    spans = yaml_text.load((FOLDER.parent / "services.yaml").read_text())["services"].get(spec.get("service"), {})
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


def test_rule_groups_are_named_without_the_path_of_their_file(models: dict[str, Object]) -> None:
    (panel,) = [panel for panel in shown(models["Stack Health"]) if panel["title"] == "Time of the rule groups"]
    (target,) = panel["targets"]
    (pattern,) = re.findall(r'"group", "\$1", "rule_group", "(.+)"', target["expr"])
    assert target["legendFormat"] == "{{group}}"
    for label in (
        "/etc/prometheus/rules/some-rulefiles-0/ias-system-alerts-1b2c.yaml;ias-platform.slo",
        "ias-platform.slo",
    ):
        found = re.fullmatch(pattern, label)
        assert found is not None
        assert found[1] == "ias-platform.slo"


@pytest.mark.parametrize(("title", "name"), [("Logs", "Lines by level"), ("System Overview", "Log lines by level")])
def test_lines_without_a_level_have_a_name(models: dict[str, Object], title: str, name: str) -> None:
    (panel,) = [panel for panel in shown(models[title]) if panel["title"] == name]
    (target,) = panel["targets"]
    assert '| label_format level=`{{ or .level "none" }}` [' in target["expr"]
    assert "none" in [entry["matcher"]["options"] for entry in panel["fieldConfig"]["overrides"]]


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
    renamed = dataclasses.replace(contract, names=MetricAliases(metrics, {"api": "edge", "b": "c"}))
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


@pytest.mark.parametrize(
    ("queries", "names"),
    [
        ([{"expr": "up", "legend": "P50"}, {"expr": "up", "legend": "P95"}], ["P50", "P95"]),
        (
            [{"expr": "sum by (outcome) (router_requests_total)", "legend": "{{outcome}}"}],
            ["budget_exceeded", "error", "ok", "rejected"],
        ),
        (
            [{"expr": "sum by (job) (rate(http_requests_in_flight[5m]))", "legend": "{{ job }}"}],
            ["analytics-service", "api-router", "user-service"],
        ),
        (
            [
                {
                    "source": "loki",
                    "expr": '{a="b"} | label_format level=`{{ or .level "none" }}`',
                    "legend": "{{level}}",
                }
            ],
            ["critical", "debug", "error", "info", "warning", "none"],
        ),
        ([{"source": "loki", "expr": '{a="b"} | json', "legend": "{{request_id}}"}], []),
        # any number of values; two labels
        ([{"expr": "sum by (model) (router_requests_total)", "legend": "{{model}}"}], []),
        ([{"expr": "router_tokens_total", "legend": "{{model}} {{kind}}"}], []),
        ([{"expr": "up", "legend": "{{job}}"}], []),
    ],
)
def test_series_whose_names_are_known_have_colours_of_their_own(
    contract: Contract, queries: list[Object], names: list[str]
) -> None:
    overrides = one(contract, *queries)["fieldConfig"]["overrides"]
    assert [entry["matcher"]["options"] for entry in overrides] == names
    colors = [entry["properties"][0]["value"]["fixedColor"] for entry in overrides]
    assert colors == list(panels.SERIES[: len(names)])


def colours(node: Any) -> Iterator[str]:
    """Every colour that is named anywhere in a model, and every way to choose one."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"color", "fixedColor", "scheme"} and isinstance(value, str):
                yield value
            elif key == "color" and isinstance(value, dict) and "mode" in value:
                yield f"mode {value['mode']}"
            yield from colours(value)
    elif isinstance(node, list):
        for value in node:
            yield from colours(value)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_colours_are_told_apart_by_colour_blind_eyes(path: Path) -> None:
    """By name of the series is Grafana's own choice: left where no name is known beforehand."""
    modes = {f"mode {mode}" for mode in ("thresholds", "fixed", "scheme", "palette-classic-by-name")}
    found = set(colours(json.loads(path.with_suffix(".json").read_text())))
    assert panels.GOOD in found
    assert found <= PALETTE | modes | {"Viridis"}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_series_whose_names_are_told_get_no_colour_of_grafanas_own(path: Path) -> None:
    for panel in shown(json.loads(path.with_suffix(".json").read_text())):
        legends = {target.get("legendFormat", "{{}}") for target in panel["targets"]}
        fixed = {entry["matcher"]["options"] for entry in panel["fieldConfig"]["overrides"]}
        assert panel["type"] != "timeseries" or {name for name in legends if "{{" not in name} <= fixed, panel["title"]


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
    promised = load("o", OBJECTIVES, RuleReport())
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
    count = sum(len(row["panels"]) for path in ALL for row in yaml_text.load(path.read_text())["rows"])
    assert lines / count < 12
