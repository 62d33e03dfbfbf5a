# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""api-router: takes a prompt, asks who it is, sends it to the model, and tells analytics."""

from __future__ import annotations

import httpx
from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.lab.platform.telemetry import Stopwatch, exemplar
from tests.lab.platform.vllm import MODELS
from tests.lab.platform.web import BUCKETS, Handler, Service

BACKEND = "vllm"
ATTEMPTS = 2
MODEL_BUCKETS = (*BUCKETS, 30, 60)


class ApiRouter(Service):
    name = "api-router"

    def declare(self) -> None:
        registry = self.telemetry.registry
        tenant = ("model", "organization")
        self.routed = Counter("router_requests", "Routed requests", (*tenant, "outcome"), registry=registry)
        self.routing = Histogram(
            "router_request_duration_seconds", "Routed requests", ["model"], buckets=MODEL_BUCKETS, registry=registry
        )
        self.tokens = Counter("router_tokens", "Tokens", (*tenant, "kind"), registry=registry)
        self.over_budget = Counter("router_budget_exceeded", "Refused for budget", tenant, registry=registry)
        self.upstream_errors = Counter(
            "router_upstream_errors", "Failed calls of a model", ("model", "reason"), registry=registry
        )
        self.retries = Counter("router_retries", "Calls made again", ["model"], registry=registry)
        self.queue = Gauge("router_queue_depth", "Requests waiting for a model", ["model"], registry=registry)
        self.queued = Histogram(
            "router_queue_duration_seconds", "Wait for a model", ["model"], buckets=BUCKETS, registry=registry
        )
        self.backend_up = Gauge(
            "router_backend_up", "Whether the last call was answered", ["backend"], registry=registry
        )
        self.backend_up.labels(BACKEND).set(1)
        for model in MODELS:
            self.retries.labels(model)
            self.queue.labels(model)
            for reason in ("timeout", "unavailable", "bad_response"):
                self.upstream_errors.labels(model, reason)

    def handlers(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/v1/chat/completions", self.complete)]

    async def complete(self, request: Request, fields: dict[str, object]) -> Response:
        body = await request.json()
        model, organization = body.get("model", ""), body.get("organization", "")
        fields["user_id"] = body.get("user")
        if model not in MODELS:
            return JSONResponse({"error": f"unknown model {model}"}, status_code=404)
        # vLLM's span does not say the model: who routes to it knows
        trace.get_current_span().set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": model})
        watch = Stopwatch()
        response, outcome = await self.route(model, organization, body, fields)
        self.routed.labels(model, organization, outcome).inc()
        self.routing.labels(model).observe(watch.seconds, exemplar())
        event = {"model": model, "organization": organization, "outcome": outcome}
        await self.call("analytics-service", "/events", event, fields["request_id"])
        return response

    async def route(
        self, model: str, organization: str, body: dict[str, object], fields: dict[str, object]
    ) -> tuple[Response, str]:
        """(answer, outcome) of a request for a known model."""
        if body.get("over_budget"):
            self.over_budget.labels(model, organization).inc()
            return JSONResponse({"error": "budget exceeded"}, status_code=429), "budget_exceeded"
        allowed = await self.call("user-service", "/internal/authorize", body, fields["request_id"])
        if allowed.status_code == 401:
            return JSONResponse({"error": "unauthorized"}, status_code=401), "rejected"
        if allowed.status_code != 200:
            return JSONResponse({"error": "authorization failed"}, status_code=502), "error"
        answer = await self.ask_model(model, body, fields)
        if answer is None:
            return JSONResponse({"error": "model unavailable"}, status_code=502), "error"
        for kind in ("prompt", "completion"):
            self.tokens.labels(model, organization, kind).inc(answer["usage"][f"{kind}_tokens"])
        used = {"input": answer["usage"]["prompt_tokens"], "output": answer["usage"]["completion_tokens"]}
        trace.get_current_span().set_attributes({f"gen_ai.usage.{kind}_tokens": count for kind, count in used.items()})
        return JSONResponse(answer), "ok"

    async def ask_model(
        self, model: str, body: dict[str, object], fields: dict[str, object]
    ) -> dict[str, dict[str, int]] | None:
        """The model's answer, or None when it gave none within the attempts."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.retries.labels(model).inc()
            wait = Stopwatch()
            with self.queue.labels(model).track_inprogress():
                self.queued.labels(model).observe(wait.seconds)
                try:
                    answer = await self.call(BACKEND, "/v1/chat/completions", dict(body), fields["request_id"])
                except httpx.TimeoutException:
                    self.upstream_errors.labels(model, "timeout").inc()
                    continue
                except httpx.HTTPError:
                    self.upstream_errors.labels(model, "unavailable").inc()
                    self.backend_up.labels(BACKEND).set(0)
                    continue
            self.backend_up.labels(BACKEND).set(int(answer.status_code != 503))
            if answer.status_code == 200:
                found: dict[str, dict[str, int]] = answer.json()
                return found
            self.upstream_errors.labels(model, "unavailable" if answer.status_code == 503 else "bad_response").inc()
        return None
