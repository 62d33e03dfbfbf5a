# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tempo's HTTP API, the part that proofs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ._http import Api, parse, text


class TraceHit(NamedTuple):
    """A trace that a search found."""

    id: str
    """32 hexadecimal digits."""
    began: float
    """Seconds since the epoch, by the clock of the service that began it."""


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

    def spans(self, trace_id: str) -> dict[str, int]:
        """How many spans each service has in a trace; HttpError 404 where there is none."""
        path = f"/api/traces/{trace_id}"
        return parse("Tempo", path, spans_by_service, self.api.get(path))

    def attributes(self, trace_id: str) -> dict[str, str]:
        """The text attributes of all spans of a trace; HttpError 404 where there is none."""
        path = f"/api/traces/{trace_id}"
        return parse("Tempo", path, span_attributes, self.api.get(path))


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
