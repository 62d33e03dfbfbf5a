# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_health_verify on clusters of two sizes, whose API answers from memory: reading, placing, and all else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.bench.measure import Figure, UnmeasurableError, module, peak_memory, run
from tests.bench.pod_logs import config
from tests.fakes.helm import FakeHelm
from tests.unit._preflight.clusters import apart, container, node, pod, workload

SIZES = ((100, 5_000), (1_000, 50_000))
GOAL_SECONDS, GOAL_REQUESTS, GOAL_MIB = 5.0, 40, 200
"""Of the smaller cluster; the larger one takes ten times as long, and no more memory than it may."""
BOUND = "reading the JSON of every pod, and what each asks for"
RULES = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
Object = dict[str, Any]


def figures(folder: Path) -> Iterator[Figure]:
    before = 0.0
    for nodes, pods in SIZES:
        seconds, memory, requests = _measure(folder, nodes, pods)
        most = before * 10 or GOAL_SECONDS
        yield Figure(
            f"the preflight of {pods:,} pods on {nodes:,} nodes",
            "ten times the one before" if before else f"the goal of {GOAL_SECONDS:g} s",
            seconds,
            most,
            1 if not before else 1.1,
            BOUND,
            memory_mib=memory,
            memory_goal_mib=GOAL_MIB,
            details={"requests": requests},
        )
        if not before and requests > GOAL_REQUESTS:
            raise UnmeasurableError(f"{requests} requests, more than {GOAL_REQUESTS}")
        before = seconds


def _measure(folder: Path, nodes: int, pods: int) -> tuple[float, float, int]:
    """Seconds, MiB and requests of the module in a process of its own."""
    home = folder / str(nodes)
    home.mkdir()
    helm = FakeHelm(home)
    helm.answer("template", yaml.safe_dump_all(_stack()))
    with _served(_cluster(nodes, pods)) as (url, requests):
        kubeconfig = home / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config(url)), encoding="utf-8")
        release = {"name": "loki", "namespace": "ias-system", "chart_ref": "oci://example/loki", "chart_version": "1"}
        options = {
            "kubeconfig": str(kubeconfig),
            "helm_binary": str(helm.binary),
            "namespace": "ias-system",
            "releases": [release],
            "_ansible_remote_tmp": "/tmp",
        }
        text = json.dumps({"ANSIBLE_MODULE_ARGS": options})
        memory = peak_memory("cluster_health_verify", text)  # which also prepares the pages
        requests.clear()
        ran = run(module("cluster_health_verify"), text)
        counted = len(requests)
        result = json.loads(ran.said)
        if result.get("failed") or result["findings"]:
            raise UnmeasurableError(f"something is found: {ran.said[-500:]}")
    return ran.seconds, memory, counted


def _stack() -> list[Object]:
    return [
        workload("StatefulSet", "loki", container("500m", "1Gi"), replicas=3, affinity=apart("loki")),
        workload("StatefulSet", "prometheus", container("1", "6Gi"), replicas=2, affinity=apart("prometheus")),
        workload("Deployment", "grafana", container("250m", "512Mi")),
        workload("DaemonSet", "alloy", container("50m", "128Mi")),
    ]


def _cluster(nodes: int, pods: int) -> dict[str, list[Object]]:
    """Lists by their path."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    machines = [node(f"node-{number}", "16", "64Gi") for number in range(nodes)]
    for machine in machines:
        machine["status"] |= ready
        machine["status"]["images"] = [{"names": [f"registry.example.com/image-{one}"]} for one in range(50)]
    filler = {"annotations": {"example.com/filler": "x" * 2000}}
    items = []
    for number in range(pods):
        item = pod(f"app-{number}", f"node-{number % nodes}", ("ReplicaSet", f"app-{number // 10}"), space="apps")
        item["metadata"] |= filler
        item["spec"]["volumes"] = [{"name": f"volume-{one}", "emptyDir": {}} for one in range(5)]
        item["status"]["containerStatuses"] = [{"name": "main", "ready": True, "image": "x" * 100, "state": {}}]
        items.append(item)
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "/api/v1/nodes": machines,
        "/api/v1/pods": items,
        "/apis/storage.k8s.io/v1/storageclasses": [{"metadata": {"name": "fast", "annotations": default}}],
    }


@contextmanager
def _served(lists: dict[str, list[Object]]) -> Iterator[tuple[str, list[str]]]:
    """An API that answers these lists from prepared pages; the paths that were asked for."""
    pages: dict[tuple[str, int], bytes] = {}
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(split.query).items()}
            requests.append(split.path)
            if split.path == "/version":
                return self._reply(b'{"major": "1", "minor": "36", "gitVersion": "v1.36.0"}')
            if split.path not in lists:
                return self._reply(b'{"metadata": {}, "items": []}')
            return self._reply(self._page(split.path, int(query.get("continue", 0)), int(query.get("limit", 500))))

        def do_POST(self) -> None:
            requests.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply(json.dumps({**body, "status": {"allowed": True, "resourceRules": RULES}}).encode())

        def _page(self, path: str, start: int, size: int) -> bytes:
            if (path, start) not in pages:
                more = {"continue": str(start + size)} if start + size < len(lists[path]) else {}
                pages[path, start] = json.dumps({"metadata": more, "items": lists[path][start : start + size]}).encode()
            return pages[path, start]

        def _reply(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
    finally:
        server.shutdown()
        server.server_close()
