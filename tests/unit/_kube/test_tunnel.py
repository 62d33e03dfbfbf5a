# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP through a port-forward websocket of an API server to a pod behind a service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from urllib3 import Retry
from urllib3.exceptions import MaxRetryError

from ansible_collections.ias.observability.plugins.module_utils._http import Deadline
from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, KubeError, connect, forward
from ansible_collections.ias.observability.plugins.module_utils._kube.errors import NotReadyError
from tests.fakes.kube import FakeKube

NAMESPACE = "/api/v1/namespaces/ias-system"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices"
BIG = 300_000


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Close the connection to end the body: no length is told."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.path.encode() + b"!" * BIG)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    Echo.connections = 0
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.serves.add(SLICES)
        ports = [{"name": "http-web", "port": 80, "targetPort": "http"}]
        server.add(f"{NAMESPACE}/services/web", spec={"ports": ports})
        yield server


@pytest.fixture
def cluster(kube: FakeKube, tmp_path: Path) -> Cluster:
    return Cluster(connect({"kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig"))}))


def add_slice(kube: FakeKube, pod: str, *, ready: bool = True) -> None:
    kube.add(
        f"{SLICES}/web-{pod}",
        metadata={"labels": {"kubernetes.io/service-name": "web"}},
        ports=[{"name": "http-web", "port": 3000}],
        endpoints=[{"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}}],
    )


def test_requests_share_a_connection_and_carry_large_bodies(kube: FakeKube, cluster: Cluster, echo: int) -> None:
    add_slice(kube, "web-0")
    kube.ports["web-0", 3000] = echo
    with forward(cluster, "ias-system", "web", 80) as tunnel:
        for body in (b"hello", b"x" * BIG):
            answer = tunnel.pool.request("POST", "/echo", body=body, timeout=10)
            assert answer.status == 200
            assert answer.data == body
    assert Echo.connections == 1


def test_a_body_without_a_length_ends_with_the_connection(kube: FakeKube, cluster: Cluster, echo: int) -> None:
    add_slice(kube, "web-0")
    kube.ports["web-0", 3000] = echo
    with forward(cluster, "ias-system", "web", 80) as tunnel:
        assert len(tunnel.pool.request("GET", "/page", timeout=10).data) == BIG + len("/page")


def test_threads_share_one_tunnel(kube: FakeKube, cluster: Cluster, echo: int) -> None:
    add_slice(kube, "web-0")
    kube.ports["web-0", 3000] = echo
    with forward(cluster, "ias-system", "web", 80) as tunnel, ThreadPoolExecutor(4) as threads:
        bodies = [str(number).encode() for number in range(40)]
        answers = threads.map(lambda body: tunnel.pool.request("POST", "/", body=body, timeout=10).data, bodies)
        assert list(answers) == bodies


def test_a_replaced_pod_is_found_again(kube: FakeKube, cluster: Cluster, echo: int) -> None:
    add_slice(kube, "web-0")
    with forward(cluster, "ias-system", "web", 80) as tunnel:
        with pytest.raises(MaxRetryError, match="cannot open a port-forward to pod ias-system/web-0"):
            tunnel.pool.request("POST", "/", body=b"", retries=Retry(0))
        del kube.objects[f"{SLICES}/web-web-0"]
        add_slice(kube, "web-1")
        kube.ports["web-1", 3000] = echo
        assert tunnel.pool.request("POST", "/", body=b"again", retries=Retry(0)).data == b"again"


def waiting_cluster(kubeconfig: Path, pauses: list[float], at_second_pause: Callable[[], object]) -> Cluster:
    """A cluster whose clock goes on by what is slept."""

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            at_second_pause()

    return Cluster(connect({"kubeconfig": str(kubeconfig)}), Deadline(clock=lambda: sum(pauses), sleep=sleep))


def test_a_pod_that_is_not_ready_for_some_seconds_is_waited_for(kube: FakeKube, tmp_path: Path, echo: int) -> None:
    kube.ports["web-0", 3000] = echo
    pauses: list[float] = []
    kubeconfig = kube.write_kubeconfig(tmp_path / "kubeconfig")
    cluster = waiting_cluster(kubeconfig, pauses, lambda: add_slice(kube, "web-0"))
    with forward(cluster, "ias-system", "web", 80, patience=60) as tunnel:
        assert tunnel.pool.request("POST", "/", body=b"x", timeout=10).data == b"x"
    assert pauses == [2.0, 2.0]


def test_the_wait_for_a_ready_pod_is_bounded_and_told(kube: FakeKube, tmp_path: Path) -> None:
    pauses: list[float] = []
    cluster = waiting_cluster(kube.write_kubeconfig(tmp_path / "kubeconfig"), pauses, lambda: None)
    with pytest.raises(NotReadyError, match=r"ias-system/web, after 5 s of waiting\. See: kubectl get pods"):
        forward(cluster, "ias-system", "web", 80, patience=5)
    assert pauses == [2.0, 2.0, 1.0]
    with pytest.raises(KubeError, match="service ias-system/other does not exist"):
        forward(cluster, "ias-system", "other", 80, patience=5)
    assert len(pauses) == 3


def test_says_what_is_missing(kube: FakeKube, cluster: Cluster) -> None:
    with pytest.raises(KubeError, match="service ias-system/other does not exist"):
        forward(cluster, "ias-system", "other", 80)
    with pytest.raises(KubeError, match=r"service ias-system/web has no port 81\. It has 80"):
        forward(cluster, "ias-system", "web", 81)
    with pytest.raises(KubeError, match="no ready pod stands behind service ias-system/web"):
        forward(cluster, "ias-system", "web", 80)
    add_slice(kube, "web-0", ready=False)
    with pytest.raises(KubeError, match="no ready pod stands behind service ias-system/web"):
        forward(cluster, "ias-system", "web", 80)
