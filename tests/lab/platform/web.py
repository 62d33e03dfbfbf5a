# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's HTTP side: each request becomes a span, a log line, and the rate, error and duration metrics."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from opentelemetry import propagate
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.lab.platform.fault import Fault, InjectedError
from tests.lab.platform.telemetry import Stopwatch, Telemetry, exemplar

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

Handler = Callable[[Request, dict[str, object]], Awaitable[Response]]


class Service:
    """One service of the platform; a subclass declares its metrics and handlers."""

    name = ""
    route_label = "route"  # vLLM's own instrumentation says "handler"
    span_name = ""  # of every request, with none but the service's own attributes; "" is method and path
    names_itself = True  # in its spans; else OTEL_SERVICE_NAME does
    buckets: tuple[float, ...] = BUCKETS
    scenarios: tuple[str, ...] = ()

    def __init__(self, telemetry: Telemetry, client: httpx.AsyncClient) -> None:
        self.telemetry = telemetry
        self.client = client
        self.fault = Fault(known=self.scenarios)
        registry, labels = telemetry.registry, ("method", self.route_label)
        self.requests = Counter("http_requests", "Requests answered", (*labels, "status"), registry=registry)
        self.durations = Histogram(
            "http_request_duration_seconds", "Time to answer a request", labels, buckets=self.buckets, registry=registry
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered", registry=registry)
        self.declare()

    def declare(self) -> None:
        """Declare the metrics of the service's own."""

    def handlers(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of the service's own endpoints."""
        return []

    def app(self) -> Starlette:
        own = [
            Route(path, self._observed(path, handler), methods=[method]) for method, path, handler in self.handlers()
        ]
        common = [Route("/metrics", self.metrics), Route("/healthz", self.healthz), self.fault.route()]
        return Starlette(routes=own + common)

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(self, request: Request) -> Response:
        """The exposition; a service that is down does not answer its scrape either."""
        if self.fault.down:
            return PlainTextResponse("down\n", status_code=503)
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self.telemetry.registry), media_type=kind)

    def _observed(self, path: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            watch = Stopwatch()
            # What the handler adds here stands in the request's log line.
            fields: dict[str, object] = {"request_id": request.headers.get("x-request-id") or uuid.uuid4().hex}
            context = propagate.extract(request.headers)
            title = f"{request.method} {path}"
            with (
                self.in_flight.track_inprogress(),
                self.telemetry.tracer.start_as_current_span(self.span_name or title, context, SpanKind.SERVER) as span,
            ):
                response = await self._guarded(request, handler, fields)
                status, seconds = response.status_code, watch.seconds
                if not self.span_name:
                    span.set_attributes({"http.method": request.method, "http.route": path, "http.status_code": status})
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))
                self.requests.labels(request.method, path, str(status)).inc()
                self.durations.labels(request.method, path).observe(seconds, exemplar())
                level = "error" if status >= 500 else "warning" if status >= 400 else "info"
                took = round(seconds * 1000, 1)
                self.telemetry.log(level, title, route=path, status=status, duration_ms=took, **fields)
            return response

        return answer

    async def _guarded(self, request: Request, handler: Handler, fields: dict[str, object]) -> Response:
        if self.fault.down:
            return JSONResponse({"error": "down"}, status_code=503)
        try:
            await self.fault.strike()
            return await handler(request, fields)
        except InjectedError:
            return JSONResponse({"error": "injected"}, status_code=500)
        except httpx.HTTPError as error:
            return JSONResponse({"error": f"upstream: {type(error).__name__}"}, status_code=502)

    async def call(self, service: str, path: str, body: dict[str, Any], request_id: object) -> httpx.Response:
        """Ask another service, in a client span of the current trace."""
        with self.telemetry.tracer.start_as_current_span(f"call {service}", kind=SpanKind.CLIENT) as span:
            headers = {"x-request-id": str(request_id)}
            propagate.inject(headers)
            response = await self.client.post(f"http://{service}:8080{path}", json=body, headers=headers)
            span.set_attributes({"peer.service": service, "http.status_code": response.status_code})
            if response.status_code >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return response
