# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An alert of our own, followed from Alertmanager's API to the webhook that received it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import alert_delivery_verify
from tests.fakes.http import HANG_UP, Reply, Request, Server, running_server
from tests.fakes.module import run_module

ALERTS = "/api/v2/alerts"


@pytest.fixture
def server() -> Iterator[Server]:
    """Alertmanager and the webhook in one: they share no path."""
    with running_server() as running:
        running.ok("POST", ALERTS, None)
        running.on("GET", ALERTS, held("page"))
        running.on("GET", "/alerts", got())
        running.ok("GET", "/api/v2/receivers", [{"name": "page"}, {"name": "info"}])
        yield running


def held(*receivers: str, state: str = "active", **status: Any) -> Reply:
    alert = {"receivers": [{"name": name} for name in receivers], "status": {"state": state, **status}}
    return Reply(200, [alert])


def got(receiver: str = "page", status: str = "firing") -> Any:
    """The webhook has it, under the name that it is asked for."""

    def answer(request: Request) -> Reply:
        return Reply(
            200, [{"receiver": receiver, "status": status, "labels": {"alertname": request.query["alertname"][0]}}]
        )

    return answer


def run(server: Server, *, webhook: bool = True, **args: Any) -> dict[str, Any]:
    asked = {"webhook": {"url": server.url}} if webhook else {}
    wanted = {"labels": {"severity": "critical"}, "receiver": "page", "interval": 0, "timeout": 0}
    return run_module(alert_delivery_verify, alertmanager={"url": server.url}, **asked, **wanted | args)


def ids(result: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in result["findings"]]


def sent(server: Server) -> list[dict[str, Any]]:
    return [alert for request in server.seen("POST", ALERTS) for alert in request.body]


def lasts(alert: dict[str, Any]) -> float:
    return (datetime.fromisoformat(alert["endsAt"]) - datetime.fromisoformat(alert["startsAt"])).total_seconds()


def test_it_arrives(server: Server) -> None:
    result = run(server)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 3, "passed": 3}
    assert (result["routed_to"], result["received_by"], result["changed"]) == (["page"], ["page"], False)


def test_the_alert_has_a_name_of_its_own_and_the_labels_that_were_asked_for(server: Server) -> None:
    run(server, labels={"severity": "critical", "tier": 1, "alertname": "HighErrorRate"})
    run(server)
    first, _, second, _ = sent(server)
    assert first["labels"]["alertname"].startswith("DeliveryProof-")
    assert first["labels"]["alertname"] != second["labels"]["alertname"]
    assert {**first["labels"], "alertname": ""} == {"severity": "critical", "tier": "1", "alertname": ""}
    asked = server.seen("GET", ALERTS)[0].query["filter"]
    assert asked == [f'alertname="{first["labels"]["alertname"]}"']


def test_it_is_taken_back_when_it_has_arrived(server: Server) -> None:
    run(server)
    fires, resolved = sent(server)
    assert fires["labels"] == resolved["labels"]
    assert fires["startsAt"] == resolved["startsAt"]
    assert lasts(fires) > 200 > lasts(resolved)


def test_one_that_does_not_arrive_ends_by_itself(server: Server) -> None:
    server.ok("GET", "/alerts", [])
    run(server)
    assert [lasts(alert) > 200 for alert in sent(server)] == [True]


def test_waits_for_it(server: Server) -> None:
    server.on("GET", "/alerts", Reply(200, []), Reply(200, []), got())
    assert run(server, timeout=20)["findings"] == []
    assert len(server.seen("GET", "/alerts")) == 3


@pytest.mark.parametrize(
    ("alertmanager", "finding", "passed"),
    [
        (Reply(200, []), "delivery/not-held", 0),
        (held("ticket"), "delivery/wrong-receiver", 1),
        (held("page", state="suppressed", silencedBy=["8f1c"]), "delivery/suppressed", 1),
        (held("page", state="suppressed", inhibitedBy=["a"]), "delivery/suppressed", 1),
    ],
)
def test_where_it_stops(server: Server, alertmanager: Reply, finding: str, passed: int) -> None:
    server.on("GET", ALERTS, alertmanager)
    result = run(server)
    assert result["failed"] is True
    assert ids(result) == [finding]
    assert result["summary"] == {"checked": 3, "passed": passed}


@pytest.mark.parametrize("webhook", [Reply(200, []), got(receiver="ticket"), got(status="resolved")])
def test_the_webhook_has_not_got_it(server: Server, webhook: Any) -> None:
    server.on("GET", "/alerts", webhook)
    result = run(server)
    assert ids(result) == ["delivery/not-received"]
    assert result["summary"] == {"checked": 3, "passed": 2}


def test_a_silence_is_named(server: Server) -> None:
    server.on("GET", ALERTS, held("page", state="suppressed", silencedBy=["8f1c"]))
    assert "by silence 8f1c" in run(server)["msg"]


def test_nobody_is_asked_where_there_is_no_webhook(server: Server) -> None:
    result = run(server, webhook=False)
    assert result["summary"] == {"checked": 2, "passed": 2}
    assert server.seen("GET", "/alerts") == []


@pytest.mark.parametrize(("receiver", "expected"), [("page", []), ("pager", ["delivery/no-receiver"])])
def test_check_mode_sends_nothing(server: Server, receiver: str, expected: list[str]) -> None:
    assert ids(run(server, receiver=receiver, check=True)) == expected
    assert sent(server) == []


@pytest.mark.parametrize(
    ("method", "path", "broken"),
    [
        ("POST", ALERTS, Reply(400, {"message": "bad"})),
        ("GET", ALERTS, HANG_UP),
        ("GET", "/alerts", Reply(200, b"<html>")),
    ],
)
def test_a_server_that_does_not_answer_as_it_should(server: Server, method: str, path: str, broken: Any) -> None:
    server.on(method, path, broken)
    result = run(server)
    assert ids(result) == ["verify/unreachable"]
    assert path in result["msg"]
