# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.modules import grafana_datasources_verify
from tests.fakes.grafana import LOKI_PASSWORD, fill
from tests.fakes.http import HANG_UP, Reply, Server, running_server
from tests.fakes.module import run_module
from tests.lab.grafana.testing import Double, running_double

RELEASES = ["13.2.0", "11.6.0", "9.5.21"]
LOKI = {"uid": "loki", "name": "Loki", "type": "loki", "isDefault": False, "jsonData": {}}
HEALTH = "/api/datasources/uid/loki/health"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


def run(grafana: dict[str, Any], **args: Any) -> dict[str, Any]:
    return run_module(grafana_datasources_verify, grafana=grafana, **{"timeout": 0, **args})


def access(double: Double) -> dict[str, Any]:
    return {"url": double.url, "username": double.user, "password": double.password}


@pytest.mark.parametrize("version", RELEASES)
def test_what_there_is_without_its_secrets(version: str) -> None:
    """The back ends do not exist here, so none is healthy."""
    with running_double(version=version) as double:
        fill(double, nested=False)
        double.faults.requests.clear()
        result = run(access(double))
        assert double.faults.writes == []
        assert result["changed"] is False
        assert [(one["uid"], one["is_default"], one["healthy"]) for one in result["datasources"]] == [
            ("loki", False, False),
            ("prometheus", True, False),
        ]
        assert LOKI_PASSWORD not in json.dumps(result)
        expected = run(access(double), expected=["loki", "tempo"], check=True)
    assert {finding["id"] for finding in expected["findings"]} == {"datasources/unhealthy", "datasources/missing"}


@pytest.fixture
def server() -> Any:
    with running_server() as running:
        running.ok("GET", "/api/datasources", [LOKI])
        yield running


def test_a_healthy_one(server: Server) -> None:
    server.ok("GET", HEALTH, {"status": "OK", "message": "Data source successfully connected."})
    result = run({"url": server.url, "token": "glsa_s3cret"}, expected=["loki"])
    assert result["summary"] == {"checked": 1, "passed": 1}
    assert server.requests[0].headers["Authorization"] == "Bearer glsa_s3cret"
    assert "glsa_s3cret" not in json.dumps(result)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(400, {"status": "ERROR", "message": "Unable to connect with Loki."}),
        Reply(500, {"message": "Unable to load datasource metadata"}),
        Reply(404, {"message": "Plugin not registered", "messageId": "plugin.notRegistered"}),
    ],
)
def test_one_that_does_not_work(server: Server, reply: Reply) -> None:
    server.on("GET", HEALTH, reply)
    result = run({"url": server.url}, expected=["loki"])
    assert [finding["id"] for finding in result["findings"]] == ["datasources/unhealthy"]
    assert reply.body["message"] in result["msg"]


def test_it_waits_for_one_that_is_expected(server: Server) -> None:
    unhealthy = Reply(400, {"status": "ERROR", "message": "starting"})
    server.on("GET", HEALTH, unhealthy, unhealthy, Reply(200, {"status": "OK", "message": "works"}))
    result = run({"url": server.url}, expected=["loki"], timeout=20, interval=0)
    assert result["datasources"][0]["healthy"] is True


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(401, {"message": "Invalid API key"}), "Check the credentials"),
        (Reply(403, {"message": "You'll need additional permissions"}), "Check the credentials"),
        (Reply(500, {"message": "Internal Server Error"}), "Check that the service runs"),
        (Reply(429, {"message": "slow down"}), "slow down"),
        (Reply(301, b""), "301"),
        (Reply(200, b"<html>"), "the answer is not JSON"),
        (Reply(200, {"message": "x"}), "this is not an answer of Grafana"),
        (Reply(200, [{"uid": "x"}]), "this is not an answer of Grafana"),
        (HANG_UP, "onnection"),
        (Reply(200, [], {}, 0.4), "no whole answer came in time"),
    ],
)
def test_no_usable_answer(server: Server, reply: object, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.1)
    server.on("GET", "/api/datasources", reply)
    result = run({"url": server.url, "token": "glsa_s3cret"})
    assert told in result["msg"]
    assert [finding["id"] for finding in result["findings"]] == ["verify/unreachable"]


@pytest.mark.parametrize("reply", [HANG_UP, Reply(401, {"message": "Invalid API key"})], ids=["dies", "401"])
def test_grafana_dies_between_the_list_and_the_health(server: Server, reply: object) -> None:
    """That says nothing about the data source."""
    server.on("GET", HEALTH, reply)
    assert [finding["id"] for finding in run({"url": server.url})["findings"]] == ["verify/unreachable"]


def test_a_back_end_that_is_gone_says_nothing() -> None:
    """The proxy answers for it, with an empty body."""
    with running_double(version="12.4.0") as double:
        with double.client() as client:
            source = {"uid": "am", "name": "AM", "type": "alertmanager", "url": "http://127.0.0.1:9"}
            assert client.post("/api/datasources", json=source).status_code == 200
        result = run(access(double), expected=["am"])
    assert "Grafana answers 502 Bad Gateway" in result["msg"]
