# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated vLLM: no model, but vLLM's metrics and spans (0.33), which follow the requests that it gets.

Its spans are as poor as the real ones: one a request, without the model and the operation, with the token counts under
their old names, and the service's name from OTEL_SERVICE_NAME alone.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter as Counts
from functools import partial

from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.lab.platform.telemetry import exemplar
from tests.lab.platform.web import BUCKETS, Handler, Service

MODELS = ("llama-3-70b", "mistral-7b")
ENGINE = "0"
BLOCKS = 40  # requests that the key-value cache holds
TOKEN_BUCKETS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
LATENCY_BUCKETS = (*BUCKETS, 20, 40, 80)
HTTP_BUCKETS = (0.1, 0.5, 1)  # of the library that vLLM counts its requests with
WAITING = ("capacity", "deferred")
SOURCES = ("device", "host", "disk", "p2p", "external_unspecified")
FINISHED = ("stop", "length", "abort", "error", "repetition")


class Vllm(Service):
    name = "vllm"
    route_label = "handler"
    span_name = "llm_request"
    names_itself = False
    buckets = HTTP_BUCKETS
    scenarios = ("kv_cache_full", "queue_growth", "slow_ttft", "stalled")

    def declare(self) -> None:
        registry, labels = self.telemetry.registry, ("model_name", "engine")
        self.batch = Counts[str]()  # requests that run, by model

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"vllm:{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(f"vllm:{name}", text, (*labels, *more), registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...] = LATENCY_BUCKETS) -> Histogram:
            return Histogram(f"vllm:{name}", text, labels, buckets=buckets, registry=registry)

        self.running = gauge("num_requests_running", "Requests in execution batches")
        self.waiting = gauge("num_requests_waiting", "Requests waiting")
        self.waiting_by_reason = Gauge(
            "vllm:num_requests_waiting_by_reason", "Requests waiting", (*labels, "reason"), registry=registry
        )
        self.rejections = Counter(
            "vllm:admission_rejections", "Requests not admitted", ("model_name", "reason"), registry=registry
        )
        self.cached = counter("prompt_tokens_cached_by_source", "Prompt tokens that were cached", "source")
        self.cache = gauge("kv_cache_usage_perc", "Use of the key-value cache, 1 is full")
        self.prompt = counter("prompt_tokens", "Prefill tokens")
        self.generation = counter("generation_tokens", "Generation tokens")
        self.success = counter("request_success", "Finished requests", "finished_reason")
        self.preemptions = counter("num_preemptions", "Preemptions")
        self.prefix_queries = counter("prefix_cache_queries", "Prefix cache queries, in tokens")
        self.prefix_hits = counter("prefix_cache_hits", "Prefix cache hits, in tokens")
        self.first_token = histogram("time_to_first_token_seconds", "Time to the first token")
        self.inter_token = histogram("inter_token_latency_seconds", "Time between tokens")
        self.per_token = histogram("request_time_per_output_token_seconds", "Time per output token of a request")
        self.prefill_time = histogram("request_prefill_time_seconds", "Time in prefill")
        self.decode_time = histogram("request_decode_time_seconds", "Time in decode")
        self.end_to_end = histogram("e2e_request_latency_seconds", "Whole requests")
        self.queue_time = histogram("request_queue_time_seconds", "Time in the queue")
        self.prompt_sizes = histogram("request_prompt_tokens", "Prompt tokens of a request", TOKEN_BUCKETS)
        self.generation_sizes = histogram("request_generation_tokens", "Generation tokens of a request", TOKEN_BUCKETS)
        for model in MODELS:
            self.preemptions.labels(model, ENGINE)
            for reason in FINISHED:
                self.success.labels(model, ENGINE, reason)
            for source in SOURCES:
                self.cached.labels(model, ENGINE, source)
            self.rejections.labels(model, "queue_full")
            self.waiting.labels(model, ENGINE).set_function(self.queue)
            for reason in WAITING:
                waits = partial(self.queue, reason)
                self.waiting_by_reason.labels(model, ENGINE, reason).set_function(waits)
            self.running.labels(model, ENGINE).set_function(partial(self.batch_size, model))
            self.cache.labels(model, ENGINE).set_function(partial(self.cache_use, model))

    def queue(self, reason: str = WAITING[0]) -> float:
        """All requests that wait do so for the first of the reasons."""
        return 50.0 * bool({"queue_growth", "stalled"} & set(self.fault.scenarios)) * (reason == WAITING[0])

    def batch_size(self, model: str) -> float:
        return 0.0 if "stalled" in self.fault.scenarios else self.batch[model]

    def cache_use(self, model: str) -> float:
        return 0.99 if "kv_cache_full" in self.fault.scenarios else min(1.0, self.batch[model] / BLOCKS + 0.05)

    def handlers(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/v1/chat/completions", self.complete)]

    async def complete(self, request: Request, _: dict[str, object]) -> Response:
        body = await request.json()
        model = body.get("model", "")
        if model not in MODELS:
            return JSONResponse({"error": f"no model {model}"}, status_code=404)
        tokens_in, tokens_out = random.randint(20, 400), random.randint(10, 120)
        first = random.uniform(0.02, 0.08) + 2.0 * ("slow_ttft" in self.fault.scenarios)
        between = random.uniform(0.0005, 0.002)
        self.batch[model] += 1
        try:
            await asyncio.sleep(first + between * tokens_out)
        finally:
            self.batch[model] -= 1
        self.count(model, tokens_in, tokens_out, first, between)
        trace.get_current_span().set_attributes(
            {
                "gen_ai.request.id": f"chatcmpl-{uuid.uuid4().hex}",
                "gen_ai.request.max_tokens": 120,
                "gen_ai.request.temperature": 1.0,
                "gen_ai.request.top_p": 1.0,
                "gen_ai.request.n": 1,
                "gen_ai.usage.prompt_tokens": tokens_in,
                "gen_ai.usage.completion_tokens": tokens_out,
                "gen_ai.latency.time_in_queue": first / 10,
                "gen_ai.latency.time_to_first_token": first,
                "gen_ai.latency.e2e": first + between * tokens_out,
            }
        )
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
        return JSONResponse({"model": model, "choices": [{"text": "..."}], "usage": usage})

    def count(self, model: str, tokens_in: int, tokens_out: int, first: float, between: float) -> None:
        labels = (model, ENGINE)
        self.prompt.labels(*labels).inc(tokens_in)
        self.generation.labels(*labels).inc(tokens_out)
        self.success.labels(*labels, "stop" if tokens_out < 100 else "length").inc()
        self.prefix_queries.labels(*labels).inc(tokens_in)
        self.prefix_hits.labels(*labels).inc(tokens_in // 3)
        self.cached.labels(*labels, "device").inc(tokens_in // 4)
        self.cached.labels(*labels, "host").inc(tokens_in // 12)
        self.first_token.labels(*labels).observe(first, exemplar())
        self.inter_token.labels(*labels).observe(between)
        self.queue_time.labels(*labels).observe(first / 10)
        self.prefill_time.labels(*labels).observe(first * 0.9)
        self.decode_time.labels(*labels).observe(between * tokens_out)
        self.per_token.labels(*labels).observe(between)
        self.end_to_end.labels(*labels).observe(first + between * tokens_out, exemplar())
        self.prompt_sizes.labels(*labels).observe(tokens_in)
        self.generation_sizes.labels(*labels).observe(tokens_out)
