# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every alert that Prometheus may send is routed, by the configuration that Alertmanager runs, to somebody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import alert_routing_verify
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.module import run_module

CONFIGURATION = """
route:
  receiver: ticket
  routes:
    - {matchers: [severity = "none"], receiver: none}
    - matchers: [severity = "critical"]
      receiver: page
      routes:
        - {matchers: [team = "night"], receiver: night}
receivers:
  - {name: page, webhook_configs: [{url: <secret>}]}
  - {name: ticket, slack_configs: [{channel: c}]}
  - {name: night}
  - {name: none}
"""
UNSENT = CONFIGURATION.replace("webhook_configs: [{url: <secret>}]", "webhook_configs: []")


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        running.ok("GET", "/api/v2/status", {"config": {"original": CONFIGURATION}})
        yield running


def serve(server: Server, *rules: dict[str, str], configuration: str = CONFIGURATION) -> None:
    """Alerting rules, each as its labels with the alert's name among them."""
    entries = [
        {"type": "alerting", "name": rule["alertname"], "query": "up == 0", "health": "ok",
         "labels": {name: value for name, value in rule.items() if name != "alertname"}}
        for rule in rules
    ]  # fmt: skip
    server.on("GET", "/api/v1/rules", Reply(200, {"data": {"groups": [{"name": "g", "rules": entries}]}}))
    server.ok("GET", "/api/v2/status", {"config": {"original": configuration}})


def run(server: Server, **args: Any) -> dict[str, Any]:
    url = {"url": server.url}
    return run_module(alert_routing_verify, prometheus=url, alertmanager=url, **{"timeout": 0, "interval": 0, **args})


DOWN, SLOW = {"alertname": "Down", "severity": "critical"}, {"alertname": "Slow", "severity": "warning"}


def test_every_alert_has_somebody_to_reach(server: Server) -> None:
    serve(server, DOWN, SLOW, {"alertname": "Watchdog", "severity": "none"})
    result = run(server)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 3, "passed": 3}
    assert result["receivers"] == ["night", "none", "page", "ticket"]


def test_a_site_without_a_pager_fails(server: Server) -> None:
    gone = {"alertname": "Gone", "severity": "critical"}
    serve(server, DOWN, DOWN, gone, SLOW, configuration=UNSENT)
    result = run(server)
    (finding,) = result["findings"]
    assert (finding["id"], finding["severity"]) == ("alerts/no-integration", "error")
    assert finding["message"] == "3 critical alerts reach nobody (Down, Gone): no integration"
    assert finding["object"] == "receiver night, page"  # it depends on a label that only series may have
    assert result["summary"] == {"checked": 4, "passed": 1}


def test_unless_it_says_so(server: Server, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        "waivers: [{id: alerts/no-integration, object: receiver *page*, reason: a test cluster, until: 2999-01-01}]"
    )
    serve(server, DOWN, SLOW, configuration=UNSENT)
    result = run(server, waivers=str(waivers))
    assert result["findings"] == []
    assert [finding["id"] for finding in result["waived"]] == ["alerts/no-integration"]


def test_tickets_that_nobody_gets_are_a_warning(server: Server) -> None:
    serve(server, DOWN, SLOW, configuration=CONFIGURATION.replace("slack_configs: [{channel: c}]", "slack_configs: []"))
    assert [(one["severity"], one["object"]) for one in run(server)["findings"]] == [("warning", "receiver ticket")]


def test_labels_decide_on_the_way(server: Server) -> None:
    night = {**DOWN, "team": "night"}
    serve(server, DOWN, night)
    (finding,) = run(server)["findings"]
    assert (finding["object"], finding["severity"]) == ("receiver night", "error")
    # where only the series has the label, it may go either way
    serve(server, {**DOWN, "team": "{{ $labels.team }}"})
    assert run(server)["findings"] == []


def test_a_configuration_that_cannot_be_read_is_told(server: Server) -> None:
    serve(server, DOWN, configuration="route: {receiver: nobody}\nreceivers: []\n")
    assert [one["id"] for one in run(server)["findings"]] == ["alerts/routing-unknown"]
