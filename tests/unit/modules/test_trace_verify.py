# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import trace_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.module import run_module

ID = "0af7651916cd43dd8448eb211c80319c"
SERVICES = ("api-router", "user-service", "postgres", "vllm")
RANGE = "/loki/api/v1/query_range"
QUERY = "/loki/api/v1/query"
NOW = 1_793_534_400.0
"""Loki's clock: noon in UTC."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Tempo and Loki, one service as good as two: their paths differ."""
    with running_server() as running:
        running.ok("POST", QUERY, {"data": {"result": [{"metric": {}, "value": [NOW, "1"]}]}})
        found(running, ID)
        running.ok("GET", f"/api/traces/{ID}", trace(*SERVICES))
        logs(running, *SERVICES)
        yield running


def found(server: Server, *ids: str, began: float = NOW + 1) -> None:
    """Traces that a search answers with, each a second older than the one before."""
    hits = [
        {"traceID": identity.lstrip("0"), "startTimeUnixNano": str(int((began - age) * 1e9))}
        for age, identity in enumerate(ids)
    ]
    server.ok("GET", "/api/search", {"traces": hits})


def trace(*services: str) -> dict[str, Any]:
    return {
        "batches": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [{"spans": [{"name": "a"}, {"name": "b"}]}],
            }
            for service in services
        ]
    }


def logs(server: Server, *services: str) -> None:
    streams = [{"stream": {"service_name": service}, "values": [["1", "{}"]]} for service in services]
    server.ok("POST", RANGE, {"data": {"result": streams}})


def run(server: Server, **args: Any) -> dict[str, Any]:
    url = {"url": server.url}
    return run_module(trace_verify, tempo=url, loki=url, interval=0, **{"timeout": 0, **args})


def test_a_complete_trace(server: Server) -> None:
    result = run(server, services=list(SERVICES))
    assert result["findings"] == []
    assert result["trace"] == {"id": ID, "spans": dict.fromkeys(SERVICES, 2), "logged_by": sorted(SERVICES)}
    assert result["summary"] == {"checked": 6, "passed": 6}
    query = server.seen("GET", "/api/search")[0].query["q"][0]
    assert query.startswith('{ resource.service.name = "api-router" } && { resource.service.name = "user-service" }')
    asked = server.seen("POST", RANGE)[0].body["query"][0]
    assert asked == f'{{service_name=~"api-router|postgres|user-service|vllm"}} | trace_id="{ID}"'


def test_otlp_by_its_new_name(server: Server) -> None:
    server.ok("GET", f"/api/traces/{ID}", {"trace": {"resourceSpans": trace(*SERVICES)["batches"]}})
    assert run(server)["findings"] == []


def test_no_trace(server: Server) -> None:
    server.ok("GET", "/api/search", {"traces": None})
    message = run(server, services=["vllm"])["msg"]
    assert "Tempo has no trace through vllm that began since 12:00:00 UTC, when this proof did" in message


def test_a_trace_of_before_proves_nothing(server: Server) -> None:
    found(server, ID, began=NOW - 720)
    result = run(server, services=list(SERVICES))
    assert [finding["id"] for finding in result["findings"]] == ["traces/none"]
    assert "the newest one began at 11:48:00 UTC" in result["msg"]


def test_waits_for_a_trace_that_begins_after_the_proof(server: Server) -> None:
    old, new = ({"traceID": ID, "startTimeUnixNano": str(int((NOW + age) * 1e9))} for age in (-60, 5))
    replies = [Reply(200, {"traces": [hit]}) for hit in (old, old, old, new)]
    server.on("GET", "/api/search", *replies)
    assert run(server, services=list(SERVICES), timeout=20)["findings"] == []
    starts = {request.query["start"][0] for request in server.seen("GET", "/api/search")}
    assert starts == {str(int(NOW)), str(int(NOW) - 900)}


def test_the_service_that_newer_traces_lack_is_named(server: Server) -> None:
    nothing, hit = {"traces": []}, {"traces": [{"traceID": ID, "startTimeUnixNano": str(int((NOW + 1) * 1e9))}]}
    server.on("GET", "/api/search", Reply(200, nothing), Reply(200, hit))
    server.ok("GET", f"/api/traces/{ID}", trace("api-router", "user-service", "postgres"))
    result = run(server, services=list(SERVICES))
    assert [finding["id"] for finding in result["findings"]] == ["traces/incomplete"]
    assert "missing: vllm" in result["msg"]


def test_a_service_whose_spans_have_no_name_is_told_to_take_one(server: Server) -> None:
    server.ok("GET", f"/api/traces/{ID}", trace("api-router", "user-service", "postgres", "unknown_service:python"))
    result = run(server, services=list(SERVICES))
    assert "missing: vllm" in result["msg"]
    assert "Set OTEL_SERVICE_NAME of the missing service" in result["msg"]


def test_too_few_services(server: Server) -> None:
    result = run(server, min_services=5)
    assert [finding["id"] for finding in result["findings"]] == ["traces/incomplete"]
    assert server.seen("POST", RANGE) == []


def test_a_service_without_spans_is_named(server: Server) -> None:
    assert "missing: billing" in run(server, services=["api-router", "billing"], min_services=2)["msg"]


def test_a_service_whose_logs_do_not_know_the_trace(server: Server) -> None:
    logs(server, "api-router", "user-service", "postgres")
    result = run(server)
    assert "the logs of vllm do not hold the trace's id" in result["msg"]
    assert result["summary"] == {"checked": 6, "passed": 5}


def test_another_trace_will_do(server: Server) -> None:
    newest = "ff" * 16
    found(server, newest, ID)
    server.ok("GET", f"/api/traces/{newest}", trace("api-router"))
    assert run(server)["trace"]["id"] == ID


def test_a_trace_that_only_search_knows(server: Server) -> None:
    server.on("GET", f"/api/traces/{ID}", Reply(404, b"trace not found"))
    assert run(server)["failed"] is True


def test_waits_for_the_logs(server: Server) -> None:
    complete = server.reply(Request("POST", RANGE, {}, {}, {}))
    server.on("POST", RANGE, Reply(200, {"data": {"result": []}}), complete)
    assert run(server, timeout=20)["findings"] == []
