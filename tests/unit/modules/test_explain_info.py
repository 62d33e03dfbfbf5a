# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a panel, an alert, a target, a pod or a trace to its cause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import explain_info
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.unit._causes.states import healthy, pod

PROXY = "/api/datasources/proxy/uid/prometheus"
ID = "4bf92f3577b34da6a3ce929d0e0e4736"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def server() -> Iterator[Server]:
    """Prometheus, Loki, Tempo, Alertmanager and Grafana at one address; of everything there is nothing."""
    with running_server() as running:
        running.ok("POST", "/loki/api/v1/query", vector())
        running.ok("GET", "/api/v1/targets", {"data": {"activeTargets": [], "droppedTargetCounts": {}}})
        running.ok("GET", "/api/v1/rules", {"data": {"groups": []}})
        for prefix in ("", PROXY):
            running.on("POST", f"{prefix}/api/v1/query", Reply(200, vector()))
        yield running


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as running:
        groups = {"pods": "/api/v1", "services": "/api/v1", "events": "/api/v1"}
        for kind, items in healthy().items():
            apps = kind in {"deployments", "daemonsets", "statefulsets", "replicasets"}
            base = groups.get(kind) or ("/apis/apps/v1" if apps else "/apis/monitoring.coreos.com/v1")
            running.serves.add(f"{base}/{kind}")
            for item in items if kind not in {"namespaces", "nodes"} else ():
                meta = item["metadata"]
                running.objects[f"{base}/namespaces/{meta['namespace']}/{kind}/{meta['name']}"] = item
        yield running


@pytest.fixture
def explain(server: Server, kube: FakeKube, tmp_path: Path) -> Run:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    services = {name: {"url": server.url} for name in ("prometheus", "loki", "tempo", "grafana", "alertmanager")}

    def run(**options: Any) -> dict[str, Any]:
        return run_module(explain_info, kubeconfig=kubeconfig, **(services | options))

    return run


def vector(*labels: dict[str, str], value: float = 1) -> dict[str, Any]:
    result = [{"metric": entry, "value": [1700000000, str(value)]} for entry in labels]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def dashboard(server: Server, expr: str, *, shown: bool = False) -> None:
    panel = {
        "id": 1,
        "title": "Requests",
        "targets": [{"refId": "A", "expr": expr}],
        "datasource": {"uid": "prometheus"},
    }
    source = {"uid": "prometheus", "name": "Prometheus", "type": "prometheus", "isDefault": True}
    server.ok("GET", "/api/search", [{"uid": "api", "title": "API Router Performance"}])
    server.ok("GET", "/api/dashboards/uid/api", {"dashboard": {"title": "API Router Performance", "panels": [panel]}})
    server.ok("GET", "/api/datasources", [source])
    server.ok("GET", "/api/datasources/uid/prometheus/health", {"status": "OK", "message": "works"})
    fields = [{"type": "time"}, {"type": "number"}]
    frame = {"schema": {"fields": fields}, "data": {"values": [[1_700_000_000_000], [5]]}}
    server.ok("POST", "/api/ds/query", {"results": {"A": {"frames": [frame] if shown else []}}})


def test_a_panel_with_a_label_that_no_series_has(server: Server, explain: Run) -> None:
    dashboard(server, 'sum(rate(up{modle="x"}[$__rate_interval]))')

    def answer(request: Request) -> Reply:
        return Reply(200, vector({}) if request.body["query"] == ["group(up)"] else vector())

    server.on("POST", f"{PROXY}/api/v1/query", answer)
    server.ok("GET", f"{PROXY}/api/v1/labels", {"data": ["__name__", "model"]})
    result = explain(panel="api router/requests")
    assert result["cause"] == 'no series of up has modle="x": it has no label modle'
    assert result["hint"] == "Did you mean 'model'?"
    assert result["healthy"] is False
    assert result["lines"][0] == result["cause"]
    assert result["lines"][-1] == "Next: Did you mean 'model'?"
    states = [(step["state"], step["text"]) for step in result["chain"]]
    assert states[0] == ("ok", "dashboard API Router Performance has the panel Requests")
    assert ("broken", "API Router Performance/Requests shows no data of now") in states


def test_a_healthy_panel_says_so_with_its_newest_sample(server: Server, explain: Run) -> None:
    dashboard(server, "up", shown=True)
    server.ok("POST", f"{PROXY}/api/v1/query", vector({}, value=5))
    result = explain(panel="API Router Performance/Requests")
    assert result["healthy"] is True
    assert result["cause"] == "nothing is wrong: it shows data, the newest of 2023-11-14 22:13:20 UTC"


def test_a_panel_of_what_crosses_a_limit_may_be_empty(server: Server, explain: Run) -> None:
    dashboard(server, "up > 5")
    up = lambda request: Reply(200, vector({}, value=3) if request.body["query"] == ["up"] else vector())  # noqa: E731
    server.on("POST", f"{PROXY}/api/v1/query", up)
    result = explain(panel="API Router Performance/Requests")
    assert result["cause"] == "nothing is wrong: it shows nothing, and need not: no series is > 5: up is 3"


def test_a_panel_may_be_empty_where_its_description_says_so(server: Server, explain: Run) -> None:
    dashboard(server, "up")
    found = server.reply(Request("GET", "/api/dashboards/uid/api", {}, {}, None))
    assert isinstance(found, Reply)
    found.body["dashboard"]["panels"][0]["description"] = "May be empty: nothing fires on a good day"
    result = explain(panel="API Router/Requests")
    assert result["cause"] == "nothing is wrong: it shows nothing, and may: nothing fires on a good day"
    assert result["chain"][-2]["state"] == "unknown"


def test_a_panel_that_shows_what_was(server: Server, explain: Run) -> None:
    """A rate of five minutes still has data when its target has been gone for three."""
    dashboard(server, "sum(rate(up[5m]))", shown=True)
    result = explain(panel="API Router Performance/Requests")
    assert result["cause"].startswith("Prometheus has no metric up")


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        ("API Rooter/Requests", "Grafana has no dashboard API Rooter"),
        ("API Router/Request by", "dashboard API Router Performance has no panel Request by"),
    ],
)
def test_a_panel_that_is_not_there(server: Server, explain: Run, wanted: str, cause: str) -> None:
    dashboard(server, "up")
    assert explain(panel=wanted)["cause"] == cause


def test_a_data_source_that_is_not_there(server: Server, explain: Run) -> None:
    dashboard(server, "up")
    server.ok("GET", "/api/datasources", [{"uid": "prom", "name": "Prom", "type": "prometheus"}])
    result = explain(panel="API Router/Requests")
    assert result["cause"] == "query A asks data source prometheus, which Grafana does not have"


def test_a_variable_without_a_value(server: Server, explain: Run) -> None:
    dashboard(server, 'up{model=~"$model"}')
    found = server.reply(Request("GET", "/api/dashboards/uid/api", {}, {}, None))
    assert isinstance(found, Reply)
    variable = {"name": "model", "type": "query", "query": "label_values(requests_total, model)"}
    found.body["dashboard"]["templating"] = {"list": [variable]}
    server.ok("GET", f"{PROXY}/api/v1/label/model/values", {"data": []})
    result = explain(panel="API Router/Requests")
    assert result["cause"] == "Prometheus has no metric requests_total, and had none within 6h"
    assert "variable model has no value: its query finds nothing" in [step["text"] for step in result["chain"]]


def test_a_target_that_is_scraped(server: Server, explain: Run) -> None:
    target = {"labels": {"job": "web"}, "scrapeUrl": "http://web/metrics", "health": "up"}
    target["lastScrape"] = "2023-11-14T22:13:20Z"
    server.ok("GET", "/api/v1/targets", {"data": {"activeTargets": [target]}})
    result = explain(target="web")
    assert result["cause"] == "nothing is wrong: 1 target is up (job web), last scraped at 2023-11-14 22:13:20 UTC"


def test_a_target_whose_pods_are_scaled_away(kube: FakeKube, explain: Run) -> None:
    del kube.objects["/api/v1/namespaces/ias-system/pods/web-1"]
    kube.objects["/apis/apps/v1/namespaces/ias-system/deployments/web"]["spec"]["replicas"] = 0
    assert explain(target="web")["cause"] == "Deployment ias-system/web is scaled to 0"
    assert explain(pod="ias-system/web")["cause"] == "Deployment ias-system/web is scaled to 0"


def test_a_pod_that_is_not_ready(kube: FakeKube, explain: Run) -> None:
    kube.objects["/api/v1/namespaces/ias-system/pods/web-1"] = pod("web-1", {"app": "web"}, ready=False)
    assert explain(pod="web-1")["cause"] == "pod ias-system/web-1 runs, but container main is not ready"


def test_a_pod_whose_lines_do_not_arrive(kube: FakeKube, server: Server, explain: Run) -> None:
    kube.texts["/api/v1/namespaces/ias-system/pods/web-1/log"] = "2023-11-14T22:13:20Z a line\n"
    kube.texts["/api/v1/namespaces/ias-system/pods/alloy-1/log"] = 'level=error status=401 error="no org id"\n'
    answers = [Reply(200, vector()), Reply(200, vector({}, value=1))]
    answers[1].body["data"]["result"][0]["value"][0] = time.time()
    server.on("POST", "/loki/api/v1/query", *answers)
    result = explain(pod="web-1", collector_labels={"app": "alloy"})
    chain = [step["text"] for step in result["chain"] if step["state"] == "broken"]
    assert chain[0] == "the last lines of ias-system/web-1 (main) are not in Loki"


def test_an_alert_that_is_not_loaded(explain: Run) -> None:
    result = explain(alert="Down")
    assert result["cause"].startswith("Prometheus' configuration does not have PrometheusRule ias-system/rules")


def alert(server: Server, expr: str) -> None:
    rule = {"type": "alerting", "name": "Down", "query": expr, "duration": 60, "health": "ok"}
    server.ok(
        "GET", "/api/v1/rules", {"data": {"groups": [{"name": "g", "file": "f", "interval": 30, "rules": [rule]}]}}
    )


def test_an_alert_whose_condition_is_not_met(server: Server, explain: Run) -> None:
    alert(server, "up > 5")
    server.on(
        "POST",
        "/api/v1/query",
        lambda request: Reply(200, vector({}, value=3) if request.body["query"] == ["up"] else vector()),
    )
    result = explain(alert="Down")
    assert result["cause"] == "nothing is wrong: its condition is not met: no series is > 5: up is 3"


def firing(server: Server, **status: Any) -> None:
    alert(server, "up == 1")
    server.ok("POST", "/api/v1/query", vector({}))
    server.ok("GET", "/api/v1/alertmanagers", {"data": {"activeAlertmanagers": [{"url": "http://am"}]}})
    held = {"labels": {"alertname": "Down"}, "fingerprint": "f1", "receivers": [{"name": "page"}], "status": status}
    other = {"labels": {"alertname": "Node"}, "fingerprint": "f2", "receivers": []}
    server.on("GET", "/api/v2/alerts", lambda request: Reply(200, [held] if request.query else [held, other]))
    server.ok("GET", "/api/v2/silences", [{"id": "s1", "createdBy": "ops", "comment": "maintenance"}])
    configuration = "receivers: [{name: page, webhook_configs: [{url: x}]}]"
    server.ok("GET", "/api/v2/status", {"config": {"original": configuration}})


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ({"state": "suppressed", "silencedBy": ["s1"]}, "silence s1 (ops: maintenance) keeps the alert back"),
        ({"state": "suppressed", "inhibitedBy": ["f2"]}, "the alert is inhibited by Node, which fires, too"),
        ({"state": "active"}, "nothing is wrong: receiver page takes notifications by webhook"),
    ],
)
def test_an_alert_that_fires(server: Server, explain: Run, status: dict[str, Any], cause: str) -> None:
    firing(server, **status)
    assert cause in explain(alert="Down")["cause"]


def test_a_trace_that_only_logs_know(server: Server, kube: FakeKube, explain: Run) -> None:
    server.on("GET", f"/api/traces/{ID}", Reply(404))
    server.ok("POST", "/loki/api/v1/query", vector({"service_name": "web"}))
    ports = [{"port": port} for port in (3200, 4317, 4318)]
    kube.add("/api/v1/namespaces/ias-system/services/tempo", spec={"ports": ports})
    assert explain(trace=ID)["cause"].startswith(f"web logged trace {ID}, but exported no span of it")


def test_a_trace_that_nobody_knows(server: Server, explain: Run) -> None:
    server.on("GET", f"/api/traces/{ID}", Reply(404))
    assert explain(trace=ID)["cause"] == f"neither Tempo nor a log of the last 24 hours knows trace {ID}"


def test_a_service_that_cannot_be_asked(explain: Run) -> None:
    result = explain(target="web", prometheus={})
    assert result["cause"] == "Service ias-system/prometheus-kube-prometheus-prometheus does not exist"
    assert "failed" not in result


def test_bad_input(explain: Run, tmp_path: Path) -> None:
    assert "one of the following" in explain()["msg"]
    assert "mutually exclusive" in explain(pod="a", target="b")["msg"]
    assert "the contract cannot be read" in explain(pod="a", contract=str(tmp_path / "none.yaml"))["msg"]
    assert "not a regular expression" in explain(pod="a", ignore_lines=["("])["msg"]
