# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps quiet because something else has been said, as Alertmanager itself decides with the contracts' rules."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.alerts.conftest import CONTRACTS, free_port, program, running

Labels = dict[str, str]
API = {"namespace": "shop", "job": "api"}
BURN = API | {"alertname": "AvailabilityBudgetBurn", "slo": "availability"}
CASES = [
    ("the same, more urgently", BURN | {"severity": "critical"}, BURN | {"severity": "warning"}, True),
    ("another objective", BURN | {"severity": "critical"}, BURN | {"severity": "warning", "slo": "latency"}, False),
    ("a service that is down", API | {"alertname": "ServiceDown"}, API | {"alertname": "HighErrorRate"}, True),
    ("and cannot be scraped", API | {"alertname": "ServiceDown"}, API | {"alertname": "ScrapeFailing"}, True),
    ("another service", API | {"alertname": "ServiceDown"}, API | {"alertname": "HighErrorRate", "job": "web"}, False),
    (
        "a database that is down",
        {"alertname": "DatabaseDown", "job": "pg"},
        {"alertname": "DatabaseSlowQueries", "job": "pg"},
        True,
    ),
    (
        "its exporter too",
        {"alertname": "DatabaseDown", "job": "pg"},
        {"alertname": "ServiceDown", "namespace": "n", "job": "pg"},
        True,
    ),
    ("one failure, one page", API | {"alertname": "HighErrorRate"}, BURN, True),
    ("slow and failing", API | {"alertname": "HighErrorRate"}, API | {"alertname": "HighLatency"}, False),
    ("a cause is told", {"alertname": "DatabaseDown", "job": "pg"}, API | {"alertname": "HighErrorRate"}, False),
    (
        "information beside it",
        {"alertname": "InfoInhibitor", "namespace": "n"},
        {"alertname": "X", "severity": "info", "namespace": "n"},
        True,
    ),
    ("the watchdog", API | {"alertname": "ServiceDown"}, {"alertname": "Watchdog", "severity": "none"}, False),
]


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory, within: Callable[[float, Any], Any]) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [
        f"--config.file={CONTRACTS / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/-/ready").is_success
        except httpx.TransportError:
            return False

    with running([program("alertmanager"), *arguments], folder / "log"):
        within(30, ready)
        yield url


def send(url: str, labels: Labels, *, minutes: int) -> None:
    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(minutes=minutes)
    alert = {"labels": labels, "startsAt": (now - datetime.timedelta(hours=1)).isoformat(), "endsAt": ends.isoformat()}
    httpx.post(f"{url}/api/v2/alerts", json=[alert]).raise_for_status()


@pytest.mark.parametrize(("source", "target", "quiet"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_who_keeps_quiet(
    alertmanager: str, within: Callable[[float, Any], Any], source: Labels, target: Labels, quiet: bool
) -> None:
    for labels in (source, target):
        send(alertmanager, labels, minutes=5)

    def state() -> str:
        for alert in httpx.get(f"{alertmanager}/api/v2/alerts").json():
            if alert["labels"] == target and alert["status"]["state"] != "unprocessed":
                return str(alert["status"]["state"])
        return ""

    try:
        within(30, lambda: state() == ("suppressed" if quiet else "active"))
    finally:
        for labels in (source, target):
            send(alertmanager, labels, minutes=0)
