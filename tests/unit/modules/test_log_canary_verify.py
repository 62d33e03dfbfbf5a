# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of a scripted cluster write numbered lines into a scripted Loki, which loses what a test says."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._canary.lines import Line, Numbered, parts
from ansible_collections.ias.observability.plugins.modules import log_canary_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube, Object
from tests.fakes.module import run_module

JOBS = "/apis/batch/v1/namespaces/ias-system/jobs"
PODS = "/api/v1/namespaces/ias-system/pods"
ALLOY = {"app.kubernetes.io/name": "alloy"}
STEADY, BURST = 2, 3
LINES = len(Numbered("", parts(STEADY, BURST)).lines())
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
Keep = Callable[[Line], list[str]]


def all_of_it(line: Line) -> list[str]:
    return [line.text]


class Cluster:
    """Nodes with a collector each; every Job's pod writes its lines at once and ends."""

    def __init__(self, kube: FakeKube, loki: Server, alloy: Server) -> None:
        self.kube, self.loki, self.alloy = kube, loki, alloy
        self.keep: Keep = all_of_it
        """What Loki has of a line."""
        self.status: Object = {"phase": "Succeeded"}
        self.jobs: list[Object] = []
        self.began = time.time() - 3
        self.refused = 0
        self.reason = "rate_limited"
        kube.created = self.create
        loki.on("POST", "/loki/api/v1/query", lambda request: Reply(200, clock()))
        loki.on("POST", "/loki/api/v1/query_range", self.answer)
        loki.on("GET", "/metrics", self.metrics)
        loki.on("GET", "/config", Reply(200, b"limits_config:\n  ingestion_rate_mb: 8\n  max_line_size: 64KB\n"))

    def add_node(self, name: str, *, collector: bool = True, **spec: Any) -> None:
        self.kube.add(f"/api/v1/nodes/{name}", spec=spec, status=READY)
        if not collector:
            return
        containers = [{"image": "alloy:1", "ports": [{"name": "http-metrics", "containerPort": 12345}]}]
        spec = {"nodeName": name, "containers": containers, "imagePullSecrets": [{"name": "registry"}]}
        self.kube.add(f"{PODS}/alloy-{name}", status=READY, spec=spec, metadata={"labels": ALLOY})
        self.kube.ports[f"alloy-{name}", 12345] = self.alloy.port

    def create(self, path: str, body: Object) -> None:
        name = path.rpartition("/")[2]
        self.jobs.append(body)
        labels = body["spec"]["template"]["metadata"]["labels"] | {"job-name": name}
        self.kube.add(f"{PODS}/{name}-x", status=self.status, metadata={"labels": labels})

    def metrics(self, _request: Request) -> Reply:
        return Reply(200, f'loki_discarded_samples_total{{reason="{self.reason}"}} {self.refused}\n'.encode())

    def answer(self, request: Request) -> Reply:
        """The lines of the Job that the query asks for, a millisecond apart."""
        (query,) = request.body["query"]
        found = re.search(r"(observability-canary-\w+-\d+): ", query)
        assert found is not None
        lines = Numbered(f"{found[1]}:", parts(STEADY, BURST)).lines()
        texts = [text for line in lines for text in self.keep(line)]
        values = [[str(int(self.began * 1e9) + number * 1_000_000), text] for number, text in enumerate(texts)]
        return Reply(200, {"data": {"result": [{"stream": {}, "values": values}]}})

    def reads(self, read: int, size: int, **dropped: int) -> None:
        """What the collectors say of the files of all canary pods."""
        files = [
            f'loki_source_file_{kind}_bytes_total{{path="/var/log/pods/ias-system_{job["metadata"]["name"]}-x_u/0.log"}}'
            for job in self.jobs
            for kind in ("read", "file")
        ]
        text = "".join(f"{name} {read if '_read_' in name else size}\n" for name in files)
        text += "".join(
            f'loki_write_dropped_entries_total{{reason="{reason}"}} {count}\n' for reason, count in dropped.items()
        )
        self.alloy.on(
            "GET", "/metrics", Reply(200, (text + 'loki_source_file_read_bytes_total{path="/x"} 1\n').encode())
        )


def clock() -> Object:
    return {"data": {"resultType": "vector", "result": [{"metric": {}, "value": [time.time(), "1"]}]}}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with FakeKube() as kube, running_server() as loki, running_server() as alloy:
        kube.serves |= {"/api/v1/pods", JOBS}
        kube.add("/api/v1/namespaces/ias-system")
        cluster = Cluster(kube, loki, alloy)
        cluster.add_node("n1")
        yield cluster


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    kubeconfig = str(cluster.kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run(**args: Any) -> dict[str, Any]:
        options = {"kubeconfig": kubeconfig, "loki": {"url": cluster.loki.url}, "steady": STEADY, "burst": BURST}
        return run_module(log_canary_verify, **options | {"interval": 0, "timeout": 0} | args)

    return run


Run = Callable[..., dict[str, Any]]


def errors(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["id"], finding["object"]) for finding in result["findings"]]


def test_all_lines_of_all_nodes(cluster: Cluster, run: Run) -> None:
    cluster.add_node("n2")
    cluster.add_node("cordoned", unschedulable=True)
    result = run()
    assert result["findings"] == []
    assert result["summary"] == {"checked": 2 * LINES, "passed": 2 * LINES}
    assert result["nodes"].keys() == {"n1", "n2"}
    assert result["all_nodes"]["written"] == result["all_nodes"]["read"] == 2 * LINES
    assert 2 < result["nodes"]["n1"]["p50"] <= result["nodes"]["n1"]["p95"] <= result["nodes"]["n1"]["max"] < 60


def test_a_pod_has_no_rights_and_ends_by_itself(cluster: Cluster, run: Run) -> None:
    run(timeout=5)
    (job,) = cluster.jobs
    assert job["spec"]["activeDeadlineSeconds"] == job["spec"]["ttlSecondsAfterFinished"] == 65
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "alloy:1"
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_jobs_are_removed(cluster: Cluster, run: Run) -> None:
    cluster.kube.add(f"{JOBS}/of-somebody-else")
    run()
    assert [path for path in cluster.kube.objects if path.startswith(JOBS)] == [f"{JOBS}/of-somebody-else"]


def test_they_are_removed_when_loki_does_not_answer(cluster: Cluster, run: Run) -> None:
    cluster.loki.on("POST", "/loki/api/v1/query_range", Reply(400, {"message": "parse error"}))
    assert errors(run()) == [("verify/unreachable", "")]
    assert [path for path in cluster.kube.objects if path.startswith(JOBS)] == []


def test_a_node_without_a_collector(cluster: Cluster, run: Run) -> None:
    cluster.add_node("n2", collector=False)
    cluster.keep = lambda line: [] if "-1: " in line.text else [line.text]
    result = run()
    assert errors(result) == [("canary/lost", "node n2")]
    assert f"no collector is ready on this node: all {LINES} numbered lines are not in Loki" in result["msg"]
    assert result["summary"] == {"checked": 2 * LINES, "passed": LINES}


def test_no_collector_at_all(cluster: Cluster, run: Run) -> None:
    del cluster.kube.objects[f"{PODS}/alloy-n1"]
    result = run()
    assert errors(result) == [("canary/no-collector", "")]
    assert cluster.jobs == []


def test_an_image_of_the_site(cluster: Cluster, run: Run) -> None:
    del cluster.kube.objects[f"{PODS}/alloy-n1"]
    assert run(image="busybox")["findings"] == []
    assert cluster.jobs[0]["spec"]["template"]["spec"]["containers"][0]["image"] == "busybox"


def test_lines_that_loki_refuses(cluster: Cluster, run: Run) -> None:
    def keep(line: Line) -> list[str]:
        cluster.reads(900, 900)
        cluster.refused = 3
        return [] if line.kind == "burst" else [line.text]

    cluster.keep = keep
    message = run()["msg"]
    assert (
        "Loki has refused 3 lines since this proof began, reason rate_limited (limits_config.ingestion_rate_mb is 8): "
        f"3 of {LINES} numbered lines (3 burst; {LINES - 2}-{LINES}) are not in Loki" in message
    )


def test_a_file_that_the_collector_does_not_read(cluster: Cluster, run: Run) -> None:
    cluster.keep = lambda line: []
    cluster.alloy.on("GET", "/metrics", Reply(200, b'loki_source_file_read_bytes_total{path="/other"} 1\n'))
    assert "the collector ias-system/alloy-n1 does not read this pod's log file: all " in run()["msg"]


def test_a_collector_that_is_behind(cluster: Cluster, run: Run) -> None:
    def keep(line: Line) -> list[str]:
        cluster.reads(100, 900)
        return [line.text] if line.number < 3 else []

    cluster.keep = keep
    assert "the collector ias-system/alloy-n1 has read 100 of 900 bytes of this pod's log file: " in run()["msg"]


def test_a_collector_that_gave_up(cluster: Cluster, run: Run) -> None:
    def keep(line: Line) -> list[str]:
        cluster.reads(900, 900, ingester_error=4)
        return [line.text] if line.number < 3 else []

    cluster.keep = keep
    assert "since its start it could not send lines (ingester_error 4): " in run()["msg"]


def test_a_collector_without_metrics(cluster: Cluster, run: Run) -> None:
    cluster.keep = lambda line: [line.text] if line.number > 1 else []
    result = run()
    assert f"error: node n1: 1 of {LINES} numbered lines (1 plain; 1) is not in Loki" in result["msg"]


@pytest.mark.parametrize(
    ("size", "cause"),
    [
        (65536, "limits_config.max_line_size of Loki is 64KB: "),
        (16384, "the parts of 16 kB into which the container runtime cuts a line are not joined: "),
    ],
)
def test_a_line_that_is_cut(cluster: Cluster, run: Run, size: int, cause: str) -> None:
    cluster.keep = lambda line: [line.text[:size]]
    result = run()
    assert errors(result) == [("canary/truncated", "node n1")]
    assert f"{cause}1 of {LINES} numbered lines (1 long; {LINES - BURST}) is cut: " in result["msg"]
    assert f"(long) came back with {size} of " in result["msg"]


def test_lines_that_are_there_twice(cluster: Cluster, run: Run) -> None:
    cluster.keep = lambda line: [line.text] * (2 if line.kind == "json" else 1)
    result = run()
    assert errors(result) == [("canary/duplicate", "node n1")]
    assert result["all_nodes"]["twice"] == 5


def test_lines_with_another_text(cluster: Cluster, run: Run) -> None:
    cluster.keep = lambda line: [line.text.replace("JSON", "YAML")]
    assert errors(run()) == [("canary/changed", "node n1")]


def test_lines_in_another_order(cluster: Cluster, run: Run) -> None:
    cluster.keep = lambda line: [
        line.text.replace(": 1 plain", ": 2 plain") if line.number == 1 else line.text.replace(": 2 plain", ": 1 plain")
    ]
    result = run()
    assert ("canary/disordered", "node n1") in errors(result)
    assert "line 1 has a later time than line 2" in result["msg"]


def test_lines_that_come_late(cluster: Cluster, run: Run) -> None:
    result = run(late_after=1)
    assert errors(result) == [("canary/late", "node n1")]
    assert f"{LINES} of {LINES} numbered lines could be read later than 1 s" in result["msg"]


def test_what_is_late_is_waited_for(cluster: Cluster, run: Run) -> None:
    answers = iter([[], []])
    cluster.keep = lambda line: next(answers, [line.text])
    assert run(timeout=20)["findings"] == []
    assert len(cluster.jobs) == 1


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]},
            "ErrImagePull: not found",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}]},
            "Unschedulable: full",
        ),
        (
            {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled"}}}]},
            "OOMKilled",
        ),
        ({"phase": "Running"}, "it is Running"),
    ],
)
def test_a_pod_that_does_not_write(cluster: Cluster, run: Run, status: Object, why: str) -> None:
    cluster.status = status
    cluster.keep = lambda line: []
    result = run()
    assert errors(result) == [("canary/not-written", "node n1")]
    assert f"the canary pod of this node has not written its lines: {why}" in result["msg"]


def test_without_the_right_to_start_pods(cluster: Cluster, run: Run) -> None:
    cluster.kube.denied.add(("create", "jobs"))
    result = run(timeout=20)
    assert errors(result) == [("verify/unreachable", "")]
    assert "forbids POST" in result["msg"]


def test_check_mode_starts_nothing(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = str(cluster.kube.write_kubeconfig(tmp_path / "kubeconfig"))
    result = run_module(log_canary_verify, check=True, kubeconfig=kubeconfig)
    assert result["summary"] == {"checked": 0, "passed": 0}
    assert cluster.kube.requests == []
