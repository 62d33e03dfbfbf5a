# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mimir's HTTP API, the part that is not Prometheus': its rings, and a sample that is written by OTLP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._http import Api, parse, text

SERVICE = "observability-canary"
METRIC = "observability_canary_time"
ACTIVE = "ACTIVE"
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """One process in a ring."""

    name: str
    state: str
    """ACTIVE, JOINING, LEAVING, PENDING, or UNHEALTHY where its heartbeat is missing."""


def ring(api: Api, path: str) -> list[Member]:
    """The members of a ring, asked of a process that knows it."""
    return parse("Mimir", path, read_members, api.get(path))


def read_members(answer: Any) -> list[Member]:
    return [Member(text(entry["id"]), text(entry["state"])) for entry in answer["shards"] or []]


def write(api: Api, moment: int) -> None:
    """One sample at this time, in seconds since the epoch, which is also its value; HttpError where it is refused."""
    point = {"timeUnixNano": str(moment * _NANO), "asDouble": moment}
    metric = {"name": METRIC, "gauge": {"dataPoints": [point]}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": SERVICE}}]}
    scope = {"scope": {"name": "ias.observability"}, "metrics": [metric]}
    api.post("/otlp/v1/metrics", {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]})
