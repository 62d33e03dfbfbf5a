# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import pod_logs_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

QUERY = "/loki/api/v1/query"
RUNNING = {"running": {"startedAt": "2026-11-01T00:00:00Z"}}


class Cluster:
    """Pods in a Kubernetes API, and a Loki that knows some of their containers."""

    def __init__(self, kube: FakeKube, loki: Server) -> None:
        self.kube = kube
        self.loki = loki
        self.in_loki: set[tuple[str, str, str]] = set()
        loki.on("POST", QUERY, self._count)

    def add(self, namespace: str, pod: str, *containers: str, log: str | None = "a line\n") -> None:
        states = [{"name": name, "state": RUNNING} for name in containers]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self.kube.add(path, status={"containerStatuses": states})
        if log is not None:
            self.kube.texts[f"{path}/log"] = log

    def arrive(self, namespace: str, pod: str, container: str) -> None:
        self.in_loki.add((namespace, pod, container))

    def _count(self, request: Request) -> Reply:
        """Like Loki: the selector's regular expressions are anchored."""
        query = request.body["query"][0]
        namespace, pod = re.findall(r'(?:namespace|pod)=~"([^"]*)"', query)
        asked = [one for one in sorted(self.in_loki) if re.fullmatch(namespace, one[0]) and re.fullmatch(pod, one[1])]
        result = [
            {"metric": dict(zip(("namespace", "pod", "container"), one, strict=True)), "value": [0, "7"]}
            for one in asked
        ]
        return Reply(200, {"status": "success", "data": {"resultType": "vector", "result": result}})


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with FakeKube() as kube, running_server() as loki:
        kube.serves.add("/api/v1/pods")
        yield Cluster(kube, loki)


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path) -> Any:
    kubeconfig = str(cluster.kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run(**args: Any) -> dict[str, Any]:
        options = {"kubeconfig": kubeconfig, "loki": {"url": cluster.loki.url}, "interval": 0}
        return run_module(pod_logs_verify, **options, **args)

    return run


def test_one_query_covers_all_containers(cluster: Cluster, run: Any) -> None:
    for number in range(50):
        cluster.add(f"ns-{number % 5}", f"pod-{number}", "app", "sidecar")
        for name in ("app", "sidecar"):
            cluster.arrive(f"ns-{number % 5}", f"pod-{number}", name)
    result = run(timeout=0)
    assert result["summary"] == {"checked": 100, "passed": 100}
    assert result["silent"] == []
    assert len(cluster.loki.requests) == 1


def test_a_static_pod_with_a_dot_in_its_name_is_covered(cluster: Cluster, run: Any) -> None:
    cluster.add("kube-system", "etcd-node.example.org", "etcd")
    assert "kube-system/etcd-node.example.org/etcd: this container has written lines" in run(timeout=0)["msg"]
    cluster.arrive("kube-system", "etcd-node.example.org", "etcd")
    assert run(timeout=0)["summary"] == {"checked": 1, "passed": 1}


def test_a_container_that_wrote_nothing_is_listed_not_counted(cluster: Cluster, run: Any) -> None:
    cluster.add("kube-system", "proxy", "proxy", log="")
    cluster.add("default", "web", "web")
    cluster.arrive("default", "web", "web")
    result = run(timeout=0)
    assert result["silent"] == ["kube-system/proxy/proxy"]
    assert result["summary"] == {"checked": 1, "passed": 1}


def test_lines_that_the_collector_drops_do_not_count(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web", log='"GET /healthz HTTP/1.1" 200\n"GET /metrics HTTP/1.1" 200\n')
    assert run(timeout=0)["failed"] is True
    assert run(timeout=0, ignore_lines=["GET /(healthz|metrics) "])["silent"] == ["default/web/web"]


def test_a_container_that_ended_is_not_expected(cluster: Cluster, run: Any) -> None:
    ended = {"name": "init", "state": {"terminated": {"exitCode": 0}}}
    sidecar = {"name": "sidecar", "state": RUNNING}
    cluster.kube.add("/api/v1/namespaces/default/pods/web", status={"initContainerStatuses": [ended, sidecar]})
    cluster.arrive("default", "web", "sidecar")
    assert run(timeout=0)["summary"] == {"checked": 1, "passed": 1}


def test_further_looks_ask_only_for_what_is_missing(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "early", "app")
    cluster.add("default", "late", "app")
    cluster.arrive("default", "early", "app")
    count = cluster._count

    def count_and_deliver(request: Request) -> Reply:
        reply = count(request)
        cluster.arrive("default", "late", "app")
        return reply

    cluster.loki.on("POST", QUERY, count_and_deliver)
    assert run(timeout=20)["summary"] == {"checked": 2, "passed": 2}
    first, second = (request.body["query"][0] for request in cluster.loki.requests)
    assert "early" in first
    assert "early" not in second


def test_no_container_at_all_is_not_success(run: Any) -> None:
    assert "logs/no-container" in run(timeout=0)["msg"]


def test_logs_that_may_not_be_read(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web")
    cluster.kube.failures["/api/v1/namespaces/default/pods/web/log"] = [403]
    result = run(timeout=600)
    assert "403" in result["msg"] or "forbids" in result["msg"]


def test_a_pattern_that_is_none(run: Any) -> None:
    assert "ignore_lines: '(' is not a regular expression" in run(ignore_lines=["("])["msg"]
