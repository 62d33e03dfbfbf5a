# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's switch: make it slow, failing or down from outside, to see what notices."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PATH = "/admin/fault"


class InjectedError(Exception):
    """The request was chosen to fail."""


@dataclass
class Fault:
    """What is wrong at the moment; nothing, by default."""

    error_rate: float = 0.0
    latency_seconds: float = 0.0
    down: bool = False
    scenarios: tuple[str, ...] = ()
    known: tuple[str, ...] = field(default=(), repr=False)

    async def strike(self) -> None:
        """Delay the current request, or raise InjectedError for it."""
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        if random.random() < self.error_rate:
            raise InjectedError

    def set(self, wish: object) -> str:
        """Take a wish over; the reason when it is not one."""
        if not isinstance(wish, dict):
            return "expected an object"
        if unknown := set(wish) - {"error_rate", "latency_seconds", "down", "scenarios"}:
            return f"unknown: {', '.join(sorted(unknown))}"
        scenarios = tuple(wish.get("scenarios", ()))
        if unknown := set(scenarios) - set(self.known):
            return f"unknown scenario {', '.join(sorted(unknown))}; there are: {', '.join(self.known) or 'none'}"
        rate, latency = wish.get("error_rate", 0.0), wish.get("latency_seconds", 0.0)
        if not (isinstance(rate, int | float) and 0 <= rate <= 1):
            return "error_rate is a share, 0 to 1"
        if not (isinstance(latency, int | float) and 0 <= latency <= 60):
            return "latency_seconds is 0 to 60"
        self.error_rate, self.latency_seconds = float(rate), float(latency)
        self.down, self.scenarios = bool(wish.get("down", False)), scenarios
        return ""

    def route(self) -> Route:
        async def switch(request: Request) -> Response:
            wish = {} if request.method == "DELETE" else await request.json()
            if reason := self.set(wish):
                return JSONResponse({"error": reason}, status_code=400)
            return JSONResponse(
                {
                    "error_rate": self.error_rate,
                    "latency_seconds": self.latency_seconds,
                    "down": self.down,
                    "scenarios": list(self.scenarios),
                }
            )

        return Route(PATH, switch, methods=["POST", "DELETE"])
