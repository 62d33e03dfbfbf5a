# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into the deployed stack: the API, a shell in a pod, HTTP through a tunnel."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import testinfra

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, connect, forward
from tests.lab.workloads import NAMESPACE

ROOT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
KUBECONFIG = os.environ["K8S_AUTH_KUBECONFIG"]

Json = Any
Ask = Callable[..., tuple[int, Json]]


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster(connect({"kubeconfig": KUBECONFIG}))


@pytest.fixture(scope="session")
def pods(cluster: Cluster) -> Callable[[str], list[dict[str, Any]]]:
    """The stack's pods that carry a label."""
    return lambda selector: list(cluster.items(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector=selector))


@pytest.fixture(scope="session")
def shell(pods: Callable[[str], list[dict[str, Any]]]) -> Callable[[str, str], Any]:
    """A testinfra host inside a container of the first pod that carries a label."""

    def host(selector: str, container: str) -> Any:
        name = pods(selector)[0]["metadata"]["name"]
        return testinfra.get_host(
            f"kubectl://{name}?namespace={NAMESPACE}&container={container}&kubeconfig={KUBECONFIG}"
        )

    return host


@pytest.fixture(scope="session")
def admin(cluster: Cluster) -> str:
    """Grafana's admin as the roles left it, ready for an Authorization header."""
    data = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/prometheus-grafana")["data"]
    user, password = (base64.b64decode(data[key]).decode() for key in ("admin-user", "admin-password"))
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="session")
def http(cluster: Cluster) -> Ask:
    """Ask a service of the stack: (service, port, path, [body], [headers]) -> (status, decoded answer)."""

    def ask(
        service: str, port: int, path: str, body: Json = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Json]:
        with forward(cluster, NAMESPACE, service, port) as tunnel:
            answer = tunnel.pool.request(
                "GET" if body is None else "POST",
                path,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json", **(headers or {})},
                timeout=20,
                retries=3,
            )
            try:
                return answer.status, json.loads(answer.data)
            except ValueError:
                return answer.status, answer.data.decode()

    return ask


@pytest.fixture(scope="session")
def prove() -> Callable[[], subprocess.CompletedProcess[str]]:
    """Run the verify playbook as its user does."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "playbooks/verify.yml",
                "-i",
                "inventories/lab",
                "-e",
                "verify_timeout=30",
            ],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Await a condition, three minutes at most."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 180
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true within three minutes"
            time.sleep(2)

    return wait
