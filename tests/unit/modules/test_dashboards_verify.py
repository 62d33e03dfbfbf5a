# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.modules import dashboards_verify, grafana_datasources_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.module import run_module

SOURCES = [
    {"uid": "prometheus", "name": "Prometheus", "type": "prometheus", "isDefault": True, "jsonData": {}},
    {"uid": "alertmanager", "name": "Alertmanager", "type": "alertmanager"},
]
PROXY = "/api/datasources/proxy/uid"
VARIABLE = {
    "name": "job",
    "type": "query",
    "query": "label_values(up, job)",
    "includeAll": True,
    "datasource": {"uid": "prometheus"},
}
FOLDERS = [
    {"uid": "ias-platform", "title": "IAS Platform"},
    {"uid": "sub", "title": "Sub", "folderUid": "ias-platform"},
]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def grafana() -> Iterator[Server]:
    with running_server() as server:
        server.ok("GET", "/api/datasources", SOURCES)
        server.ok("GET", "/api/datasources/uid/prometheus/health", {"status": "OK", "message": "fine"})
        server.ok("GET", f"{PROXY}/alertmanager/api/v2/status", {})
        server.ok("GET", f"{PROXY}/prometheus/api/v1/label/job/values", {"data": ["a.b", "c"]})
        server.on("GET", "/api/search", search)
        serve(server, panel("Rate", 'rate(x{job=~"$job"}[$__rate_interval])'))
        server.on("POST", "/api/ds/query", lambda request: Reply(200, {"results": {"A": result(1.5)}}))
        prometheus(server, Prometheus())
        yield server


@dataclass
class Prometheus:
    """How old the newest sample of selectors is: what is not named is 12 seconds old, None is gone."""

    ages: dict[str, float | None] = field(default_factory=dict)
    last_hour: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Selector → job and age of what is gone."""
    up: dict[str, int] = field(default_factory=dict)
    samples: int = 20
    """Of each series in ten minutes."""

    def answer(self, query: str) -> list[tuple[str, float]]:
        """(job, value) of each series."""
        if query == "sum by (job) (up)":
            return list(self.up.items())
        if found := re.fullmatch(r"time\(\) - max\(timestamp\((.*)\)\)", query):
            age = self.ages.get(found[1], 12.0)
            return [] if age is None else [("", age)]
        if found := re.fullmatch(r"time\(\) - max by \(job\) \(max_over_time\(timestamp\((.*)\)\[1h:30s\]\)\)", query):
            return [self.last_hour[found[1]]] if found[1] in self.last_hour else []
        assert re.fullmatch(r"max\(count_over_time\(.*\[600s\]\)\)", query), query
        return [("", self.samples)]


def prometheus(server: Server, double: Prometheus) -> None:
    def answer(request: Request) -> Reply:
        series = double.answer(request.query["query"][0])
        vector = [{"metric": {"job": job} if job else {}, "value": [0, str(value)]} for job, value in series]
        return Reply(200, {"data": {"resultType": "vector", "result": vector}})

    server.on("GET", f"{PROXY}/prometheus/api/v1/query", answer)


def search(request: Request) -> Reply:
    if request.query["type"] == ["dash-folder"]:
        return Reply(200, FOLDERS)
    assert request.query["folderUIDs"] == ["ias-platform", "sub"]
    return Reply(200, [{"uid": "d", "title": "D"}])


def panel(title: str, *exprs: str, **more: Any) -> dict[str, Any]:
    targets = [{"refId": chr(ord("A") + number), "expr": expr} for number, expr in enumerate(exprs)]
    return {"id": len(title), "type": "stat", "title": title, "targets": targets, **more}


def serve(server: Server, *panels: dict[str, Any]) -> None:
    spec = {"uid": "d", "title": "D", "panels": list(panels), "templating": {"list": [VARIABLE]}}
    server.ok("GET", "/api/dashboards/uid/d", {"dashboard": spec, "meta": {}})


def result(*values: float | None) -> dict[str, Any]:
    fields = [{"name": "Time", "type": "time"}, {"name": "Value", "type": "number"}]
    return {"status": 200, "frames": [{"schema": {"fields": fields}, "data": {"values": [[1] * len(values), values]}}]}


def run(server: Server, **args: Any) -> dict[str, Any]:
    options = {"timeout": 0, "interval": 0, "folder": "IAS Platform", **args}
    return run_module(dashboards_verify, grafana={"url": server.url}, **options)


def ids(told: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in told["findings"]]


def test_everything_shows_something(grafana: Server) -> None:
    told = run(grafana)
    assert told["findings"] == []
    assert (told["dashboards"], told["panels"]) == (1, 1)
    assert told["datasources"] == {"prometheus": True, "alertmanager": True}
    assert told["summary"] == {"checked": 3, "passed": 3}
    (asked,) = grafana.seen("POST", "/api/ds/query")
    (query,) = asked.body["queries"]
    assert (asked.body["from"], asked.body["to"]) == ("now-5m", "now")
    assert query["expr"] == 'rate(x{job=~"(a\\\\.b|c)"}[$__rate_interval])'
    assert query["datasource"] == {"type": "prometheus", "uid": "prometheus"}


def test_an_empty_panel_is_told_with_its_query(grafana: Server) -> None:
    serve(grafana, panel("Other", "other"), panel("Rate", 'rate(x{job=~"$job"}[$__rate_interval])'))

    def answer(request: Request) -> Reply:
        return Reply(200, {"results": {"A": result(1.0 if request.body["queries"][0]["expr"] == "other" else None)}})

    grafana.on("POST", "/api/ds/query", answer)
    told = run(grafana)
    assert ids(told) == ["dashboards/no-data"]
    assert "D/Rate: no sample in the last five minutes: rate(x" in told["msg"]
    assert told["summary"] == {"checked": 4, "passed": 3}


def messages(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(finding["id"], finding["object"], finding["message"]) for finding in told["findings"]]


def test_samples_of_what_is_gone_are_no_data_of_now(grafana: Server) -> None:
    """Prometheus answers every query with the samples of some minutes ago."""
    serve(grafana, *(panel(f"P{number}", f'x{number}{{job="vllm"}}') for number in range(5)), panel("Other", "y"))
    gone = {f'x{number}{{job="vllm"}}': ("vllm", 200.0 + number) for number in range(5)}
    prometheus(grafana, Prometheus(dict.fromkeys(gone), gone, up={"api": 2}))
    told = run(grafana)
    assert messages(told) == [
        (
            "dashboards/job-gone",
            "job vllm",
            "Prometheus has no target of this job any more, the newest sample is 3 minutes old: "
            "5 panels show old data or none: D/P0, D/P1, D/P2 and 2 more",
        )
    ]
    assert told["findings"][0]["evidence"]["panels"]["D/P4"] == 'x4{job="vllm"}'
    assert told["summary"] == {"checked": 8, "passed": 3}


def test_data_of_targets_that_are_down(grafana: Server) -> None:
    serve(grafana, panel("Rate", "rate(x[5m])"))
    prometheus(grafana, Prometheus({"x": None}, {"x": ("vllm", 90)}, up={"vllm": 0}))
    assert messages(run(grafana)) == [
        (
            "dashboards/job-down",
            "job vllm",
            "no target of this job is up, the newest sample is 90 seconds old: D/Rate shows old data or none",
        )
    ]


def test_a_metric_that_its_targets_write_no_more(grafana: Server) -> None:
    serve(grafana, panel("Rate", "rate(x[5m])"))
    prometheus(grafana, Prometheus({"x": None}, {"x": ("vllm", 90)}, up={"vllm": 2}))
    assert messages(run(grafana)) == [
        (
            "dashboards/old-data",
            "x",
            "it is written no more, though 2 targets of job vllm are up, the newest sample is 90 seconds old: "
            "D/Rate shows old data or none",
        )
    ]


@pytest.mark.parametrize(
    ("samples", "age", "late"), [(20, 69, False), (20, 71, True), (10, 129, False), (10, 131, True)]
)
def test_what_is_of_now_depends_on_the_interval(grafana: Server, samples: int, age: float, late: bool) -> None:
    """A series that nobody ended: rules that are evaluated no more, a remote write that stands still."""
    serve(grafana, panel("Recorded", "job:x:rate5m"))
    double = Prometheus({"job:x:rate5m": age}, {"job:x:rate5m": ("", age)}, samples=samples)
    prometheus(grafana, double)
    assert ids(run(grafana)) == (["dashboards/old-data"] if late else [])


def test_a_series_that_was_never_there(grafana: Server) -> None:
    serve(grafana, panel("Other", "other"), panel("Rate", "rate(x[5m])"))

    def answer(request: Request) -> Reply:
        return Reply(200, {"results": {"A": result(1.0 if request.body["queries"][0]["expr"] == "other" else None)}})

    grafana.on("POST", "/api/ds/query", answer)
    prometheus(grafana, Prometheus({"x": None}))
    (message,) = [finding["message"] for finding in run(grafana)["findings"]]
    assert message == "no sample in the last five minutes, and none of x in the last hour: rate(x[5m])"


def test_a_data_source_that_has_nothing_for_anybody_is_one_finding(grafana: Server) -> None:
    loki = {"uid": "loki", "name": "Loki", "type": "loki"}
    grafana.ok("GET", "/api/datasources", [*SOURCES, loki])
    grafana.ok("GET", "/api/datasources/uid/loki/health", {"status": "OK"})
    lines = [panel(title, '{app="a"}', datasource={"uid": "loki"}) for title in ("Lines", "Errors")]
    serve(grafana, panel("Rate", "x"), *lines)

    def answer(request: Request) -> Reply:
        uid = request.body["queries"][0]["datasource"]["uid"]
        return Reply(200, {"results": {"A": result(1.0) if uid == "prometheus" else result()}})

    grafana.on("POST", "/api/ds/query", answer)
    assert messages(run(grafana)) == [
        (
            "dashboards/source-empty",
            "data source loki",
            "it answers, and has nothing of the last five minutes for any panel: "
            "2 panels show old data or none: D/Lines, D/Errors",
        )
    ]


def test_one_query_of_now_is_enough(grafana: Server) -> None:
    serve(grafana, panel("Both", "x", "y"))
    grafana.ok("POST", "/api/ds/query", {"results": {"A": result(1), "B": result(2)}})
    prometheus(grafana, Prometheus({"x": None}))
    assert run(grafana)["findings"] == []


def test_a_panel_that_may_be_empty_may_be_old(grafana: Server) -> None:
    serve(grafana, panel("XID", "x", description="May be empty: a good day has none"))
    prometheus(grafana, Prometheus({"x": None}))
    assert run(grafana)["findings"] == []


def test_data_that_come_back_are_waited_for(grafana: Server) -> None:
    serve(grafana, panel("Rate", "rate(x[5m])"))
    double = Prometheus({"x": None}, {"x": ("api", 90)})
    back = []

    def answer(query: str) -> list[tuple[str, float]]:
        back.append(query)
        if len(back) > 4:
            double.ages.clear()
        return Prometheus.answer(double, query)

    double.answer = answer  # type: ignore[method-assign]
    prometheus(grafana, double)
    assert run(grafana, timeout=20)["findings"] == []


def test_a_prometheus_that_does_not_tell_ages_is_not_held_against_the_panel(grafana: Server) -> None:
    grafana.on("GET", f"{PROXY}/prometheus/api/v1/query", Reply(422, {"error": "duplicate labelset"}))
    assert run(grafana)["findings"] == []


def test_a_panel_may_be_empty_for_a_reason(grafana: Server) -> None:
    serve(grafana, panel("XID", "x", description="Errors. \nMay be empty: a good day has none"))
    grafana.ok("POST", "/api/ds/query", {"results": {"A": result()}})
    told = run(grafana)
    assert told["findings"] == []
    assert told["may_be_empty"] == [{"panel": "D/XID", "reason": "a good day has none"}]


def test_one_failed_query_does_not_hide_the_others(grafana: Server) -> None:
    serve(grafana, panel("Two", "good", "bad("))
    broken = {"results": {"A": result(1.0), "B": {"error": "bad_data: parse error", "status": 400}}}
    grafana.on("POST", "/api/ds/query", Reply(400, broken))
    told = run(grafana)
    assert ids(told) == ["dashboards/query-failed"]
    assert "query B failed: bad_data: parse error" in told["msg"]


def test_a_panel_that_cannot_be_asked_does_not_stop_the_others(grafana: Server) -> None:
    serve(grafana, panel("One", "one"), panel("Other", "other"))

    def answer(request: Request) -> Reply:
        if request.body["queries"][0]["expr"] == "one":
            return Reply(500, {"message": "An error occurred within the plugin"})
        return Reply(200, {"results": {"A": result()}})

    grafana.on("POST", "/api/ds/query", answer)
    assert sorted(ids(run(grafana))) == ["dashboards/no-data", "dashboards/query-failed"]


CONTRACT = """\
services:
  web: {metrics: {x: {type: gauge}}}
  model: {metrics: {tokens_total: {type: counter}}}
"""


def test_panels_of_services_that_do_not_run_may_be_empty(grafana: Server, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(CONTRACT)
    ours, theirs = panel("Here", "x"), panel("Tokens", "sum(rate(tokens_total[$__rate_interval]))")
    serve(grafana, ours, theirs, panel("Both", "x", "tokens_total"))
    grafana.ok("POST", "/api/ds/query", {"results": {"A": result(), "B": result()}})
    whole = run(grafana, contract=str(tmp_path / "services.yaml"))
    assert all(name in whole["msg"] for name in ("D/Here", "D/Tokens", "D/Both"))
    told = run(grafana, contract=str(tmp_path / "services.yaml"), services=["web"])
    assert [entry["panel"] for entry in told["may_be_empty"]] == ["D/Tokens"]
    assert "Tokens" not in told["msg"]
    assert "Here" in told["msg"]


def test_a_variable_of_a_service_that_does_not_run(grafana: Server, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(CONTRACT)
    variable = {**VARIABLE, "query": "label_values(tokens_total, job)"}
    spec = {"uid": "d", "title": "D", "panels": [panel("X", "x")], "templating": {"list": [variable]}}
    grafana.ok("GET", "/api/dashboards/uid/d", {"dashboard": spec, "meta": {}})
    grafana.ok("GET", f"{PROXY}/prometheus/api/v1/label/job/values", {"data": []})
    contract = str(tmp_path / "services.yaml")
    assert ids(run(grafana, contract=contract)) == ["dashboards/variable"]
    assert run(grafana, contract=contract, services=["web"])["findings"] == []


def test_a_variable_without_values(grafana: Server) -> None:
    grafana.ok("GET", f"{PROXY}/prometheus/api/v1/label/job/values", {"data": []})
    assert "D: variable job has no value: its query finds nothing" in run(grafana)["msg"]


def test_variables_of_every_kind(grafana: Server) -> None:
    variables = [
        {"name": "ds", "type": "datasource", "query": "prometheus"},
        {"name": "step", "type": "custom", "query": "1m,5m"},
        {"name": "free", "type": "adhoc"},
        {**VARIABLE, "datasource": {"uid": "$ds"}},
        {**VARIABLE, "name": "lost", "datasource": {"uid": "gone"}},
    ]
    spec = {"uid": "d", "title": "D", "panels": [panel("P", "x[$step]")], "templating": {"list": variables}}
    grafana.ok("GET", "/api/dashboards/uid/d", {"dashboard": spec, "meta": {}})
    told = run(grafana)
    assert ids(told) == ["dashboards/variable"]
    assert "D: variable lost has no value: its data source does not exist" in told["msg"]
    (asked,) = grafana.seen("POST", "/api/ds/query")
    assert asked.body["queries"][0]["expr"] == "x[1m]"


def test_a_login_that_may_not_ask_ends_it(grafana: Server) -> None:
    serve(grafana, panel("One", "one"), panel("Other", "other"))
    grafana.on("POST", "/api/ds/query", Reply(403, {"message": "no permission"}))
    told = run(grafana)
    assert told["failed"] is True
    assert "no permission" in told["msg"]


def test_a_panel_without_a_query_that_can_be_asked(grafana: Server) -> None:
    serve(grafana, panel("Gone", "x", datasource={"uid": "gone"}))
    told = run(grafana)
    assert "data source gone" in told["msg"]
    assert grafana.seen("POST", "/api/ds/query") == []


def test_data_sources_that_do_not_work(grafana: Server) -> None:
    sick = Reply(400, {"status": "ERROR", "message": "connection refused"})
    grafana.on("GET", "/api/datasources/uid/prometheus/health", sick)
    grafana.on("GET", f"{PROXY}/alertmanager/api/v2/status", Reply(502, b"bad gateway"))
    told = run(grafana)
    assert ids(told) == ["datasources/unhealthy"] * 2
    assert "Prometheus: the data source does not work: connection refused" in told["msg"]


def test_a_wanted_dashboard_that_is_not_there(grafana: Server, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps({"uid": "d", "title": "D"}))
    (tmp_path / "gone.json").write_text(json.dumps({"uid": "gone", "title": "Gone"}))
    told = run(grafana, src=str(tmp_path))
    assert "Gone: folder IAS Platform has no dashboard with uid gone" in told["msg"]
    assert ids(told) == ["dashboards/missing"]


def test_an_empty_folder_shows_nothing(grafana: Server) -> None:
    assert ids(run(grafana, folder="Nowhere")) == ["dashboards/none"]


def test_a_file_that_is_no_dashboard(grafana: Server, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text("{")
    assert "dashboards/unreadable" in run(grafana, src=str(tmp_path))["msg"]
    assert grafana.requests == []


def test_further_looks_ask_only_the_rest(grafana: Server) -> None:
    serve(grafana, panel("Early", "early"), panel("Late", "late"))
    looks = {"early": 0, "late": 0}

    def answer(request: Request) -> Reply:
        expr = request.body["queries"][0]["expr"]
        looks[expr] += 1
        return Reply(200, {"results": {"A": result(1.0) if expr == "early" or looks["late"] > 2 else result()}})

    grafana.on("POST", "/api/ds/query", answer)
    assert run(grafana, timeout=20)["findings"] == []
    assert looks == {"early": 1, "late": 3}


def test_data_sources_info(grafana: Server) -> None:
    def info(**args: Any) -> dict[str, Any]:
        return run_module(grafana_datasources_verify, grafana={"url": grafana.url}, timeout=0, **args)

    told = info(expected=["prometheus"])
    assert [(one["uid"], one["healthy"]) for one in told["datasources"]] == [
        ("prometheus", True),
        ("alertmanager", True),
    ]
    assert ids(info(expected=["loki"])) == ["datasources/missing"]
    grafana.on("GET", "/api/datasources/uid/prometheus/health", Reply(400, {"status": "ERROR", "message": "no"}))
    assert ids(info(expected=["prometheus"])) == ["datasources/unhealthy"]
    assert info()["findings"] == []


@pytest.mark.parametrize(
    "spec",
    [
        {"templating": 5},
        {"templating": {"list": [5]}},
        {"templating": {"list": [{"name": "job"}]}},
        {"templating": {"list": [{"type": "query"}]}},
        {"templating": {"list": [{**VARIABLE, "regex": "/(/"}]}},
        {"templating": {"list": [{**VARIABLE, "query": 5}]}},
        {"panels": 5},
        {"panels": [5]},
        {"panels": [{"targets": 5}]},
    ],
)
def test_a_dashboard_that_is_not_as_it_must_be(grafana: Server, spec: dict[str, Any]) -> None:
    grafana.ok("GET", "/api/dashboards/uid/d", {"dashboard": {"uid": "d", "title": "D", **spec}, "meta": {}})
    findings = run(grafana)["findings"]
    assert {finding["id"] for finding in findings} <= {"dashboards/variable"}
