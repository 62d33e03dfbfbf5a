# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send one span by each protocol, and read it back from Tempo."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from .._checks.otlp import Delivery, check_deliveries
from .._checks.result import CheckResult
from .._http import HttpError
from .._kube import KubeError
from .._otlp.grpc import GrpcError
from .._otlp.span import Span
from .._tempo import Tempo

SEARCH_SECONDS = 60
"""Around the span's own time, which Tempo searches by."""

Send = Callable[[Span], None]
"""Sends a span over a new connection; raises HttpError, KubeError, GrpcError or OSError."""


@dataclass
class OtlpProbe:
    """Remembers the spans that were taken, so that each is sent once."""

    spans: dict[str, Span] = field(default_factory=dict)

    def verify(self, tempo: Tempo, senders: Mapping[str, Send]) -> CheckResult:
        """`senders` by endpoint."""
        return check_deliveries([self._deliver(tempo, endpoint, send) for endpoint, send in senders.items()])

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
