# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo platform, all of it in one process: one request makes one trace, and everybody logs its id."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from tests.lab.platform import __main__ as platform
from tests.lab.platform.alert_receiver import AlertReceiver
from tests.lab.platform.exporter import Clock
from tests.lab.platform.telemetry import Telemetry
from tests.lab.platform.web import Service

CHAT = {"model": "llama-3-70b", "organization": "acme", "user": "user-1", "token": "good"}
PROMETHEUS_ACCEPTS = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5"
CHAIN = {"api-router", "user-service", "postgres", "vllm", "analytics-service"}


class Platform:
    """Every service, wired to the others without a network."""

    def __init__(self) -> None:
        self.spans, self.out = InMemorySpanExporter(), io.StringIO()
        self.services: dict[str, Service] = {}
        client = httpx.AsyncClient(transport=self)
        for kind in platform.SERVICES:
            processor = SimpleSpanProcessor(self.spans)
            telemetry = Telemetry(kind.name, processor, self.out, names_itself=kind.names_itself)
            self.services[kind.name] = kind(telemetry, client)
        self.apps = {name: httpx.ASGITransport(service.app()) for name, service in self.services.items()}
        self.client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.apps[request.url.host].handle_async_request(request)

    async def aclose(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Platform:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def post(self, service: str, path: str, body: Any) -> httpx.Response:
        return asyncio.run(self.client.post(f"http://{service}:8080{path}", json=body))

    def get(self, service: str, path: str, accept: str = "") -> httpx.Response:
        return asyncio.run(self.client.get(f"http://{service}:8080{path}", headers={"accept": accept}))

    def chat(self, **change: object) -> httpx.Response:
        return self.post("api-router", "/v1/chat/completions", CHAT | change)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def samples(self, service: str) -> dict[tuple[str, ...], float]:
        """Value by (name, label values)."""
        families = plain(self.get(service, "/metrics").text)
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "vllm")
    return Platform()


def test_one_request_is_one_trace_over_five_services(running: Platform) -> None:
    assert running.chat().status_code == 200
    spans = running.spans.get_finished_spans()
    assert {str(span.resource.attributes["service.name"]) for span in spans} == CHAIN
    assert len({span.context.trace_id for span in spans}) == 1
    known = {span.context.span_id for span in spans}
    assert [span.name for span in spans if not span.parent] == ["POST /v1/chat/completions"]
    assert all(span.parent.span_id in known for span in spans if span.parent)


def test_vllms_span_is_as_poor_as_the_real_one_and_the_routers_says_the_model(running: Platform) -> None:
    running.chat()
    spans = {span.name: span for span in running.spans.get_finished_spans()}
    attributes = dict(spans["llm_request"].attributes)
    assert all(name.startswith("gen_ai.") for name in attributes)
    assert not {"gen_ai.request.model", "gen_ai.response.model", "gen_ai.operation.name"} & set(attributes)
    router = dict(spans["POST /v1/chat/completions"].attributes)
    assert router["gen_ai.request.model"] == "llama-3-70b"
    assert router["gen_ai.usage.input_tokens"] == attributes["gen_ai.usage.prompt_tokens"]
    assert router["gen_ai.usage.output_tokens"] == attributes["gen_ai.usage.completion_tokens"]


def test_vllm_has_no_name_unless_the_environment_gives_it_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    running = Platform()
    running.chat()
    names = {str(span.resource.attributes["service.name"]) for span in running.spans.get_finished_spans()}
    assert names == CHAIN - {"vllm"} | {"unknown_service:python"}


def test_an_engine_that_hangs_lets_requests_wait_and_runs_none(running: Platform) -> None:
    running.post("vllm", "/admin/fault", {"scenarios": ["stalled"]})
    samples = running.samples("vllm")
    assert samples["vllm:num_requests_waiting", "0", "llama-3-70b"] == 50
    assert samples["vllm:num_requests_waiting_by_reason", "0", "llama-3-70b", "capacity"] == 50
    assert samples["vllm:num_requests_running", "0", "llama-3-70b"] == 0


def test_each_of_them_logs_the_traces_id(running: Platform) -> None:
    running.chat()
    trace = running.spans.get_finished_spans()[0].context.trace_id
    assert {line["service"] for line in running.lines() if line["trace_id"] == f"{trace:032x}"} == CHAIN


@pytest.mark.parametrize(
    ("change", "status", "outcome"),
    [
        ({}, 200, "ok"),
        ({"token": "old"}, 401, "rejected"),
        ({"over_budget": True}, 429, "budget_exceeded"),
    ],
)
def test_the_router_counts_what_became_of_a_request(
    running: Platform, change: dict[str, object], status: int, outcome: str
) -> None:
    assert running.chat(**change).status_code == status
    assert running.samples("api-router")["router_requests_total", "llama-3-70b", "acme", outcome] == 1


def test_a_model_that_fails_is_asked_again_and_then_given_up(running: Platform) -> None:
    running.post("vllm", "/admin/fault", {"down": True})
    assert running.chat().status_code == 502
    samples = running.samples("api-router")
    assert samples["router_upstream_errors_total", "llama-3-70b", "unavailable"] == 2
    assert samples["router_retries_total", "llama-3-70b"] == 1
    assert samples["router_backend_up", "vllm"] == 0


def test_a_fault_fails_requests_until_it_is_taken_back(running: Platform) -> None:
    running.post("user-service", "/admin/fault", {"error_rate": 1})
    assert running.get("user-service", "/organizations").status_code == 500
    running.post("user-service", "/admin/fault", {})
    assert running.get("user-service", "/organizations").status_code == 200


def test_a_service_that_is_down_fails_its_scrape(running: Platform) -> None:
    running.post("postgres", "/admin/fault", {"down": True})
    assert running.get("postgres", "/metrics").status_code == 503
    assert running.get("postgres", "/healthz").status_code == 200


@pytest.mark.parametrize(
    "wish", [[], {"error_rate": 2}, {"latency_seconds": -1}, {"nonsense": 1}, {"scenarios": ["x"]}]
)
def test_a_fault_that_is_none_is_refused(running: Platform, wish: object) -> None:
    refused = running.post("vllm", "/admin/fault", wish)
    assert refused.status_code == 400
    assert refused.json()["error"]


def test_both_expositions_parse_and_openmetrics_carries_the_trace(running: Platform) -> None:
    running.chat()
    for service in running.services:
        assert list(plain(running.get(service, "/metrics").text))
    families = openmetrics(running.get("vllm", "/metrics", PROMETHEUS_ACCEPTS).text)
    exemplars = [one.exemplar for family in families for one in family.samples if one.exemplar]
    assert all(len(exemplar.labels["trace_id"]) == 32 for exemplar in exemplars)
    assert exemplars


@pytest.mark.parametrize("exporter", platform.EXPORTERS)
def test_a_simulated_exporters_text_parses_and_its_counters_grow(exporter: type[Any]) -> None:
    now = [1000.0]
    made = exporter(Clock(lambda: now[0]))

    def read() -> dict[str, float]:
        families = made.families()
        assert list(plain("".join(family.text() for family in families)))
        return {family.name: family.samples[0][1] for family in families if family.type == "counter"}

    before = read()
    now[0] += 60
    after = read()
    assert all(after[name] >= before[name] for name in before)
    assert any(after[name] > before[name] for name in before)


def test_a_database_that_is_down_says_only_that(running: Platform) -> None:
    exporter = platform.PostgresExporter()
    assert exporter.fault.set({"scenarios": ["db_down"]}) == ""
    assert [(family.name, family.samples[0][1]) for family in exporter.families()] == [("pg_up", 0)]


MESSAGE = {
    "receiver": "page",
    "status": "firing",
    "alerts": [
        {"status": "firing", "labels": {"alertname": "A", "job": "x"}, "annotations": {"summary": "s"}},
        {"status": "resolved", "labels": {"alertname": "B", "job": "x"}, "annotations": {}},
    ],
}


def test_the_receiver_tells_what_it_got() -> None:
    out = io.StringIO()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(AlertReceiver(out).app()), base_url="http://receiver")

    async def talk() -> tuple[int, list[Any], list[Any], list[Any]]:
        taken = await client.post("/alerts/page", json=MESSAGE)
        asked = [(await client.get(f"/alerts?{query}")).json() for query in ("", "alertname=A", "alertname=A&job=y")]
        return taken.status_code, *asked

    status, everything, one, none = asyncio.run(talk())
    assert status == 204
    assert [(got["receiver"], got["labels"]["alertname"], got["status"]) for got in everything] == [
        ("page", "A", "firing"),
        ("page", "B", "resolved"),
    ]
    assert [got["annotations"] for got in one] == [{"summary": "s"}]
    assert none == []
    assert [json.loads(line)["msg"] for line in out.getvalue().splitlines()] == ["A firing", "B resolved"]
