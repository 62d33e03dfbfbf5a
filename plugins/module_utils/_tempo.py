# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tempo's HTTP API, the part that proofs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ._http import Api


@dataclass(frozen=True)
class Tempo:
    api: Api

    def search(self, traceql: str, *, start: int, end: int, limit: int) -> list[str]:
        """The ids of matching traces that started between two times in seconds."""
        query = {"q": traceql, "start": str(start), "end": str(end), "limit": str(limit)}
        # Tempo leaves out the leading zeros of an id; logs do not.
        return [hit["traceID"].zfill(32) for hit in self.api.get("/api/search", query).get("traces") or []]

    def trace(self, trace_id: str) -> dict[str, Any]:
        """One whole trace as OTLP JSON; HttpError 404 where there is none."""
        return cast("dict[str, Any]", self.api.get(f"/api/traces/{trace_id}"))


def spans_by_service(trace: Mapping[str, Any]) -> dict[str, int]:
    """How many spans each service has in a trace."""
    body = trace.get("trace", trace)
    spans: dict[str, int] = {}
    for resource in body.get("batches") or body.get("resourceSpans") or []:
        service = resource_attribute(resource, "service.name")
        scopes = resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or []
        spans[service] = spans.get(service, 0) + sum(len(scope.get("spans") or []) for scope in scopes)
    return spans


def resource_attribute(resource: Mapping[str, Any], key: str) -> str:
    for attribute in resource.get("resource", {}).get("attributes") or []:
        if attribute["key"] == key:
            return str(attribute["value"].get("stringValue", ""))
    return ""
