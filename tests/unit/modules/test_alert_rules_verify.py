# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.modules import alert_rules_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

FILE = {
    "groups": [
        {
            "name": "api",
            "rules": [
                {"record": "job:requests:rate5m", "expr": "sum by(job)(rate(http_requests_total[5m]))"},
                {"alert": "HighErrorRate", "expr": "job:errors:ratio>0.05", "for": "1h30m"},
            ],
        }
    ]
}
RECORD = {"type": "recording", "name": "job:requests:rate5m", "query": "sum by(job) (rate(http_requests_total[5m]))"}
ALERT = {"type": "alerting", "name": "HighErrorRate", "query": "job:errors:ratio > 0.05", "duration": 5400}
FORMATTED = {
    str(rule["expr"]): str(loaded["query"])
    for rule, loaded in zip(FILE["groups"][0]["rules"], (RECORD, ALERT), strict=True)
}


NOW = 1_793_534_400.0
"""Noon of 2026-11-01 by Prometheus' clock, which is not the one of this machine."""


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        running.on("POST", "/api/v1/format_query", format_query)
        alertmanagers = {"activeAlertmanagers": [{"url": "http://am:9093/api/v2/alerts"}]}
        running.ok("GET", "/api/v1/alertmanagers", {"data": alertmanagers})
        running.on("POST", "/api/v1/query", Reply(200, {"data": {"resultType": "scalar", "result": [0, str(NOW)]}}))
        yield running


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.yaml"
    path.write_text(yaml.safe_dump(FILE))
    return path


def format_query(request: Request) -> Reply:
    return Reply(200, {"data": pretty(request.body["query"][0])})


def pretty(expr: str) -> str:
    """As Prometheus does: its pretty form differs from the one that it lists rules in."""
    return FORMATTED.get(expr, expr).replace(" > ", "\n>\n  ")


def loaded(*rules: dict[str, Any], age: float = 20, duration: float = 0.1) -> Reply:
    return Reply(200, {"data": {"groups": [evaluated("api", *rules, age=age, duration=duration)]}})


def evaluated(name: str, *rules: dict[str, Any], age: float, duration: float = 0.1) -> dict[str, Any]:
    """A group that was evaluated so many seconds ago; its interval is half a minute."""
    return {
        "name": name,
        "rules": [{"health": "ok", **rule} for rule in rules],
        "interval": 30,
        "evaluationTime": duration,
        "lastEvaluation": datetime.datetime.fromtimestamp(NOW - age, datetime.UTC).isoformat(),
    }


def run(server: Server, path: Path, **args: Any) -> dict[str, Any]:
    return run_module(alert_rules_verify, prometheus={"url": server.url}, paths=[str(path)], interval=0, **args)


def ids(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["id"], finding["object"]) for finding in result["findings"]}


def test_all_loaded(server: Server, rules: Path) -> None:
    server.on("GET", "/api/v1/rules", loaded(RECORD, ALERT))
    result = run(server, rules, timeout=0)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 3, "passed": 3}
    assert result["alertmanagers"] == ["http://am:9093/api/v2/alerts"]


def test_a_manifest_reads_the_same(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump({"kind": "PrometheusRule", "spec": FILE}))
    server.on("GET", "/api/v1/rules", loaded(RECORD, ALERT))
    assert run(server, path, timeout=0)["summary"] == {"checked": 3, "passed": 3}


def test_the_teams_own_names(server: Server, rules: Path, tmp_path: Path) -> None:
    contract = tmp_path / "services.yaml"
    contract.write_text(yaml.safe_dump({"names": {"metrics": {"http_requests_total": "web_total"}}, "services": {}}))
    renamed = {**RECORD, "query": "sum by(job)(rate(web_total[5m]))"}
    server.on("GET", "/api/v1/rules", loaded(renamed, ALERT))
    assert run(server, rules, timeout=0, contract=str(contract))["findings"] == []
    assert ids(run(server, rules, timeout=0)) == {("alerts/differs", "api/job:requests:rate5m")}


@pytest.mark.parametrize("text", ["", "[]", "services: {a: 1}", "a: ["])
def test_a_contract_that_is_none(server: Server, rules: Path, tmp_path: Path, text: str) -> None:
    contract = tmp_path / "services.yaml"
    contract.write_text(text)
    result = run(server, rules, contract=str(contract))
    assert result["failed"] is True
    assert "The contract or the list of services cannot be used: 1 error" in result["msg"]
    assert str(contract) in result["msg"]
    assert server.requests == []


def test_rules_of_services_that_do_not_run_are_not_wanted(server: Server, rules: Path, tmp_path: Path) -> None:
    contract = tmp_path / "services.yaml"
    metric = {"http_requests_total": {"type": "counter"}}
    contract.write_text(yaml.safe_dump({"services": {"api": {"metrics": metric}, "box": {"metrics": {}}}}))
    server.on("GET", "/api/v1/rules", loaded(ALERT))
    assert ids(run(server, rules, timeout=0, contract=str(contract))) == {
        ("alerts/not-loaded", "api/job:requests:rate5m")
    }
    assert run(server, rules, timeout=0, contract=str(contract), services=["box"])["findings"] == []


def test_a_list_of_services_needs_a_contract_that_has_them(server: Server, rules: Path, tmp_path: Path) -> None:
    result = run(server, rules, services=["box"])
    assert "the option services names services of a contract, and there is none" in result["msg"]
    contract = tmp_path / "services.yaml"
    contract.write_text("services: {vllm: {metrics: {}}}")
    result = run(server, rules, contract=str(contract), services=["vlm"])
    assert "the contract has no service 'vlm': did you mean 'vllm'?" in result["msg"]
    assert server.requests == []


def test_waits_until_the_operator_has_loaded_them(server: Server, rules: Path) -> None:
    server.on("GET", "/api/v1/rules", loaded(), loaded(RECORD, {**ALERT, "health": "unknown"}), loaded(RECORD, ALERT))
    assert run(server, rules, timeout=20)["findings"] == []
    assert len(server.seen("GET", "/api/v1/rules")) == 3


@pytest.mark.parametrize(
    ("alert", "finding"),
    [
        ({**ALERT, "name": "Other"}, "alerts/not-loaded"),
        ({**ALERT, "query": "job:errors:ratio > 0.5"}, "alerts/differs"),
        ({**ALERT, "duration": 60}, "alerts/differs"),
        ({**ALERT, "health": "unknown"}, "alerts/not-evaluated"),
        ({**ALERT, "health": "err", "lastError": "many-to-many"}, "alerts/evaluation-error"),
    ],
)
def test_what_is_wrong_with_a_rule(server: Server, rules: Path, alert: dict[str, Any], finding: str) -> None:
    server.on("GET", "/api/v1/rules", loaded(RECORD, alert))
    result = run(server, rules, timeout=0)
    assert ids(result) == {(finding, "api/HighErrorRate")}
    assert result["summary"] == {"checked": 3, "passed": 2}


def test_rules_that_are_evaluated_no_more(server: Server, rules: Path) -> None:
    server.on("GET", "/api/v1/rules", loaded(RECORD, ALERT, age=900))
    result = run(server, rules, timeout=0)
    assert [(one["id"], one["object"], one["message"]) for one in result["findings"]] == [
        (
            "alerts/evaluation-late",
            "api",
            "its rules were last evaluated at 11:45:00 UTC, 15 minutes ago; its interval is 30 s",
        )
    ]
    assert result["summary"] == {"checked": 3, "passed": 1}


def test_a_prometheus_that_evaluates_nothing_is_one_finding(server: Server, rules: Path) -> None:
    groups = [evaluated("api", RECORD, ALERT, age=600), evaluated("other", age=3600)]
    server.ok("GET", "/api/v1/rules", {"data": {"groups": groups}})
    (finding,) = run(server, rules, timeout=0)["findings"]
    assert (
        finding["message"]
        == "Prometheus evaluates no rule any more: none of its 2 groups since 11:50:00 UTC, 10 minutes ago"
    )


def test_a_group_that_takes_longer_than_its_interval_is_a_warning(server: Server, rules: Path) -> None:
    server.on("GET", "/api/v1/rules", loaded(RECORD, ALERT, age=80, duration=41.5))
    result = run(server, rules, timeout=0)
    assert "failed" not in result
    assert [(one["id"], one["severity"], one["message"]) for one in result["findings"]] == [
        ("alerts/evaluation-slow", "warning", "evaluating its rules took 41.5 s, its interval is 30 s")
    ]


def test_an_evaluation_error_elsewhere(server: Server, rules: Path) -> None:
    other = {"type": "recording", "name": "x", "query": "y", "health": "err", "lastError": "boom"}
    server.on("GET", "/api/v1/rules", loaded(RECORD, ALERT, other))
    assert ids(run(server, rules, timeout=0)) == {("alerts/evaluation-error", "api/x")}


def test_rules_of_an_object_that_is_gone_are_one_finding(server: Server, rules: Path, tmp_path: Path) -> None:
    """The cause is looked up where the cluster can be asked."""
    service = "prometheus-kube-prometheus-prometheus"
    ports = [{"name": "http", "port": 9090}]
    with FakeKube() as kube:
        kube.add(f"/api/v1/namespaces/ias-system/services/{service}", spec={"ports": ports})
        kube.add(
            f"/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices/{service}",
            metadata={"labels": {"kubernetes.io/service-name": service}},
            ports=ports,
            endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "prometheus-0"}}],
        )
        kube.ports["prometheus-0", 9090] = server.port
        kube.serves.add("/apis/monitoring.coreos.com/v1/prometheusrules")
        server.on("GET", "/api/v1/rules", loaded())
        kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
        result = run_module(alert_rules_verify, paths=[str(rules)], timeout=0, kubeconfig=kubeconfig)
    (finding,) = result["findings"]
    assert finding["message"] == "PrometheusRule ias-system/ias-platform-alerts does not exist: 2 rules are missing"
    assert finding["evidence"]["objects"] == ["api/job:requests:rate5m", "api/HighErrorRate"]
    assert result["summary"] == {"checked": 3, "passed": 1}


def test_no_alertmanager(server: Server, rules: Path) -> None:
    server.on("GET", "/api/v1/rules", loaded(RECORD, ALERT))
    server.ok("GET", "/api/v1/alertmanagers", {"data": {"activeAlertmanagers": []}})
    assert ids(run(server, rules, timeout=0)) == {("alerts/no-alertmanager", "")}


@pytest.mark.parametrize("text", ["", "[]", "groups: 3", "groups: [{name: a, rules: [{}]}]", "a: [", "\x00"])
def test_a_file_that_is_no_rule_file(server: Server, rules: Path, text: str) -> None:
    rules.write_text(text)
    result = run(server, rules)
    assert result["failed"] is True
    assert str(rules) in result["msg"]
    assert server.requests == []


def test_a_missing_file(server: Server, tmp_path: Path) -> None:
    assert "No such file" in run(server, tmp_path / "none.yaml")["msg"]
