# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""analytics-service: takes events in, and works them off in batches."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator

from prometheus_client import Counter, Gauge, Histogram
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.lab.platform.telemetry import Stopwatch
from tests.lab.platform.web import BUCKETS, Handler, Service

BATCH_SECONDS = 2.0


class AnalyticsService(Service):
    name = "analytics-service"
    scenarios = ("stalled",)

    def declare(self) -> None:
        registry = self.telemetry.registry
        self.backlog: deque[float] = deque()
        self.events = Counter("analytics_events", "Events worked off", ["outcome"], registry=registry)
        for outcome in ("processed", "failed"):
            self.events.labels(outcome)
        lag = Gauge("analytics_ingest_lag_seconds", "Age of the oldest event that waits", registry=registry)
        lag.set_function(lambda: time.monotonic() - self.backlog[0] if self.backlog else 0.0)
        waiting = Gauge("analytics_backlog_events", "Events that wait", registry=registry)
        waiting.set_function(lambda: float(len(self.backlog)))
        self.batches = Histogram("analytics_batch_duration_seconds", "Batches", buckets=BUCKETS, registry=registry)

    def handlers(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/events", self.take), ("GET", "/reports/daily", self.report)]

    def app(self) -> Starlette:
        app = super().app()
        app.router.lifespan_context = self._working
        return app

    @contextlib.asynccontextmanager
    async def _working(self, _: Starlette) -> AsyncIterator[None]:
        work = asyncio.create_task(self._work())
        yield
        work.cancel()

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(BATCH_SECONDS)
            if "stalled" not in self.fault.scenarios:
                self.process_queue()

    def process_queue(self) -> None:
        """Work the backlog off, as one batch."""
        watch = Stopwatch()
        taken = len(self.backlog)
        self.backlog.clear()
        self.events.labels("processed").inc(taken)
        self.batches.observe(watch.seconds + taken * 0.0005)

    async def take(self, request: Request, _: dict[str, object]) -> Response:
        event = await request.json()
        if "model" not in event:
            self.events.labels("failed").inc()
            return JSONResponse({"error": "no model"}, status_code=400)
        self.backlog.append(time.monotonic())
        return JSONResponse({"accepted": 1}, status_code=202)

    async def report(self, _: Request, __: dict[str, object]) -> Response:
        return JSONResponse({"waiting": len(self.backlog)})
