# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pod_logs_verify on a cluster of 100 nodes and 5,000 pods, whose API and Loki are a program with prepared answers.

Everything is in Loki, so that the module looks once. An API server takes some milliseconds to ask a kubelet for the end
of a log, so each log takes that.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.bench.measure import ROOT, Figure, UnmeasurableError, module, peak_memory, run

NODES, PODS, NAMESPACES = 100, 5000, 50
LOG_SECONDS = 0.01
GOAL_SECONDS, GOAL_MIB = 20.0, 300
WRITTEN = 1_793_534_400.0
LOG = b"".join(b"2026-11-01T12:00:00.000000000Z a line of a container that says something\n" for _ in range(20))
_NAMES = re.compile(r'pod=~"([^"]*)"')
Object = dict[str, Any]


def figures(folder: Path) -> Iterator[Figure]:
    with running() as url:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config(url)))
        options = {"kubeconfig": str(kubeconfig), "loki": {"url": url}, "timeout": 0, "_ansible_remote_tmp": "/tmp"}
        text = json.dumps({"ANSIBLE_MODULE_ARGS": options})
        ran = run(module("pod_logs_verify"), text)
        result = json.loads(ran.said)
        if result.get("summary") != {"checked": PODS, "passed": PODS}:
            raise UnmeasurableError(f"not every log was found: {ran.said[-500:]}")
        memory = peak_memory("pod_logs_verify", text)
    yield Figure(
        f"the logs of {PODS:,} pods on {NODES} nodes",
        f"the goal of {GOAL_SECONDS:g} s",
        ran.seconds,
        GOAL_SECONDS,
        1,
        f"{PODS:,} requests for the end of a log, each of {1000 * LOG_SECONDS:g} ms",
        memory_mib=memory,
        memory_goal_mib=GOAL_MIB,
    )


def config(url: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    }


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The URL of the double, which is a process of its own."""
    command = [sys.executable, "-m", "tests.bench.pod_logs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as double:
        assert double.stdout is not None
        try:
            yield double.stdout.readline().strip()
        finally:
            double.terminate()


def pod(number: int) -> Object:
    """As large as pods are: about 8 kB, most of it who manages which field."""
    node = f"node-{number % NODES}"
    is_collector = number < NODES
    name = f"alloy-{number}" if is_collector else f"deployment-{number // 10}-7c5b847685-{number:05}"
    labels = {"app.kubernetes.io/name": "alloy"} if is_collector else {"app": f"deployment-{number // 10}"}
    fields = {f"f:field-{entry}": {"f:value": {}, "f:valueFrom": {}} for entry in range(120)}
    return {
        "metadata": {
            "name": name,
            "namespace": f"namespace-{number % NAMESPACES}",
            "labels": labels,
            "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": fields}],
        },
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "registry.example.org/app:1", "env": []}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "2026-11-01T00:00:00Z"}}}],
        },
    }


class Double(BaseHTTPRequestHandler):
    """A Kubernetes API and a Loki."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pods: tuple[bytes, ...] = ()
    namespaces: Mapping[str, str] = MappingProxyType({})

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/log"):
            time.sleep(LOG_SECONDS)
            return self._reply(LOG, "text/plain")
        query = parse_qs(url.query)
        start, size = int(query.get("continue", ["0"])[0]), int(query["limit"][0])
        token = str(start + size) if start + size < len(self.pods) else ""
        items = b",".join(self.pods[start : start + size])
        return self._reply(b'{"metadata":{"continue":"%s"},"items":[%s]}' % (token.encode(), items))

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        found = _NAMES.search(form["query"][0])
        names = found[1].split("|") if found else []
        value = [0, str(int(WRITTEN * 1000))]
        result = [
            {"metric": {"namespace": self.namespaces[name], "pod": name, "container": "app"}, "value": value}
            for name in names
        ]
        self._reply(json.dumps({"data": {"resultType": "vector", "result": result}}).encode())

    def _reply(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Say the URL, and serve until somebody ends it."""
    made = [pod(number) for number in range(PODS)]
    Double.pods = tuple(json.dumps(one).encode() for one in made)
    Double.namespaces = {one["metadata"]["name"]: one["metadata"]["namespace"] for one in made}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Double)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
