# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does one request make one trace through the services, and do their logs know it?"""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .._findings import Finding
from .result import CheckResult

UNNAMED = "unknown_service"
"""What OpenTelemetry's SDKs call a program that has no name (some add its file: unknown_service:python)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace that was read back, and the services in whose logs its id was found."""

    trace_id: str
    spans: Mapping[str, int]
    logged_by: Collection[str] = ()


def search_query(services: Sequence[str]) -> str:
    """TraceQL for traces in which each of the services has a span; any trace where none is named."""
    return " && ".join(f"{{ resource.service.name = {json.dumps(service)} }}" for service in services) or "{ }"


def logs_query(trace_id: str, services: Collection[str]) -> str:
    """LogQL for the lines of a trace: the services are labels, the id is structured metadata."""
    names = "|".join(sorted(service.replace(".", "[.]") for service in services))
    return f'{{service_name=~"{names}"}} | trace_id="{trace_id}"'


def missing_services(spans: Mapping[str, int], services: Collection[str], min_services: int) -> list[str]:
    """What a trace lacks: the named services, or as many as are too few."""
    lacking = sorted(set(services) - set(spans))
    short = min_services - len(spans)
    return lacking or (["any other"] * short if short > 0 else [])


def expected_logs(candidate: Candidate, services: Collection[str]) -> set[str]:
    return set(services) or set(candidate.spans)


def check_none(services: Collection[str], min_services: int, since: float, newest: float | None) -> CheckResult:
    """No trace at all began since the proof did."""
    return CheckResult(_checked(services, min_services), 0, [nothing_found(services, since, newest)], {"trace": {}})


def _checked(services: Collection[str], min_services: int) -> int:
    """Search, reading back, and the logs of each service."""
    return 2 + max(len(services), min_services)


def check_trace(candidates: Sequence[Candidate], services: Collection[str], min_services: int) -> CheckResult:
    """One of the candidates, of which there is one at least, is complete; otherwise say what the best of them lacks."""
    checked = _checked(services, min_services)

    def lacks(candidate: Candidate) -> tuple[int, int]:
        unlogged = expected_logs(candidate, services) - set(candidate.logged_by)
        return len(missing_services(candidate.spans, services, min_services)), len(unlogged)

    best = min(candidates, key=lacks)
    findings = _span_findings(best, services, min_services) or _log_findings(best, services)
    facts = {"trace": {"id": best.trace_id, "spans": dict(best.spans), "logged_by": sorted(best.logged_by)}}
    return CheckResult(checked, max(checked - sum(lacks(best)), 0), findings, facts)


def nothing_found(services: Collection[str], since: float, newest: float | None) -> Finding:
    """`newest` is when the newest earlier trace began; both in seconds since the epoch."""
    through = f" through {', '.join(sorted(services))}" if services else ""
    earlier = f"the newest one began at {clock(newest)}" if newest else "nor in the minutes before"
    return Finding(
        "traces/none",
        "error",
        f"Tempo has no trace{through} that began since {clock(since)}, when this proof did; {earlier}",
        "Check that requests are made, and that new connections to tempo:4317 or :4318 work "
        "(OTEL_EXPORTER_OTLP_ENDPOINT of the services)",
    )


def clock(moment: float) -> str:
    """A time of day in UTC."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%H:%M:%S UTC")


def _span_findings(best: Candidate, services: Collection[str], min_services: int) -> list[Finding]:
    lacking = missing_services(best.spans, services, min_services)
    if not lacking:
        return []
    present = ", ".join(sorted(best.spans)) or "no service"
    hint = "Check that the missing service exports spans and takes over the caller's traceparent header"
    if any(name.startswith(UNNAMED) for name in best.spans):
        hint = f"Set OTEL_SERVICE_NAME of the missing service: spans of {UNNAMED} are of a program that has no name"
    return [
        Finding(
            "traces/incomplete",
            "error",
            f"the best trace that began since this proof did has spans of {present}; missing: {', '.join(lacking)}",
            hint,
            object=best.trace_id,
            evidence={"missing": lacking},
        )
    ]


def _log_findings(best: Candidate, services: Collection[str]) -> list[Finding]:
    return [
        Finding(
            "traces/not-in-logs",
            "error",
            f"the logs of {service} do not hold the trace's id",
            "Check that the service writes trace_id into its log lines and that the collector keeps it",
            object=best.trace_id,
        )
        for service in sorted(expected_logs(best, services) - set(best.logged_by))
    ]
