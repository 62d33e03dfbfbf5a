# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tempo's HTTP API, the part that proofs read."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._exposition import samples
from ._http import Api, HttpError, parse, text

GENERATOR_LOSSES = {
    "tempo_metrics_generator_registry_series_limited_total",
    "tempo_metrics_generator_spans_discarded_total",
    "prometheus_remote_storage_samples_failed_total",
    "prometheus_remote_storage_samples_dropped_total",
}
HEXADECIMAL_DIGITS = 16
"""Of a span's id."""


class TraceHit(NamedTuple):
    """A trace that a search found."""

    id: str
    """32 hexadecimal digits."""
    began: float
    """Seconds since the epoch, by the clock of the service that began it."""


class TraceSpan(NamedTuple):
    """A span as it was read back; times are seconds since the epoch."""

    span_id: str
    """16 hexadecimal digits."""
    name: str
    began: float
    ended: float
    attributes: dict[str, str]
    """Its own, and those of its resource, as texts."""


@dataclass(frozen=True)
class Tempo:
    api: Api

    def search(self, traceql: str, *, start: float, end: float, limit: int) -> list[TraceHit]:
        """Matching traces that began between two times in seconds since the epoch, the newest first."""
        path = "/api/search"
        # Tempo takes whole seconds, and also answers with traces that merely reach into them.
        query = {"q": traceql, "start": str(int(start)), "end": str(int(end) + 1), "limit": str(limit)}
        hits = parse("Tempo", path, read_hits, self.api.get(path, query))
        return sorted((hit for hit in hits if hit.began >= start), key=lambda hit: hit.began, reverse=True)

    def makes_span_metrics(self) -> bool:
        """Whether its configuration lists the processor; False where it does not show its configuration."""
        try:
            configuration = self.api.get_text("/status/config")
        except HttpError:
            return False
        return re.search(r"^\s*- span-metrics\s*$", configuration, re.MULTILINE) is not None

    def generator_losses(self) -> dict[str, int]:
        """What its metrics generator counts of losses since its start; only what is not 0."""
        try:
            metrics = self.api.get_text("/metrics")
        except HttpError:
            return {}
        counts: Counter[str] = Counter()
        for sample in samples(metrics, GENERATOR_LOSSES):
            counts[sample.name] += int(sample.value)
        return dict(+counts)

    def spans(self, trace_id: str) -> dict[str, int]:
        """How many spans each service has in a trace; HttpError 404 where there is none."""
        path = f"/api/traces/{trace_id}"
        return parse("Tempo", path, spans_by_service, self.api.get(path))

    def trace(self, trace_id: str) -> list[TraceSpan]:
        """The spans of a trace; HttpError 404 where there is none."""
        path = f"/api/traces/{trace_id}"
        return parse("Tempo", path, read_trace, self.api.get(path))

    def attributes(self, trace_id: str) -> dict[str, str]:
        """The text attributes of all spans of a trace; HttpError 404 where there is none."""
        path = f"/api/traces/{trace_id}"
        return parse("Tempo", path, span_attributes, self.api.get(path))


def read_trace(answer: Any) -> list[TraceSpan]:
    """The spans of a trace in OTLP's JSON."""
    body = answer.get("trace", answer)
    return [
        TraceSpan(
            span_id=hexadecimal(text(span.get("spanId", ""))),
            name=text(span.get("name", "")),
            began=int(span["startTimeUnixNano"]) / 1e9,
            ended=int(span["endTimeUnixNano"]) / 1e9,
            attributes=texts(resource.get("resource", {})) | texts(span),
        )
        for resource in body.get("batches") or body.get("resourceSpans") or []
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []
        for span in scope.get("spans") or []
    ]


def texts(node: Any) -> dict[str, str]:
    """The attributes of a resource or a span, as Grafana shows them."""
    return {text(entry["key"]): shown(entry["value"]) for entry in node.get("attributes") or []}


def shown(value: Any) -> str:
    """A value of OTLP's JSON, which names its type."""
    (plain,) = value.values() if value else ("",)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def hexadecimal(span_id: str) -> str:
    """Tempo writes ids in Base64; OTLP's JSON has hexadecimal digits."""
    if len(span_id) == HEXADECIMAL_DIGITS:
        return span_id
    return base64.b64decode(span_id).hex()


def span_attributes(answer: Any) -> dict[str, str]:
    """The text attributes of all spans of a trace."""
    body = answer.get("trace", answer)
    return {
        text(attribute["key"]): text(attribute["value"]["stringValue"])
        for resource in body.get("batches") or body.get("resourceSpans") or []
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []
        for span in scope.get("spans") or []
        for attribute in span.get("attributes") or []
        if "stringValue" in attribute["value"]
    }


def read_hits(answer: Any) -> list[TraceHit]:
    # Tempo leaves out the leading zeros of an id; logs do not.
    return [
        TraceHit(trace_id(entry["traceID"]), int(entry.get("startTimeUnixNano") or 0) / 1e9)
        for entry in answer.get("traces") or []
    ]


def trace_id(value: Any) -> str:
    """An id that can stand in a path; ValueError where it is none."""
    int(text(value), 16)
    return text(value).zfill(32)


def spans_by_service(answer: Any) -> dict[str, int]:
    """The OTLP JSON of a trace, counted."""
    body = answer.get("trace", answer)
    spans: dict[str, int] = {}
    for resource in body.get("batches") or body.get("resourceSpans") or []:
        service = resource_attribute(resource, "service.name")
        scopes = resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []
        spans[service] = spans.get(service, 0) + sum(len(scope.get("spans") or []) for scope in scopes)
    return spans


def resource_attribute(resource: Any, key: str) -> str:
    for attribute in resource.get("resource", {}).get("attributes") or []:
        if attribute["key"] == key:
            return str(attribute["value"].get("stringValue", ""))
    return ""
