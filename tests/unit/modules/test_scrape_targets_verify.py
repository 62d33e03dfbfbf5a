# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import scrape_targets_verify
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

TARGETS = "/api/v1/targets"
NOW = 1_793_534_400.0
"""Noon of 2026-11-01 by Prometheus' clock, which is not the one of this machine."""


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        running.ok("POST", "/api/v1/query", {"data": {"resultType": "scalar", "result": [NOW, str(NOW)]}})
        running.ok("GET", "/api/v1/status/runtimeinfo", {"data": {"reloadConfigSuccess": True}})
        yield running


def target(job: str, health: str, error: str = "", age: float = 20) -> dict[str, object]:
    """A target that was scraped so many seconds ago; its interval is half a minute."""
    scraped = datetime.datetime.fromtimestamp(NOW - age, datetime.timezone(datetime.timedelta(hours=2)))
    return {
        "labels": {"job": job},
        "scrapeUrl": f"http://{job}/metrics",
        "health": health,
        "lastError": error,
        "lastScrape": f"{scraped:%Y-%m-%dT%H:%M:%S.%f}789+02:00",
        "scrapeInterval": "30s",
    }


def answer(*targets: dict[str, object]) -> Reply:
    return Reply(200, {"status": "success", "data": {"activeTargets": list(targets)}})


def run(server: Server, **args: object) -> dict[str, Any]:
    return run_module(scrape_targets_verify, prometheus={"url": server.url}, interval=0, **args)


def test_all_up(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "up"), target("a", "up"), target("b", "up")))
    result = run(server, jobs=["a", "b"])
    assert result["jobs"] == {"a": {"up": 2, "down": 0}, "b": {"up": 1, "down": 0}}
    assert result["summary"] == {"checked": 3, "passed": 3}
    assert result["changed"] is False
    assert server.requests[0].query == {"state": ["active"]}


def test_waits_for_a_target_that_comes_up(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "unknown")), Reply(404), answer(target("a", "up")))
    assert run(server, timeout=20)["findings"] == []


def test_everything_that_is_wrong_is_told(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "down", "connection refused"), target("b", "unknown")))
    result = run(server, jobs=["a", "vllm"], timeout=0)
    assert result["failed"] is True
    assert {(finding["id"], finding["object"]) for finding in result["findings"]} == {
        ("targets/down", "a"),
        ("targets/not-scraped", "b"),
        ("targets/missing-job", "vllm"),
    }
    assert "http://a/metrics is down: connection refused" in str(result["msg"])
    assert result["summary"] == {"checked": 3, "passed": 0}


def test_a_target_that_is_scraped_no_more(server: Server) -> None:
    """Prometheus leaves it up: that is how its last scrape ended."""
    stale = [target("vllm", "up", age=900), target("vllm", "up", age=1200), target("api", "up", age=71)]
    server.on("GET", TARGETS, answer(*stale, target("web", "up", age=69)))
    result = run(server, timeout=0)
    assert [(one["id"], one["object"], one["message"]) for one in result["findings"]] == [
        (
            "targets/stale",
            "vllm",
            "2 targets were not scraped since 11:45:00 UTC, 15 minutes ago; the interval is 30 s",
        ),
        (
            "targets/stale",
            "api",
            "target http://api/metrics was not scraped since 11:58:49 UTC, 71 seconds ago; the interval is 30 s",
        ),
    ]
    assert result["summary"] == {"checked": 4, "passed": 1}


def test_a_prometheus_that_scrapes_nothing_is_one_finding(server: Server) -> None:
    server.on("GET", TARGETS, answer(*(target(job, "up", age=600) for job in ("a", "b", "c"))))
    (finding,) = run(server, timeout=0)["findings"]
    assert (
        finding["message"]
        == "Prometheus scrapes nothing any more: none of its 3 targets since 11:50:00 UTC, 10 minutes ago"
    )


def test_a_target_that_was_never_scraped_is_not_called_old(server: Server) -> None:
    server.on("GET", TARGETS, answer({**target("a", "unknown"), "lastScrape": "0001-01-01T00:00:00Z"}))
    assert [one["id"] for one in run(server, timeout=0)["findings"]] == ["targets/not-scraped"]


def test_a_configuration_that_prometheus_refused(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "up")))
    refused = {"reloadConfigSuccess": False, "lastConfigTime": "2026-11-01T09:00:00Z"}
    server.ok("GET", "/api/v1/status/runtimeinfo", {"data": refused})
    result = run(server, timeout=0)
    (finding,) = result["findings"]
    assert (finding["id"], finding["message"]) == (
        "targets/configuration",
        "Prometheus refused its newest configuration and runs the one of 2026-11-01T09:00:00Z",
    )
    assert result["summary"] == {"checked": 2, "passed": 1}


POD_OF_WEB = {"metadata": {"labels": {"app": "web"}}}


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as running:
        yield running


@pytest.fixture
def through_cluster(kube: FakeKube, server: Server, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Prometheus behind a Kubernetes API, with the monitor web in its own namespace and in another one."""
    slices = "/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices"
    monitoring = "/apis/monitoring.coreos.com/v1/namespaces"
    ports = [{"name": "http", "port": 9090}]
    kube.add("/api/v1/namespaces/ias-system/services/prometheus-kube-prometheus-prometheus", spec={"ports": ports})
    kube.add(
        f"{slices}/one",
        metadata={"labels": {"kubernetes.io/service-name": "prometheus-kube-prometheus-prometheus"}},
        ports=ports,
        endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "prometheus-0"}}],
    )
    kube.ports["prometheus-0", 9090] = server.port
    everything: dict[str, object] = {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}}
    kube.add(f"{monitoring}/ias-system/prometheuses/prometheus", spec=everything)
    web = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}
    kube.add("/api/v1/namespaces/ias-system/services/web", metadata={"labels": {"app": "web"}}, spec=web)
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run_it(*more: dict[str, object], **args: object) -> dict[str, Any]:
        for space, endpoints in (("ias-system", [{"port": "http"}, *more]), ("shop", [{"port": "http"}])):
            spec = {"selector": {"matchLabels": {"app": "web"}}, "endpoints": endpoints}
            kube.add(f"{monitoring}/{space}/servicemonitors/web", spec=spec)
        return run_module(scrape_targets_verify, kubeconfig=kubeconfig, interval=0, **args)

    return run_it


def pooled(monitor: str, endpoint: int = 0) -> dict[str, object]:
    return {**target("web", "up"), "scrapePool": f"serviceMonitor/{monitor}/{endpoint}"}


def test_a_monitor_without_a_target_is_not_success(server: Server, through_cluster: Callable[..., Any]) -> None:
    server.on("GET", TARGETS, answer(pooled("shop/web")))
    result = through_cluster(timeout=0)
    assert result["failed"] is True
    assert "no active target is of ServiceMonitor ias-system/web" in result["msg"]
    assert result["summary"] == {"checked": 2, "passed": 1}


@pytest.mark.parametrize(
    ("endpoint", "named"),
    [({"port": "reloader"}, " (port reloader)"), ({"targetPort": 8080}, " (port 8080)"), ({"path": "/extra"}, "")],
)
def test_each_endpoint_of_a_monitor_needs_a_target(
    endpoint: dict[str, object], named: str, server: Server, through_cluster: Callable[..., Any]
) -> None:
    targets = [pooled("ias-system/web"), pooled("shop/web")]
    server.on("GET", TARGETS, answer(*targets))
    result = through_cluster(endpoint, timeout=0)
    (finding,) = result["findings"]
    assert finding["message"].endswith(f"no active target is of endpoint 1{named} of ServiceMonitor ias-system/web")
    assert result["summary"] == {"checked": 3, "passed": 2}
    server.on("GET", TARGETS, answer(*targets, pooled("ias-system/web", 1)))
    assert through_cluster(endpoint, timeout=0)["findings"] == []


def test_the_cause_is_looked_up(kube: FakeKube, server: Server, through_cluster: Callable[..., Any]) -> None:
    kube.add("/apis/apps/v1/namespaces/ias-system/deployments/web", spec={"replicas": 0, "template": POD_OF_WEB})
    kube.serves.add("/api/v1/namespaces/ias-system/pods")
    server.on("GET", TARGETS, answer(pooled("shop/web")))
    (finding,) = through_cluster(timeout=0)["findings"]
    assert finding["message"].startswith("Deployment ias-system/web is scaled to 0: no active target is of")
    assert finding["hint"] == "kubectl scale -n ias-system deployment/web --replicas=1"
    assert "BROKEN: Deployment ias-system/web is scaled to 0" in finding["evidence"]["looked_at"]


def test_a_prometheus_that_cannot_be_asked_is_explained(
    kube: FakeKube, server: Server, through_cluster: Callable[..., Any]
) -> None:
    service = "/api/v1/namespaces/ias-system/services/prometheus-kube-prometheus-prometheus"
    kube.objects[service]["spec"]["selector"] = {"app": "prometheus"}
    del kube.objects["/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices/one"]
    kube.serves.add("/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices")
    conditions = [{"type": "PodScheduled", "status": "False", "message": "no node is big enough"}]
    path = "/api/v1/namespaces/ias-system/pods/prometheus-0"
    kube.add(path, metadata={"labels": {"app": "prometheus"}}, status={"conditions": conditions})
    (finding,) = through_cluster(timeout=0)["findings"]
    assert finding["message"].startswith("pod ias-system/prometheus-0 is not scheduled: no node is big enough: ")


def test_it_waits_for_the_target_of_a_monitor(server: Server, through_cluster: Callable[..., Any]) -> None:
    both = answer(pooled("ias-system/web"), pooled("shop/web"))
    server.on("GET", TARGETS, answer(pooled("shop/web")), both)
    result = through_cluster(timeout=20)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 2, "passed": 2}


def test_the_configuration_of_before_a_change_proves_nothing(
    server: Server, through_cluster: Callable[..., Any]
) -> None:
    """The targets of a monitor that is no longer selected are up, and so is everything else: for a minute."""
    now = [pooled("ias-system/web"), pooled("shop/web")]
    server.on("GET", TARGETS, answer(*now, pooled("ias-system/old"), pooled("shop/web", 1)), answer(*now))
    (finding,) = through_cluster(timeout=0)["findings"]
    assert finding["id"] == "targets/not-loaded"
    assert finding["message"] == (
        "Prometheus still scrapes serviceMonitor/ias-system/old/0 and 1 more, which no selected monitor asks for: "
        "it has not loaded its newest configuration"
    )
    assert through_cluster(timeout=20)["findings"] == []


def test_somebody_elses_monitor_is_a_warning(server: Server, through_cluster: Callable[..., Any]) -> None:
    server.on("GET", TARGETS, answer(pooled("ias-system/web")))
    result = through_cluster(timeout=20)
    assert "failed" not in result
    assert [(one["id"], one["severity"], one["object"]) for one in result["findings"]] == [
        ("targets/monitor", "warning", "shop/web")
    ]
    assert result["summary"] == {"checked": 1, "passed": 1}


def test_no_target_at_all_is_not_success(server: Server) -> None:
    server.on("GET", TARGETS, answer())
    assert "targets/none" in str(run(server, timeout=0)["msg"])


def test_wrong_credentials_are_not_waited_for(server: Server) -> None:
    server.on("GET", TARGETS, Reply(401, {"message": "Unauthorized"}))
    result = run(server, timeout=600)
    assert "401 Unauthorized (Check the credentials)" in str(result["msg"])
    assert len(server.requests) == 1


def test_a_url_with_credentials_is_refused() -> None:
    result = run_module(scrape_targets_verify, prometheus={"url": "http://u:hidden@example.org"}, timeout=0)
    assert "without credentials" in result["msg"]
    assert "hidden" not in result["msg"]
