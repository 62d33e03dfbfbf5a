# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mimir's programs as pods of a scripted API server, their HTTP as scripted answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._checks.mimir import PROGRAMS, pod_state
from ansible_collections.ias.observability.plugins.module_utils._verify.mimir import (
    AGE,
    DROPPED,
    PENDING,
    SENT,
    last_error,
)
from ansible_collections.ias.observability.plugins.modules import mimir_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

NAMESPACE = "/api/v1/namespaces/ias-system"
NOW = 1_800_000_000
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
CRASHED = {
    "conditions": [{"type": "Ready", "status": "False"}],
    "containerStatuses": [
        {"name": "ingester", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}
    ],
}
LOG = """\
ts=2027-01-15T08:00:00Z caller=sanity_check.go:39 level=info msg="Checking object storage config"
ts=2027-01-15T08:00:01Z caller=sanity_check.go:41 level=error msg="Unable to successfully connect to configured object \
storage" err="blocks storage: the key is wrong"
ts=2027-01-15T08:00:01Z caller=mimir.go:1119 level=error msg="module failed" module=server err="depends on sanity-check"
ts=2027-01-15T08:00:01Z caller=module_service.go:120 level=info msg="module stopped" module=activity-tracker
"""
Run = Callable[..., dict[str, Any]]


class Mimir:
    """Both Mimir and Prometheus: `values` has what they answer to each expression."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.keeps = True
        self.written: list[int] = []
        self.values: dict[str, float | None] = {AGE: 20.0, SENT: 5000.0, PENDING: 0.0, DROPPED: 0.0}
        server.on("POST", "/otlp/v1/metrics", self.take)
        server.on("POST", "/prometheus/api/v1/query", self.query)
        server.on("POST", "/api/v1/query", self.query)
        for name in ("ingester", "store-gateway", "compactor"):
            self.ring(name, **{f"mimir-{name}-0": "ACTIVE"})

    def ring(self, name: str, **members: str) -> None:
        shards = [{"id": member, "state": state} for member, state in members.items()]
        self.server.ok("GET", f"/{name}/ring", {"shards": shards, "now": "2027-01-15T08:00:00Z"})

    def take(self, request: Request) -> Reply:
        (metric,) = request.body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        (point,) = metric["gauge"]["dataPoints"]
        assert int(point["timeUnixNano"]) == point["asDouble"] * 10**9
        if self.keeps:
            self.written.append(point["asDouble"])
        return Reply(200, {})

    def query(self, request: Request) -> Reply:
        expr = request.body["query"][0]
        if expr == "time()":
            return Reply(200, {"status": "success", "data": {"resultType": "scalar", "result": [NOW, str(NOW)]}})
        value = self.values[expr] if expr in self.values else (self.written or [None])[-1]
        result = [] if value is None else [{"metric": {}, "value": [NOW, str(value)]}]
        return Reply(200, {"status": "success", "data": {"resultType": "vector", "result": result}})


@pytest.fixture
def mimir() -> Iterator[Mimir]:
    with running_server() as server:
        yield Mimir(server)


@pytest.fixture
def kube(mimir: Mimir) -> Iterator[FakeKube]:
    with FakeKube() as kube:
        for program in PROGRAMS:
            pod(kube, program, READY)
            service(kube, mimir, f"mimir-{program}", f"mimir-{program}-0", 8080)
        service(kube, mimir, "prometheus-kube-prometheus-prometheus", "prometheus-0", 9090)
        yield kube


def pod(kube: FakeKube, program: str, status: dict[str, Any]) -> None:
    labels = {
        "app.kubernetes.io/name": "mimir",
        "app.kubernetes.io/instance": "mimir",
        "app.kubernetes.io/component": program,
    }
    kube.add(f"{NAMESPACE}/pods/mimir-{program}-0", metadata={"labels": labels}, status=status)


def service(kube: FakeKube, mimir: Mimir, name: str, pod_name: str, port: int) -> None:
    ports = [{"name": "http-metrics", "port": port}]
    kube.add(f"{NAMESPACE}/services/{name}", spec={"ports": ports})
    kube.add(
        f"/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices/{name}-1",
        metadata={"labels": {"kubernetes.io/service-name": name}},
        ports=ports,
        endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": pod_name}}],
    )
    kube.ports[pod_name, port] = mimir.server.port


def stop(kube: FakeKube, program: str) -> None:
    """No pod of it any more, as after a scaling to 0."""
    del kube.objects[f"{NAMESPACE}/pods/mimir-{program}-0"]
    kube.objects[f"/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices/mimir-{program}-1"]["endpoints"] = []


@pytest.fixture
def run(kube: FakeKube, tmp_path: Path) -> Run:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run(**options: Any) -> dict[str, Any]:
        return run_module(mimir_verify, kubeconfig=kubeconfig, **{"timeout": 0, "interval": 0} | options)

    return run


def errors(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["id"], finding["object"]) for finding in result["findings"]]


def test_a_sample_goes_in_and_comes_back(run: Run, mimir: Mimir) -> None:
    result = run()
    assert result["findings"] == []
    assert result["summary"] == {"checked": 11, "passed": 11}
    assert result["rings"]["ingester"] == {"mimir-ingester-0": "ACTIVE"}
    assert mimir.written == [NOW]


def test_without_ingesters_they_are_named_before_what_follows_from_it(run: Run, kube: FakeKube, mimir: Mimir) -> None:
    stop(kube, "ingester")
    mimir.ring("ingester", **{"mimir-ingester-0": "LEAVING"})
    mimir.server.on(
        "POST", "/otlp/v1/metrics", Reply(503, {"code": 14, "message": "at least 1 live replicas required"})
    )
    mimir.values[AGE] = None
    result = run()
    assert errors(result) == [
        ("mimir/not-running", "ingester"),
        ("mimir/refused", "distributor"),
        ("mimir/behind", "Prometheus"),
    ]
    first, refused, behind = (finding["message"] for finding in result["findings"])
    assert first == "no pod of Mimir's ingester exists"
    assert refused.endswith("503 at least 1 live replicas required")
    assert "Mimir has none" in behind
    assert result["summary"] == {"checked": 11, "passed": 8}


def test_a_program_that_crashes_is_named_with_its_last_error(run: Run, kube: FakeKube) -> None:
    pod(kube, "ingester", CRASHED)
    kube.texts[f"{NAMESPACE}/pods/mimir-ingester-0/log"] = LOG
    result = run()
    assert errors(result) == [("mimir/not-running", "ingester")]
    assert result["findings"][0]["message"] == (
        "pod mimir-ingester-0 is not ready: CrashLoopBackOff: back-off; "
        "its log: Unable to successfully connect to configured object storage: blocks storage: the key is wrong"
    )


def test_a_member_that_the_ring_has_lost(run: Run, mimir: Mimir) -> None:
    mimir.ring("store-gateway", **{"mimir-store-gateway-0": "ACTIVE", "mimir-store-gateway-1": "UNHEALTHY"})
    result = run()
    assert errors(result) == [("mimir/ring", "store-gateway")]
    assert "1 of 2 members" in result["msg"]
    assert "mimir-store-gateway-1 is UNHEALTHY" in result["msg"]


def test_a_query_path_that_does_not_answer(run: Run, kube: FakeKube) -> None:
    stop(kube, "query-frontend")
    assert errors(run()) == [("mimir/not-running", "query-frontend"), ("mimir/unreadable", "query-frontend")]


def test_a_sample_that_is_taken_and_lost(run: Run, mimir: Mimir) -> None:
    mimir.keeps = False
    assert errors(run()) == [("mimir/lost", "query-frontend")]


@pytest.mark.parametrize(
    ("values", "found", "said"),
    [
        ({SENT: None}, "mimir/not-fed", "sends its samples nowhere"),
        ({AGE: 600.0, PENDING: 1234.0}, "mimir/behind", "Mimir's newest is 10 minutes old, and 1234 wait to be sent"),
        ({DROPPED: 2.5}, "mimir/dropped", "refuses 2.5 samples a second"),
    ],
)
def test_what_prometheus_sends_must_arrive(
    run: Run, mimir: Mimir, values: dict[str, float | None], found: str, said: str
) -> None:
    mimir.values |= values
    result = run()
    assert errors(result) == [(found, "Prometheus")]
    assert said in result["msg"]


def test_a_prometheus_that_cannot_be_asked_is_one_finding_of_several(run: Run, kube: FakeKube) -> None:
    del kube.objects[f"{NAMESPACE}/services/prometheus-kube-prometheus-prometheus"]
    result = run()
    assert errors(result) == [("mimir/not-fed", "Prometheus")]
    assert "does not exist" in result["msg"]


def test_check_mode_writes_nothing(kube: FakeKube, tmp_path: Path, mimir: Mimir) -> None:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    result = run_module(mimir_verify, check=True, kubeconfig=kubeconfig)
    assert result["summary"] == {"checked": 0, "passed": 0}
    assert mimir.server.requests == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]},
            "Unschedulable: 0/3 nodes are available",
        ),
        (
            {"containerStatuses": [{"name": "x", "ready": False, "state": {"running": {}}}]},
            "it does not answer that it is ready",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({}, "its phase is unknown"),
    ],
)
def test_why_a_pod_is_not_ready(status: dict[str, Any], reason: str) -> None:
    state = pod_state({"metadata": {"name": "p"}, "status": status})
    assert (state.ready, state.reason) == (False, reason)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("ts=1 level=info msg=started\n", ""),
        ('ts=1 level=warn msg="will retry" err="the \\"key\\" is wrong"\n', 'will retry: the \\"key\\" is wrong'),
        ("panic: \x1b[31mred", "panic: \\x1b[31mred"),
        ('level=error msg="module failed" err="another one"\n', "module failed: another one"),
    ],
)
def test_what_a_log_says_last_of_trouble(log: str, said: str) -> None:
    assert last_error(log) == said
