# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab with its stack, whose programs are restarted while a pod writes."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._http import Api, HttpError
from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, KubeError, connect, forward
from ansible_collections.ias.observability.plugins.module_utils._loki import Loki
from ansible_collections.ias.observability.plugins.module_utils._prometheus import Prometheus
from ansible_collections.ias.observability.plugins.module_utils._tempo import Tempo

ROOT = Path(__file__).resolve().parents[3]
KUBECONFIG = ROOT / ".lab/kubeconfig"
NAMESPACE = "ias-system"
IMAGE = "lab.local/ias-platform:1"
WRITER = Path(__file__).with_name("writer.py").read_text("utf-8")


@dataclass
class Writer:
    """A pod that writes numbered lines and spans."""

    run: str
    trace_id: str
    pod: str
    node: str
    began: float
    lines: int
    spans: int
    seconds: int


@dataclass
class Lab:
    """The lab's cluster, and its services through port-forwards that are opened anew: their pods come and go."""

    cluster: Cluster = field(default_factory=lambda: Cluster(connect({"kubeconfig": str(KUBECONFIG)})))

    def kubectl(self, *arguments: str, text: str = "") -> str:
        command = [str(ROOT / ".lab/bin/kubectl"), "--kubeconfig", str(KUBECONFIG), "-n", NAMESPACE, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=240).stdout

    def write(self, *, seconds: int, lines: int, spans: int = 0, size: int = 60) -> Writer:
        """Start a pod that writes so many lines and spans a second."""
        run, trace_id = f"loss-{secrets.token_hex(4)}", secrets.token_hex(16)
        arguments = [run, trace_id, *map(str, (seconds, lines, spans, size))]
        container = {
            "name": "canary",
            "image": IMAGE,
            "command": ["python3", "-c", WRITER, *arguments],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        }
        spec = {"restartPolicy": "Never", "containers": [container], "activeDeadlineSeconds": seconds + 300}
        labels = {"app.kubernetes.io/name": "observability-canary"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": run, "labels": labels}, "spec": spec}
        self.kubectl("create", "-f", "-", text=json.dumps(pod))
        self.kubectl("wait", "--for=condition=Ready", f"pod/{run}", "--timeout=60s")
        node = self.kubectl("get", "pod", run, "-o", "jsonpath={.spec.nodeName}")
        return Writer(run, trace_id, run, node, time.time(), lines * seconds, spans * seconds, seconds)

    def await_end(self, writer: Writer) -> None:
        self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{writer.pod}", "--timeout=240s")

    def remove(self, writer: Writer) -> None:
        self.kubectl("delete", "pod", writer.pod, "--ignore-not-found", "--wait=false")

    def restart(self, selector: str, node: str = "") -> float:
        """Delete the pod and wait for the next one; how many seconds nobody was ready."""
        fields = [f"--field-selector=spec.nodeName={node}"] if node else []
        (old,) = self.kubectl("get", "pods", "-l", selector, *fields, "-o", "name").split()
        began = time.monotonic()
        self.kubectl("delete", old)
        self.until(lambda: self._is_ready(selector, fields), 180, f"a ready pod of {selector}")
        return time.monotonic() - began

    def _is_ready(self, selector: str, fields: list[str]) -> bool:
        path = 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}'
        return self.kubectl("get", "pods", "-l", selector, *fields, "-o", path).split() == ["True"]

    def until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
            time.sleep(1)

    def read_numbers(self, writer: Writer) -> list[int]:
        """The number of each line in Loki, as often as it is there; none while Loki does not answer."""
        query = f'{{namespace="{NAMESPACE}"}} |~ "{writer.run}: [0-9]+ plain "'
        try:
            with forward(self.cluster, NAMESPACE, "loki", 3100) as tunnel:
                entries = Loki(Api(tunnel.pool)).entries(query, start=writer.began - 60, end=time.time() + 60)
        except (HttpError, KubeError):
            return []
        found = (re.search(rf"{writer.run}: (\d+) plain x* (\d+)\.", entry.text) for entry in entries)
        return [int(match[1]) for match in found if match and match[1] == match[2]]

    def read_spans(self, writer: Writer) -> list[str]:
        """The names of the spans in Tempo; none while Tempo does not answer or has no such trace."""
        try:
            with forward(self.cluster, NAMESPACE, "tempo", 3200) as tunnel:
                return [span.name for span in Tempo(Api(tunnel.pool)).trace(writer.trace_id)]
        except (HttpError, KubeError):
            return []

    def value(self, expr: str) -> float:
        with forward(self.cluster, NAMESPACE, "prometheus-kube-prometheus-prometheus", 9090) as tunnel:
            return Prometheus(Api(tunnel.pool)).value(expr) or 0.0


@pytest.fixture(scope="session")
def lab() -> Lab:
    if not KUBECONFIG.exists():
        pytest.fail("the lab does not run with its stack: make demo starts both")
    return Lab()


@pytest.fixture
def writers(lab: Lab) -> Iterator[Callable[..., Writer]]:
    """Pods that are removed with the test."""
    started: list[Writer] = []

    def start(**options: Any) -> Writer:
        started.append(lab.write(**options))
        return started[-1]

    yield start
    for writer in started:
        lab.remove(writer)
