# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send one span by each protocol, and read it back from Tempo."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from .._checks.otlp import Delivery, SpanMetrics, check_deliveries
from .._checks.result import CheckResult
from .._http import HttpError
from .._kube import KubeError
from .._otlp.grpc import GrpcError
from .._otlp.span import SERVICE, Span
from .._prometheus import Prometheus
from .._tempo import Tempo

CALLS = f'sum(traces_spanmetrics_calls_total{{service="{SERVICE}"}})'
LATENCIES = f'traces_spanmetrics_latency_bucket{{service="{SERVICE}"}}'
SEARCH_SECONDS = 60
"""Around the span's own time, which Tempo searches by."""

Send = Callable[[Span], None]
"""Sends a span over a new connection; raises HttpError, KubeError, GrpcError or OSError."""


@dataclass
class OtlpProbe:
    """Remembers the spans that were taken, so that each is sent once."""

    spans: dict[str, Span] = field(default_factory=dict)
    before: float | None = None
    """How many of our spans were counted when the proof began."""
    makes_metrics: bool | None = None

    def verify(self, tempo: Tempo, senders: Mapping[str, Send], prometheus: Prometheus) -> CheckResult:
        """`senders` by endpoint."""
        if self.makes_metrics is None:
            self.makes_metrics = tempo.makes_span_metrics()
            self.before = prometheus.value(CALLS) if self.makes_metrics else None
        deliveries = [self._deliver(tempo, endpoint, send) for endpoint, send in senders.items()]
        return check_deliveries(deliveries, self._metrics(tempo, prometheus) if self.makes_metrics else None)

    def _metrics(self, tempo: Tempo, prometheus: Prometheus) -> SpanMetrics:
        """An exemplar of ours proves both; without one the counter says whether the spans were counted."""
        if not self.spans:
            return SpanMetrics(counted=False, exemplar=False)
        ours = {span.trace_id.lstrip("0") for span in self.spans.values()}
        began = min(span.began for span in self.spans.values())
        exemplars = prometheus.exemplars(LATENCIES, start=began - SEARCH_SECONDS, end=time.time() + SEARCH_SECONDS)
        # Tempo leaves the zeros out that an id begins with.
        if any(ours & {value.lstrip("0") for value in exemplar.labels.values()} for exemplar in exemplars):
            return SpanMetrics(counted=True, exemplar=True)
        counted = prometheus.value(CALLS)
        if counted is not None and counted != self.before:
            return SpanMetrics(counted=True, exemplar=False)
        return SpanMetrics(counted=False, exemplar=False, limited=tempo.generator_losses())

    def _deliver(self, tempo: Tempo, endpoint: str, send: Send) -> Delivery:
        span = self.spans.get(endpoint) or new_span(endpoint)
        delivery = Delivery(endpoint, span.trace_id, dict(span.attributes))
        if endpoint not in self.spans:
            try:
                send(span)
            except (HttpError, KubeError, GrpcError, OSError) as error:
                return replace(delivery, error=str(error) or type(error).__name__)
            self.spans[endpoint] = span
        found = tempo.search(
            span.traceql(), start=span.began - SEARCH_SECONDS, end=span.ended + SEARCH_SECONDS, limit=1
        )
        return replace(delivery, stored=stored_attributes(tempo, span), found_by_search=bool(found))


def new_span(endpoint: str) -> Span:
    """A span of this moment whose first attribute no other span has."""
    now = time.time()
    attributes = (("canary.id", secrets.token_hex(8)), ("canary.endpoint", endpoint))
    return Span(secrets.token_hex(16), secrets.token_hex(8), now - 0.01, now, attributes)


def stored_attributes(tempo: Tempo, span: Span) -> Mapping[str, str] | None:
    """None where Tempo does not have it (yet)."""
    try:
        return tempo.attributes(span.trace_id)
    except HttpError as error:
        if error.status == 404:
            return None
        raise
