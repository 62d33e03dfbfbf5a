# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last line of every container must be in Loki, and a collector on every node."""

from __future__ import annotations

import datetime
import json
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
NOON = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC).timestamp()
ALLOY = {"app.kubernetes.io/name": "alloy"}
Key = tuple[str, str, str]


def line(second: float, text: str = "a line") -> str:
    """A line as the kubelet tells it when asked for timestamps, so many seconds after noon."""
    moment = datetime.datetime.fromtimestamp(NOON + second, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}789Z {text}\n"


class Cluster:
    """Pods in a Kubernetes API, and a Loki that has lines of some of their containers."""

    def __init__(self, kube: FakeKube, loki: Server) -> None:
        self.kube = kube
        self.loki = loki
        self.newest: dict[Key, float] = {}
        """Seconds after noon."""
        loki.on("POST", QUERY, self.answer)

    def add(self, namespace: str, pod: str, *containers: str, log: str = line(0), node: str = "n1") -> None:
        states = [{"name": name, "state": RUNNING} for name in containers]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self.kube.add(path, status={"containerStatuses": states}, spec={"nodeName": node})
        self.kube.texts[f"{path}/log"] = log

    def add_collector(self, node: str, *, ready: bool = True) -> None:
        """A collector that writes nothing itself."""
        path = f"/api/v1/namespaces/ias-system/pods/alloy-{node}"
        conditions = [{"type": "Ready", "status": str(ready)}]
        states = [{"name": "alloy", "state": RUNNING}]
        status = {"conditions": conditions, "containerStatuses": states}
        self.kube.add(path, status=status, spec={"nodeName": node}, metadata={"labels": ALLOY})
        self.kube.texts[f"{path}/log"] = ""

    def arrive(self, namespace: str, pod: str, container: str, second: float = 0) -> None:
        self.newest[namespace, pod, container] = second

    def answer(self, request: Request) -> Reply:
        """Like Loki: the selector's regular expressions are anchored."""
        query = request.body["query"][0]
        namespace, pod = re.findall(r'(?:namespace|pod)=~"([^"]*)"', query)
        result = [
            {"metric": dict(zip(("namespace", "pod", "container"), key, strict=True)), "value": [0, value(second)]}
            for key, second in sorted(self.newest.items())
            if re.fullmatch(namespace, key[0]) and re.fullmatch(pod, key[1])
        ]
        return Reply(200, {"status": "success", "data": {"resultType": "vector", "result": result}})


def value(second: float) -> str:
    return str(int((NOON + second) * 1000))


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with FakeKube() as kube, running_server() as loki:
        kube.serves.add("/api/v1/pods")
        cluster = Cluster(kube, loki)
        cluster.add_collector("n1")
        yield cluster


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path) -> Any:
    kubeconfig = str(cluster.kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run(**args: Any) -> dict[str, Any]:
        options = {"kubeconfig": kubeconfig, "loki": {"url": cluster.loki.url}, "interval": 0, "timeout": 0}
        return run_module(pod_logs_verify, **options | args)

    return run


def errors(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(finding["id"], finding["object"], finding["message"]) for finding in result["findings"]]


def test_one_query_covers_all_containers(cluster: Cluster, run: Any) -> None:
    for number in range(50):
        cluster.add(f"ns-{number % 5}", f"pod-{number}", "app", "sidecar")
        for name in ("app", "sidecar"):
            cluster.arrive(f"ns-{number % 5}", f"pod-{number}", name)
    result = run()
    assert result["summary"] == {"checked": 100, "passed": 100}
    assert result["silent"] == ["ias-system/alloy-n1/alloy"]
    assert len(cluster.loki.requests) == 1


def test_the_kubelet_is_asked_for_the_end_of_each_log_with_times(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web")
    cluster.arrive("default", "web", "web")
    run(window=2)
    (request,) = [entry for entry in cluster.kube.requests if entry.path.endswith("/pods/web/log")]
    expected = {"container": "web", "timestamps": "true", "sinceSeconds": "7200", "tailLines": "20"}
    assert request.query == expected


def test_a_line_of_before_does_not_hide_that_newer_ones_are_lost(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web", log=line(0) + line(600))
    cluster.arrive("default", "web", "web", 0)
    result = run()
    message = "its last line, of 12:10:00 UTC, is not in Loki; the newest there is of 12:00:00 UTC"
    assert errors(result) == [("logs/late", "default/web/web", message)]
    assert result["findings"][0]["hint"] == "kubectl logs -n ias-system alloy-n1"
    assert result["summary"] == {"checked": 1, "passed": 0}


def test_the_lines_of_one_entry_may_be_seconds_apart(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web", log=line(0, "Traceback") + line(4, "  File"))
    cluster.arrive("default", "web", "web", 0)
    assert run()["findings"] == []


def test_a_late_line_is_waited_for_and_newer_ones_are_not(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "early", "app")
    cluster.add("default", "late", "app", log=line(60))
    cluster.arrive("default", "early", "app")
    answer = cluster.answer

    def answer_and_deliver(request: Request) -> Reply:
        reply = answer(request)
        cluster.arrive("default", "late", "app", 60)
        cluster.kube.texts["/api/v1/namespaces/default/pods/late/log"] = line(600)
        return reply

    cluster.loki.on("POST", QUERY, answer_and_deliver)
    assert run(timeout=20)["summary"] == {"checked": 2, "passed": 2}
    first, second = (request.body["query"][0] for request in cluster.loki.requests)
    assert "early" in first
    assert "early" not in second


def test_a_node_without_a_collector_is_one_finding(cluster: Cluster, run: Any) -> None:
    """Its containers are quiet: everything that they have written is in Loki."""
    for name in ("proxy", "network", "web"):
        cluster.add("default", name, name, node="n2")
        cluster.arrive("default", name, name)
    result = run()
    message = "no collector is ready on this node: the logs of its 3 containers are not read"
    assert errors(result) == [("logs/no-collector", "node n2", message)]
    assert result["findings"][0]["evidence"]["containers"] == [
        f"default/{name}/{name}" for name in ("network", "proxy", "web")
    ]
    assert result["summary"] == {"checked": 3, "passed": 0}


def test_why_there_is_no_collector(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web", node="n2")
    cluster.arrive("default", "web", "web")
    cluster.kube.add("/api/v1/nodes/n2", metadata={"labels": {"disk": "hdd"}})
    pod = {"metadata": {"labels": ALLOY}, "spec": {"nodeSelector": {"disk": "ssd"}}}
    cluster.kube.add("/apis/apps/v1/namespaces/ias-system/daemonsets/alloy", spec={"template": pod})
    (finding,) = run()["findings"]
    left_out = "DaemonSet ias-system/alloy leaves node n2 out: its nodeSelector wants disk=ssd, the node has hdd"
    assert finding["message"].startswith(f"{left_out}: no collector is ready on this node")


def test_a_collector_that_is_not_ready_collects_nothing(cluster: Cluster, run: Any) -> None:
    cluster.add_collector("n2", ready=False)
    assert [(finding["id"], finding["object"]) for finding in run()["findings"]] == [("logs/no-collector", "node n2")]


def test_no_collector_anywhere_is_one_finding(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web", node="n2")
    result = run(collector_labels={"app": "other"})
    assert [finding["message"] for finding in result["findings"]] == [
        "no collector is ready on any node: no log is read"
    ]


def test_a_site_may_say_that_nodes_are_not_looked_at(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web", node="n2")
    cluster.arrive("default", "web", "web")
    assert run(collector_labels={})["findings"] == []


def test_what_one_collector_holds_back_is_one_finding(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "fresh", "app")
    cluster.arrive("default", "fresh", "app")
    cluster.add_collector("n2")
    for number in range(5):
        cluster.add("default", f"web-{number}", "app", log=line(300), node="n2")
        cluster.arrive("default", f"web-{number}", "app", 0)
    result = run()
    assert [(identity, where) for identity, where, _message in errors(result)] == [("logs/late", "node n2")]
    (finding,) = result["findings"]
    assert (
        "5 containers are not in Loki: default/web-0/app, default/web-1/app, default/web-2/app and 2 more"
        in finding["message"]
    )
    assert finding["evidence"]["default/web-4/app"] == "written 12:05:00 UTC, in Loki 12:00:00 UTC"
    assert finding["hint"] == "kubectl logs -n ias-system alloy-n2"


def test_when_every_node_is_late_loki_is_looked_at_first(cluster: Cluster, run: Any) -> None:
    cluster.add_collector("n2")
    cluster.add("default", "a", "app", log=line(300))
    cluster.add("default", "b", "app", log=line(300), node="n2")
    (finding,) = run()["findings"]
    assert finding["object"] == "2 nodes, all there are"
    assert finding["hint"].startswith("Look at Loki first")


def test_a_static_pod_with_a_dot_in_its_name_is_covered(cluster: Cluster, run: Any) -> None:
    cluster.add("kube-system", "etcd-node.example.org", "etcd")
    assert "kube-system/etcd-node.example.org/etcd: this container has written lines" in run()["msg"]
    cluster.arrive("kube-system", "etcd-node.example.org", "etcd")
    assert run()["summary"] == {"checked": 1, "passed": 1}


def test_a_container_that_wrote_nothing_is_listed_not_counted(cluster: Cluster, run: Any) -> None:
    cluster.add("kube-system", "proxy", "proxy", log="")
    cluster.add("default", "web", "web")
    cluster.arrive("default", "web", "web")
    result = run()
    assert result["silent"] == ["ias-system/alloy-n1/alloy", "kube-system/proxy/proxy"]
    assert result["summary"] == {"checked": 1, "passed": 1}


def test_lines_that_the_collector_drops_do_not_count(cluster: Cluster, run: Any) -> None:
    probes = "".join(line(second, '"GET /healthz HTTP/1.1" 200') for second in range(100, 180))
    cluster.add("default", "web", "web", log=line(0) + probes)
    cluster.arrive("default", "web", "web", 0)
    assert run()["failed"] is True
    assert run(ignore_lines=["GET /healthz "])["findings"] == []


def test_a_container_that_ended_is_not_expected(cluster: Cluster, run: Any) -> None:
    ended = {"name": "init", "state": {"terminated": {"exitCode": 0}}}
    sidecar = {"name": "sidecar", "state": RUNNING}
    path = "/api/v1/namespaces/default/pods/web"
    cluster.kube.add(path, status={"initContainerStatuses": [ended, sidecar]}, spec={"nodeName": "n1"})
    cluster.kube.texts[f"{path}/log"] = line(0)
    cluster.arrive("default", "web", "sidecar")
    assert run()["summary"] == {"checked": 1, "passed": 1}


def test_no_container_at_all_is_not_success(cluster: Cluster, run: Any) -> None:
    cluster.kube.objects.clear()
    assert "logs/no-container" in run()["msg"]


def test_logs_that_may_not_be_read(cluster: Cluster, run: Any) -> None:
    cluster.add("default", "web", "web")
    cluster.kube.failures["/api/v1/namespaces/default/pods/web/log"] = [403]
    result = run(timeout=600)
    assert "403" in result["msg"] or "forbids" in result["msg"]


def test_a_pattern_that_is_none(run: Any) -> None:
    assert "ignore_lines: '(' is not a regular expression" in run(ignore_lines=["("])["msg"]


class TestOutageBudget:
    """Of the container whose log grows the fastest, by what the collectors count."""

    @pytest.fixture
    def prometheus(self, cluster: Cluster) -> Iterator[Server]:
        cluster.add("web", "shop-1", "app")
        cluster.arrive("web", "shop-1", "app")
        with running_server() as prometheus:
            yield prometheus

    @staticmethod
    def grow(prometheus: Server, path: str, rate: float) -> None:
        ended = {"metric": {"path": path.replace("shop-1", "shop-0")}, "value": [0, str(rate * 2)]}
        series = [ended, {"metric": {"path": path}, "value": [0, str(rate)]}]
        prometheus.ok("POST", "/api/v1/query", {"data": {"result": series}})

    PATH = "/var/log/pods/web_shop-1_5c1f/app/0.log"

    def test_by_the_default_of_kubelets(self, run: Any, prometheus: Server) -> None:
        self.grow(prometheus, self.PATH, 1024)
        result = run(prometheus={"url": prometheus.url})
        assert result["findings"] == []
        assert result["outage_budget"] == {
            "seconds": 10240,
            "container": "web/shop-1/app",
            "bytes_per_second": 1024,
            "log_max_size": "10Mi",
            "from_kubelet": False,
        }

    def test_by_the_kubelet_itself(self, cluster: Cluster, run: Any, prometheus: Server) -> None:
        self.grow(prometheus, self.PATH, 1024)
        configz = {"kubeletconfig": {"containerLogMaxSize": "50Mi"}}
        cluster.kube.texts["/api/v1/nodes/n1/proxy/configz"] = json.dumps(configz)
        budget = run(prometheus={"url": prometheus.url})["outage_budget"]
        assert (budget["seconds"], budget["from_kubelet"]) == (51200, True)

    def test_a_container_that_writes_too_much(self, run: Any, prometheus: Server) -> None:
        self.grow(prometheus, self.PATH, 1 << 20)
        result = run(prometheus={"url": prometheus.url})
        (finding,) = result["findings"]
        assert (finding["id"], finding["severity"]) == ("logs/outage-budget", "warning")
        assert finding["object"] == "web/shop-1/app"
        assert "it writes 1024 KiB a second: when Loki is away for more than 10 s, the second" in finding["message"]
        assert "failed" not in result

    @pytest.mark.parametrize("answer", [Reply(200, {"data": {"result": []}}), Reply(503, {})])
    def test_logs_are_proved_without_it(self, run: Any, prometheus: Server, answer: Reply) -> None:
        prometheus.on("POST", "/api/v1/query", answer)
        result = run(prometheus={"url": prometheus.url})
        assert "failed" not in result
        assert "outage_budget" not in result
