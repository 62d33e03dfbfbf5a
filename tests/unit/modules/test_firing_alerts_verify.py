# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing fires but what fires by design and what the site is known for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import firing_alerts_verify
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.module import run_module

RULES = "/api/v1/rules"
DOWN = {"alertname": "ServiceDown", "severity": "critical", "owner": "models", "job": "vllm", "namespace": "shop"}


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


def alert(state: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "labels": labels,
        "annotations": {"summary": "vllm is down", "runbook_url": "https://runbooks/ServiceDown.md"},
        "state": state,
        "activeAt": "2026-11-01T13:00:00.5+02:00",
        "value": "1e+00",
    }


def rule(name: str, *alerts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "alerting", "name": name, "query": "up == 0", "health": "ok", "alerts": list(alerts)}


def rules(*rules: dict[str, Any]) -> Reply:
    record = {"type": "recording", "name": "r", "query": "up", "health": "ok"}
    return Reply(200, {"data": {"groups": [{"name": "g", "rules": [record, *rules]}]}})


def run(server: Server, **args: Any) -> dict[str, Any]:
    return run_module(firing_alerts_verify, prometheus={"url": server.url}, **{"timeout": 0, "interval": 0, **args})


def told(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(finding["id"], finding["severity"], finding["object"]) for finding in result["findings"]]


WATCHDOG = rule("Watchdog", alert(alertname="Watchdog", severity="none"))


def test_only_what_fires_by_design(server: Server) -> None:
    inhibitor = rule("InfoInhibitor", alert(alertname="InfoInhibitor", severity="none", namespace="shop"))
    server.on("GET", RULES, rules(WATCHDOG, inhibitor, rule("ServiceDown")))
    result = run(server)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 3, "passed": 3}


def test_an_alert_that_fires_is_told_with_since_when_summary_and_runbook(server: Server) -> None:
    server.on("GET", RULES, rules(WATCHDOG, rule("ServiceDown", alert(**DOWN))))
    result = run(server)
    assert result["failed"] is True
    (finding,) = result["findings"]
    assert finding["object"] == "ServiceDown job=vllm namespace=shop"
    assert finding["message"] == "fires since 2026-11-01 11:00:00 UTC, critical: vllm is down"
    assert finding["hint"].startswith("Its runbook: https://runbooks/ServiceDown.md. ")
    assert finding["evidence"]["labels"] == DOWN
    assert result["summary"] == {"checked": 2, "passed": 1}


@pytest.mark.parametrize(
    ("state", "severity", "wanted"),
    [
        ("firing", "warning", ("alerts/firing", "error")),
        ("firing", "", ("alerts/firing", "error")),
        ("firing", "sev1", ("alerts/firing", "error")),
        ("firing", "info", ("alerts/firing", "info")),
        ("pending", "critical", ("alerts/pending", "info")),
    ],
)
def test_how_severe_it_is(server: Server, state: str, severity: str, wanted: tuple[str, str]) -> None:
    labels = {"alertname": "A", **({"severity": severity} if severity else {})}
    server.on("GET", RULES, rules(rule("A", alert(state, **labels))))
    assert told(run(server)) == [(*wanted, "A")]


def test_an_alert_that_resolves_is_waited_for(server: Server) -> None:
    server.on("GET", RULES, rules(rule("ServiceDown", alert(**DOWN))), rules(rule("ServiceDown")))
    assert run(server, timeout=20)["findings"] == []
    assert len(server.seen("GET", RULES)) == 2


WAIVER = "waivers:\n  - {id: alerts/firing, object: 'ServiceDown *job=vllm*', reason: no GPU here, until: %s}\n"


@pytest.fixture
def waivers(tmp_path: Path) -> Path:
    return tmp_path / "waivers.yaml"


def test_what_the_site_is_known_for_is_let_through(server: Server, waivers: Path) -> None:
    waivers.write_text(WAIVER % "2999-01-01")
    other = {"alertname": "ServiceDown", "severity": "critical", "job": "api"}
    server.on("GET", RULES, rules(rule("ServiceDown", alert(**DOWN), alert(**other))))
    result = run(server, waivers=str(waivers))
    assert told(result) == [("alerts/firing", "error", "ServiceDown job=api")]
    assert [finding["object"] for finding in result["waived"]] == ["ServiceDown job=vllm namespace=shop"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [(WAIVER % "2020-01-01", "waivers/expired"), ("waivers: 5", "waivers/file"), ("", "waivers/file")],
)
def test_a_waiver_that_is_over_or_none_hides_nothing(server: Server, waivers: Path, text: str, wrong: str) -> None:
    waivers.write_text(text)
    server.on("GET", RULES, rules(rule("ServiceDown", alert(**DOWN))))
    result = run(server, waivers=str(waivers))
    assert {finding["id"] for finding in result["findings"]} == {"alerts/firing", wrong}
    assert result["waived"] == []


def test_a_waiver_of_what_does_not_fire_today_is_no_finding(server: Server, waivers: Path) -> None:
    waivers.write_text(WAIVER % "2999-01-01")
    server.on("GET", RULES, rules(rule("ServiceDown")))
    result = run(server, waivers=str(waivers))
    assert (result["findings"], result["waived"]) == ([], [])
