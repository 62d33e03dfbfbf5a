# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated exporters: the text of a real exporter's metrics, with values that move with time.

The text is written here and not by the client library, which would rename other programs' counters.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.lab.platform.fault import Fault

KIND = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """One metric: its name, type, and samples."""

    name: str
    type: str
    samples: tuple[tuple[Labels, float], ...]

    def text(self) -> str:
        lines = [f"# HELP {self.name} Simulated.", f"# TYPE {self.name} {self.type}"]
        for labels, value in self.samples:
            inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
            lines.append(f"{self.name}{{{inside}}} {value!r}" if inside else f"{self.name} {value!r}")
        return "\n".join(lines) + "\n"


class Clock:
    """Time since the start, and shapes over it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.started = now()

    def accumulated(self, per_second: float) -> float:
        """A counter that grows evenly."""
        return round(per_second * (self.now() - self.started), 3)

    def sine(self, low: float, high: float, period: float = 300) -> float:
        """A gauge that swings between two values."""
        return round(low + (high - low) * (1 + math.sin(2 * math.pi * self.now() / period)) / 2, 3)


class Exporter:
    """An exporter; a subclass says what it exports."""

    name = ""
    scenarios: tuple[str, ...] = ()

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.fault = Fault(known=self.scenarios)

    def families(self) -> list[Family]:
        """What it says at this moment."""
        return []

    def on(self, scenario: str) -> bool:
        return scenario in self.fault.scenarios

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/metrics", self.metrics), Route("/healthz", self.healthz), self.fault.route()])

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(self, _: Request) -> Response:
        if self.fault.down:
            return PlainTextResponse("down\n", status_code=503)
        return Response("".join(family.text() for family in self.families()), media_type=KIND)


def gauge(name: str, value: float, **labels: str) -> Family:
    return Family(name, "gauge", ((labels, value),))


def counter(name: str, value: float, **labels: str) -> Family:
    return Family(name, "counter", ((labels, value),))
