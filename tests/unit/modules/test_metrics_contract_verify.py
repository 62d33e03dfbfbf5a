# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import metrics_contract_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.module import run_module

CONTRACT = """\
services:
  web:
    namespace: shop
    port: http-metrics
    exhaustive: true
    metrics:
      hits_total: {type: counter, labels: {status: ['200', '500'], route: {max: 2}}}
      wait_seconds: {type: histogram}
      old_total: {type: counter, optional: true}
    slo: {latency: {objective: 95, histogram: wait_seconds, seconds: 1}}
  box:
    job: box-exporter
    metrics:
      box_up: {type: gauge, labels: {disk: {max: 5}, user: {unbounded: true}}}
  spans:
    pushed: true
    metrics:
      calls_total: {type: counter}
"""
Series = list[dict[str, str]]


def vector(result: list[dict[str, Any]]) -> Reply:
    return Reply(200, {"data": {"resultType": "vector", "result": result}})


WEB = {"job": "web", "namespace": "shop", "endpoint": "http-metrics", "pod": "web-0"}


class Prometheus:
    """What a Prometheus has: series by metric, and what targets tell of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.series: dict[str, Series] = {
            "up": [WEB, {"job": "box-exporter"}],
            "hits_total": [{**WEB, "status": "200", "route": "/a"}, {**WEB, "status": "500", "route": "/b"}],
            "wait_seconds_count": [WEB],
            "wait_seconds_bucket": [{**WEB, "le": bound} for bound in ("0.5", "1.0", "+Inf")],
            "box_up": [{"job": "box-exporter", "disk": "a", "user": str(number)} for number in range(500)],
            "calls_total": [{"source": "tempo"}],
        }
        self.told = {
            "web": [("hits", "counter"), ("wait_seconds", "histogram"), ("process_open_fds", "gauge")],
            "box-exporter": [("box_up", "gauge"), ("box_secret", "gauge")],
        }
        server.on("POST", "/api/v1/query", self.query)
        server.on("GET", "/api/v1/targets/metadata", self.metadata)

    def query(self, request: Request) -> Reply:
        """Understands the selectors that the module sends, and `group by (le)` of one."""
        expr = request.body["query"][0]
        names = re.search(r'__name__=~"([^"]+)"', expr) or re.search(r"(\w+)\{", expr)
        wanted = names[1].split("|") if names is not None else []
        job = re.search(r'job="([^"]*)"', expr)
        found = [
            {"__name__": name, **labels}
            for name in wanted
            for labels in self.series.get(name, [])
            if job is None or labels.get("job") == job[1]
        ]
        if expr.startswith("count("):
            found = self.selected(names, job)
            return vector([{"metric": {}, "value": [0, str(len(found))]}])
        if expr.startswith("topk("):
            counts = Counter(one["__name__"] for one in self.selected(names, job))
            return vector([{"metric": {"__name__": name}, "value": [0, str(many)]} for name, many in counts.items()])
        return vector([{"metric": one} for one in found])

    def selected(self, names: re.Match[str] | None, job: re.Match[str] | None) -> Series:
        """The series of one of the names, or of the job."""
        return [
            {"__name__": name, **labels}
            for name, series in self.series.items()
            for labels in series
            if (job is None or labels.get("job") == job[1]) and (names is None or name in names[1].split("|"))
        ]

    def metadata(self, request: Request) -> Reply:
        job = re.search(r'job="([^"]*)"', request.query["match_target"][0])
        assert job is not None
        return Reply(200, {"data": [{"metric": name, "type": kind} for name, kind in self.told[job[1]]]})

    def web(self, metric: str, **labels: str) -> None:
        self.series[metric].append({**WEB, **labels})


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    with running_server() as server:
        yield Prometheus(server)


@pytest.fixture
def run(prometheus: Prometheus, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run_it(contract: str = CONTRACT, **args: Any) -> dict[str, Any]:
        file = tmp_path / "services.yaml"
        file.write_text(contract)
        options = {"timeout": 0, "interval": 0, "prometheus": {"url": prometheus.server.url}, **args}
        return run_module(metrics_contract_verify, contract=str(file), **options)

    return run_it


Run = Callable[..., dict[str, Any]]


def told(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(finding["id"], finding["severity"], finding["object"]) for finding in result["findings"]]


def test_a_contract_that_is_kept(run: Run) -> None:
    result = run()
    assert result["findings"] == []
    assert result["changed"] is False
    assert result["summary"] == {"checked": 5, "passed": 5}
    assert result["services"] == {
        "web": {"targets": 1, "metrics": 2, "series": 3, "all_series": 7},
        "box": {"targets": 1, "metrics": 1, "series": 500, "all_series": 501},
        "spans": {"targets": 0, "metrics": 1, "series": 1, "all_series": 1},
    }


def test_only_some_services(run: Run, prometheus: Prometheus) -> None:
    del prometheus.series["box_up"]
    assert run(services=["web", "spans"])["summary"] == {"checked": 4, "passed": 4}
    result = run(services=["web", "bux"])
    assert "the contract has no service 'bux': did you mean 'box'?" in result["msg"]
    assert [finding["id"] for finding in result["findings"]] == ["contract/unknown-service"]


@pytest.mark.parametrize(
    ("spoil", "found", "said"),
    [
        (lambda it: it.series.pop("hits_total"), ("missing", "error", "web/hits_total"), "it has no series"),
        (lambda it: it.series.pop("calls_total"), ("missing", "error", "spans/calls_total"), "it has no series"),
        (
            lambda it: it.told["web"].__setitem__(0, ("hits_total", "gauge")),
            ("type", "error", "web/hits_total"),
            "it is a gauge, the contract says counter",
        ),
        (
            lambda it: it.web("hits_total", status="teapot", route="/a"),
            ("value", "error", "web/hits_total"),
            "label status has the value teapot, which the contract does not allow",
        ),
        (
            lambda it: it.web("hits_total", status="200", route="/c"),
            ("unbounded", "error", "web/hits_total"),
            "label route has 3 values, the contract allows 2",
        ),
        (
            lambda it: it.series.__setitem__("hits_total", [{**WEB, "status": "200"}]),
            ("label", "error", "web/hits_total"),
            "none of its series has the label route",
        ),
        (
            lambda it: it.web("hits_total", status="200", route="/a", user="u1"),
            ("undeclared-label", "warning", "web/hits_total"),
            "the contract does not declare label user",
        ),
        (
            lambda it: it.told["web"].append(("secret", "counter")),
            ("undeclared", "warning", "web/secret_total"),
            "the contract does not declare this counter",
        ),
        (
            lambda it: it.series["wait_seconds_bucket"].pop(1),
            ("bucket", "error", "web/wait_seconds"),
            "1 s of slo.latency is not one of its buckets",
        ),
        (
            lambda it: it.series["up"].__setitem__(0, {**WEB, "namespace": "prod"}),
            ("place", "error", "web"),
            "it is scraped in namespace prod, not in shop",
        ),
        (
            lambda it: it.series["up"].__setitem__(0, {**WEB, "endpoint": "http"}),
            ("place", "error", "web"),
            "it is scraped in port http, not in http-metrics",
        ),
        (lambda it: it.series["up"].pop(1), ("no-target", "error", "box"), "nothing is scraped as job 'box-exporter'"),
    ],
)
def test_what_is_not_kept(
    run: Run, prometheus: Prometheus, spoil: Callable[[Prometheus], object], found: tuple[str, str, str], said: str
) -> None:
    spoil(prometheus)
    result = run()
    identity, severity, about = found
    assert told(result) == [(f"contract/{identity}", severity, about)]
    assert result["findings"][0]["message"] == said
    assert result.get("failed", False) is (severity == "error")


def test_a_native_histogram_has_no_buckets_to_miss(run: Run, prometheus: Prometheus) -> None:
    del prometheus.series["wait_seconds_bucket"], prometheus.series["wait_seconds_count"]
    prometheus.series["wait_seconds"] = [WEB]
    assert run()["findings"] == []


def test_a_teams_own_names_are_asked_for(run: Run, prometheus: Prometheus) -> None:
    prometheus.series["shop_hits_total"] = [{**one, "job": "shop"} for one in prometheus.series.pop("hits_total")]
    prometheus.series["shop_wait_count"] = [{**WEB, "job": "shop"}]
    prometheus.series["shop_wait_bucket"] = [{"job": "shop", "le": "1.0"}]
    prometheus.series["up"][0] = {**WEB, "job": "shop"}
    prometheus.told["shop"] = [("shop_hits", "counter"), ("shop_wait", "histogram")]
    names = "names:\n  metrics: {hits_total: shop_hits_total, wait_seconds: shop_wait}\n  jobs: {web: shop}\n"
    assert told(run(names + CONTRACT)) == []


VERSIONS = """\
services:
  web:
    exhaustive: true
    metrics:
      use_ratio:
        type: gauge
        labels: {host: {max: 9, aliases: [Host]}}
        aliases: {use_percent: 0.01}
        record: web:use:ratio
"""


@pytest.mark.parametrize("label", ["host", "Host"])
@pytest.mark.parametrize("name", ["use_ratio", "use_percent"])
def test_another_versions_names_will_do(run: Run, prometheus: Prometheus, name: str, label: str) -> None:
    prometheus.series[name] = [{**WEB, label: "a"}]
    prometheus.told["web"] = [(name, "gauge")]
    assert run(VERSIONS)["findings"] == []


def test_a_metric_that_has_none_of_its_names_is_told_with_what_keeps_its_unit(run: Run, prometheus: Prometheus) -> None:
    prometheus.told["web"] = []
    (finding,) = run(VERSIONS)["findings"]
    assert finding["message"] == "it has no series, nor have its other names use_percent"
    assert "under the metric's aliases, with the factor that makes its unit" in finding["hint"]


def test_a_label_that_is_gone_is_told_of_any_service_unless_it_is_optional(run: Run, prometheus: Prometheus) -> None:
    for series in prometheus.series["box_up"]:
        del series["disk"]
    (finding,) = run()["findings"]
    assert (finding["id"], finding["object"]) == ("contract/label", "box/box_up")
    assert finding["message"] == "none of its series has the label disk"
    assert "write that under the label's aliases" in finding["hint"]
    assert run(CONTRACT.replace("{max: 5}", "{max: 5, optional: true}"))["findings"] == []


@pytest.mark.parametrize("budget", [501, 500])
def test_more_series_than_the_budget_name_the_metrics_with_most(run: Run, budget: int) -> None:
    found = run(CONTRACT.replace("job: box-exporter", f"job: box-exporter\n    max_series: {budget}"))["findings"]
    if budget == 501:
        assert found == []
        return
    assert [(one["id"], one["severity"], one["object"]) for one in found] == [("contract/series", "error", "box")]
    assert found[0]["message"] == "it has 501 series, its budget is 500; most are of box_up 500, up 1"


def test_it_waits_for_what_comes(run: Run, prometheus: Prometheus) -> None:
    late = prometheus.series.pop("hits_total")

    def come(request: Request) -> Reply:
        if len(prometheus.server.seen("GET", "/api/v1/targets/metadata")) > 2:
            prometheus.series["hits_total"] = late
        return prometheus.query(request)

    prometheus.server.on("POST", "/api/v1/query", come)
    assert run(timeout=20)["findings"] == []


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        (
            "services: {web: {metrics: {a: {type: count}}}}",
            "services.yaml:1:38: metric 'a' needs a type: counter, gauge",
        ),
        ("servces: {}", "unknown key 'servces'"),
        ("a: [", "not YAML"),
    ],
)
def test_a_contract_that_is_none_asks_nothing(run: Run, prometheus: Prometheus, contract: str, said: str) -> None:
    assert said in run(contract)["msg"]
    assert prometheus.server.requests == []


def test_a_contract_that_is_not_there(prometheus: Prometheus) -> None:
    result = run_module(metrics_contract_verify, contract="/nowhere.yaml", prometheus={"url": prometheus.server.url})
    assert "/nowhere.yaml: No such file or directory" in result["msg"]


def test_credentials_that_are_wrong_are_not_waited_for(run: Run, prometheus: Prometheus) -> None:
    prometheus.server.on("POST", "/api/v1/query", Reply(401, {"message": "Unauthorized"}))
    assert "401 Unauthorized (Check the credentials)" in run(timeout=600)["msg"]
