# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing fires while nothing is wrong; what a fault switch of the platform breaks is told in time, and resolves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.alerts.conftest import SECONDS, Platform

QUIET = 15 * 60
GROUP_WAIT = {"page": 10, "ticket": 30}
GROUP_INTERVAL = {"page": 60, "ticket": 300}
# Two scrapes, two evaluations, and what sending takes.
SLACK = 4 * SECONDS + 15

Wait = Callable[[float, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Expected:
    """An alert that a fault makes, and how long what it looks at and its `for` take, in seconds."""

    alert: str
    job: str
    receiver: str
    looks_back: int
    holds: int

    @property
    def fires_within(self) -> float:
        return self.looks_back + self.holds + SLACK + GROUP_WAIT[self.receiver]

    @property
    def resolves_within(self) -> float:
        return self.looks_back + SLACK + GROUP_INTERVAL[self.receiver]


FAULTS: dict[str, dict[str, object]] = {
    "user-service": {"error_rate": 0.5},
    "analytics-service": {"latency_seconds": 2},
    "postgres-exporter": {"scenarios": ["connections_high", "slow_queries"]},
    "dcgm-exporter": {"scenarios": ["xid", "hot", "memory_full"]},
    "vllm": {"scenarios": ["kv_cache_full", "stalled"]},
}
EXPECTED = [
    Expected("HighErrorRate", "user-service", "page", 300, 300),
    Expected("HighLatency", "analytics-service", "ticket", 300, 300),
    Expected("DatabaseConnectionsHigh", "postgres-exporter", "ticket", 0, 300),
    Expected("DatabaseSlowQueries", "postgres-exporter", "ticket", 300, 300),
    Expected("GpuXidError", "dcgm-exporter", "page", 0, 0),
    Expected("GpuTemperatureHigh", "dcgm-exporter", "ticket", 0, 300),
    Expected("GpuMemoryHigh", "dcgm-exporter", "ticket", 0, 300),
    Expected("KvCacheSaturated", "vllm", "ticket", 0, 300),
    Expected("RequestQueueGrowing", "vllm", "ticket", 0, 300),
    Expected("ServingStalled", "vllm", "page", 0, 180),
]
DOWN = Expected("DatabaseDown", "postgres-exporter", "page", 0, 120)


def seconds_until_notified(stack: Platform, expected: Expected, status: str, since: float) -> float:
    """How many seconds after `since` the receiver was told; 0 where it was not."""
    for got in list(stack.receiver.alerts):
        labels = got["labels"]
        alert = (labels["alertname"], labels.get("job"), got["receiver"], got["status"])
        if alert == (expected.alert, expected.job, expected.receiver, status) and got["received"] > since:
            return float(got["received"] - since)
    return 0.0


@pytest.fixture(scope="module")
def broken(stack: Platform) -> float:
    """When everything that can be wrong at once went wrong."""
    for part, wish in FAULTS.items():
        stack.fault(part, **wish)
    return time.time()


def test_nothing_fires_while_nothing_is_wrong(stack: Platform, within: Wait) -> None:
    started = time.monotonic()
    within(2 * SLACK, lambda: [got for got in stack.receiver.alerts if got["labels"]["alertname"] == "Watchdog"])
    within(QUIET + 60, lambda: time.monotonic() - started > QUIET)
    assert {got["labels"]["alertname"] for got in stack.receiver.alerts} == {"Watchdog"}


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.alert)
def test_a_fault_is_told_in_time(stack: Platform, within: Wait, broken: float, expected: Expected) -> None:
    left = broken + expected.fires_within - time.time()
    within(max(left, 0), lambda: seconds_until_notified(stack, expected, "firing", broken))
    assert seconds_until_notified(stack, expected, "firing", broken) <= expected.fires_within


def test_it_resolves_when_the_fault_is_taken_back_and_the_next_one_is_told(
    stack: Platform, within: Wait, broken: float
) -> None:
    for part in FAULTS:
        stack.fault(part)
    stack.fault("postgres-exporter", scenarios=["db_down"])
    mended = time.time()
    within(DOWN.fires_within, lambda: seconds_until_notified(stack, DOWN, "firing", mended))
    stack.fault("postgres-exporter")
    up = time.time()
    within(DOWN.resolves_within, lambda: seconds_until_notified(stack, DOWN, "resolved", up))
    for expected in EXPECTED:
        if (
            expected.alert != "GpuXidError"
        ):  # the code stays for as long as the exporter runs, and counts for 15 minutes
            left = mended + expected.resolves_within - time.time()
            within(max(left, 0), lambda one=expected: seconds_until_notified(stack, one, "resolved", mended))
