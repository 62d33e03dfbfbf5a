# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans by gRPC and HTTP through a port-forward to a scripted pod, read back from a scripted Tempo."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import otlp_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.unit._otlp.test_grpc import ANSWER, GREETING
from tests.unit._otlp.test_span import attributes, child

PORTS = {"http": 3200, "grpc-otlp": 4317, "http-otlp": 4318}
GRPC, HTTP = "tempo.ias-system:4317 (gRPC)", "tempo.ias-system:4318 (HTTP)"


class Tempo:
    """What the pod takes by either protocol can be read back, unless a test says otherwise."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.keeps = True
        self.changed: dict[str, str] = {}
        self.searchable = True
        self.taken: list[str] = []
        """The endpoint that each span names."""
        self.trace_ids: list[str] = []
        server.on("POST", "/v1/traces", self.take_http)
        server.on("GET", "/api/search", self.search)
        self.processors = ""
        self.counts: Iterator[float | None] = iter(())
        """What Prometheus has counted of our spans, each time that it is asked."""
        self.has_exemplar = True
        server.on("GET", "/status/config", lambda request: Reply(200, self.processors.encode()))
        server.on("GET", "/metrics", Reply(200, b"tempo_metrics_generator_registry_series_limited_total 7\n"))
        server.on("POST", "/api/v1/query", self.count)
        server.on("POST", "/api/v1/query_exemplars", self.exemplars)

    def take_http(self, request: Request) -> Reply:
        (span,) = request.body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        self.store(span["traceId"], {entry["key"]: entry["value"]["stringValue"] for entry in span["attributes"]})
        return Reply(200, {})

    def take_grpc(self, call: bytes) -> None:
        """Five bytes of gRPC's own stand before the message."""
        span = child(call[5:], 1, 2, 2)
        self.store(child(span, 1).hex(), dict(attributes(span, 9)))

    def store(self, trace_id: str, sent: dict[str, str]) -> None:
        self.taken.append(sent["canary.endpoint"])
        self.trace_ids.append(trace_id)
        if self.keeps:
            entries = [{"key": key, "value": {"stringValue": value}} for key, value in (sent | self.changed).items()]
            batch = {"resource": {}, "scopeSpans": [{"spans": [{"attributes": entries}]}]}
            self.server.ok("GET", f"/api/traces/{trace_id}", {"batches": [batch]})

    def count(self, _request: Request) -> Reply:
        value = next(self.counts, None)
        result = [] if value is None else [{"metric": {}, "value": [0, str(value)]}]
        return Reply(200, {"data": {"result": result}})

    def exemplars(self, _request: Request) -> Reply:
        entries = [
            {"labels": {"trace_id": one.lstrip("0")}, "value": "1", "timestamp": 1}  # as Tempo writes it
            for one in self.trace_ids
        ]
        series = [{"seriesLabels": {}, "exemplars": entries}]
        return Reply(200, {"data": series if self.has_exemplar else []})

    def search(self, _request: Request) -> Reply:
        hit = {"traceID": "1f", "startTimeUnixNano": str(2_000_000_000 * 10**9)}
        return Reply(200, {"traces": [hit] if self.searchable else []})


def serve_grpc(tempo: Tempo) -> socket.socket:
    """Takes a whole call, then answers."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                tempo.take_grpc(read_call(connection))
                connection.sendall(GREETING + ANSWER)
                connection.recv(1)

    threading.Thread(target=run, daemon=True).start()
    return listener


def read_call(connection: socket.socket) -> bytes:
    """The payload of the last of its three frames, behind the preface."""
    payload = read(connection, 24)
    for _number in range(3):
        payload = read(connection, int.from_bytes(read(connection, 9)[:3], "big"))
    return payload


def read(connection: socket.socket, size: int) -> bytes:
    return connection.recv(size, socket.MSG_WAITALL) if size else b""


@pytest.fixture
def tempo() -> Iterator[Tempo]:
    with running_server() as server:
        yield Tempo(server)


@pytest.fixture
def kube(tempo: Tempo) -> Iterator[FakeKube]:
    with FakeKube() as kube, serve_grpc(tempo) as listener:
        ports = [{"name": name, "port": port} for name, port in PORTS.items()]
        kube.add("/api/v1/namespaces/ias-system/services/tempo", spec={"ports": ports})
        kube.add(
            "/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices/tempo-1",
            metadata={"labels": {"kubernetes.io/service-name": "tempo"}},
            ports=ports,
            endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "tempo-0"}}],
        )
        kube.ports["tempo-0", 3200] = kube.ports["tempo-0", 4318] = tempo.server.port
        kube.ports["tempo-0", 4317] = listener.getsockname()[1]
        yield kube


@pytest.fixture
def run(kube: FakeKube, tempo: Tempo, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run(**options: Any) -> dict[str, Any]:
        defaults = {"timeout": 0, "interval": 0, "prometheus": {"url": tempo.server.url}}
        return run_module(otlp_verify, kubeconfig=kubeconfig, **defaults | options)

    return run


def errors(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["id"], finding["object"]) for finding in result["findings"]]


def test_both_protocols_are_proved(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    result = run()
    assert result["findings"] == []
    assert result["summary"] == {"checked": 8, "passed": 8}
    assert result["endpoints"] == [GRPC, HTTP]
    assert tempo.taken == [GRPC, HTTP]


def test_a_port_that_leads_nowhere_is_named(run: Callable[..., dict[str, Any]], kube: FakeKube) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        kube.ports["tempo-0", 4317] = closed.getsockname()[1]
    result = run()
    assert errors(result) == [("otlp/refused", GRPC)]
    assert "port 4317 of pod tempo-0" in result["msg"]
    assert result["summary"] == {"checked": 8, "passed": 4}


def test_a_port_that_the_service_lacks_is_named(run: Callable[..., dict[str, Any]]) -> None:
    result = run(otlp_http_port=9411)
    assert errors(result) == [("otlp/refused", "tempo.ias-system:9411 (HTTP)")]
    assert "service ias-system/tempo has no port 9411" in result["msg"]


def test_a_span_that_is_taken_and_lost(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    tempo.keeps = False
    assert errors(run()) == [("otlp/lost", GRPC), ("otlp/lost", HTTP)]


def test_an_attribute_that_is_changed_on_the_way(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    tempo.changed = {"canary.id": "redacted"}
    result = run(otlp_grpc_port=0)
    assert errors(result) == [("otlp/changed", HTTP)]
    assert "attributes of the span came back changed: canary.id" in result["msg"]


def test_a_trace_that_no_search_finds(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    tempo.searchable = False
    assert errors(run()) == [("otlp/not-found", GRPC), ("otlp/not-found", HTTP)]


def test_a_span_is_sent_once_however_long_it_takes(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    answers = iter([False, False, True])
    tempo.server.on(
        "GET",
        "/api/search",
        lambda request: tempo.search(request) if next(answers, True) else Reply(200, {"traces": []}),
    )
    assert run(timeout=20)["findings"] == []
    assert tempo.taken == [GRPC, HTTP]


SPAN_METRICS = "overrides:\n  metrics_generator:\n    processors:\n    - service-graphs\n    - span-metrics\n"


def test_span_metrics_and_their_exemplar(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    tempo.processors = SPAN_METRICS
    result = run()
    assert result["findings"] == []
    assert result["summary"] == {"checked": 10, "passed": 10}
    assert result["span_metrics"] is True


def test_an_id_that_begins_with_a_zero(
    run: Callable[..., dict[str, Any]], tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: f"{'0':a<{2 * size}}")
    tempo.processors, tempo.counts = SPAN_METRICS, iter([4, 4])
    assert run()["findings"] == []


def test_spans_that_are_not_counted(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    tempo.processors, tempo.has_exemplar, tempo.counts = SPAN_METRICS, False, iter([4, 4])
    result = run()
    assert errors(result) == [("otlp/no-span-metrics", "Tempo's metrics generator")]
    assert "(tempo_metrics_generator_registry_series_limited_total is 7)" in result["msg"]
    assert result["summary"] == {"checked": 10, "passed": 8}


@pytest.mark.parametrize("counts", [[4, 6], [None, 2], [4, 2]], ids=["counted on", "the first", "begun anew"])
def test_span_metrics_without_an_exemplar(
    run: Callable[..., dict[str, Any]], tempo: Tempo, counts: list[float | None]
) -> None:
    tempo.processors, tempo.has_exemplar, tempo.counts = SPAN_METRICS, False, iter(counts)
    assert errors(run()) == [("otlp/no-exemplar", "Tempo's metrics generator")]


def test_lost_spans_are_not_missed_in_the_metrics_too(run: Callable[..., dict[str, Any]], tempo: Tempo) -> None:
    tempo.processors, tempo.has_exemplar, tempo.keeps = SPAN_METRICS, False, False
    assert errors(run()) == [("otlp/lost", GRPC), ("otlp/lost", HTTP)]


def test_check_mode_sends_nothing(kube: FakeKube, tmp_path: Path, tempo: Tempo) -> None:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    result = run_module(otlp_verify, check=True, kubeconfig=kubeconfig)
    assert result["summary"] == {"checked": 0, "passed": 0}
    assert tempo.server.requests == []


def test_a_url_is_refused(tempo: Tempo) -> None:
    assert "tempo.url cannot be used here" in run_module(otlp_verify, tempo={"url": tempo.server.url})["msg"]
