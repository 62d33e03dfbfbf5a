# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a span that is sent by OTLP now come back from Tempo as it was sent?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._findings import Finding
from .result import CheckResult

CHECKS_EACH = 4
"""It is taken, found by its id, found by TraceQL, and has its attributes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the span that one protocol sent."""

    endpoint: str
    """As the services know it: tempo.ias-system:4317 (gRPC)."""
    trace_id: str
    sent: Mapping[str, str]
    error: str = ""
    """Why it was not sent."""
    stored: Mapping[str, str] | None = None
    """The attributes of the span in Tempo; None where it is not found by its id."""
    found_by_search: bool = False

    @property
    def changed(self) -> list[str]:
        """Attributes that came back with another value, or not at all."""
        stored = self.stored or {}
        return sorted(key for key, value in self.sent.items() if stored.get(key) != value)

    @property
    def passed(self) -> int:
        return sum((not self.error, self.stored is not None, not self.changed, self.found_by_search))

    def finding(self) -> Finding | None:
        """The first thing that is wrong."""
        if self.error:
            return self._error(
                "refused",
                f"no span can be sent: {self.error}",
                "New connections of the services fail alike, old ones may live on. Look at the Service's ports and "
                "selector, and at Tempo's receivers",
            )
        if self.stored is None:
            return self._error(
                "lost",
                f"the span was taken, but Tempo does not have its trace {self.trace_id}",
                "Look at Tempo's log and at tempo_distributor_spans_received_total, tempo_discarded_spans_total",
            )
        if self.changed:
            message = f"attributes of the span came back changed: {', '.join(self.changed)}"
            return self._error("changed", message, "Look at the processors before Tempo")
        if not self.found_by_search:
            message = f"Tempo has trace {self.trace_id}, but no search by TraceQL finds it"
            return self._error("not-found", message, "Look at Tempo's querier and its log")
        return None

    def _error(self, identity: str, message: str, hint: str) -> Finding:
        return Finding(f"otlp/{identity}", "error", message, hint, object=self.endpoint)


@dataclass(frozen=True, slots=True)
class SpanMetrics:
    """What Tempo's metrics generator has made of the spans."""

    counted: bool
    """They are in traces_spanmetrics_calls_total."""
    exemplar: bool
    """One of their trace ids is an exemplar of traces_spanmetrics_latency."""
    limited: Mapping[str, int] = field(default_factory=dict)
    """What Tempo counts of metrics that it could not make or send, by the counter's name."""

    def findings(self) -> list[Finding]:
        where = "Tempo's metrics generator"
        if not self.counted:
            counters = ", ".join(f"{name} is {count}" for name, count in self.limited.items())
            said = f" ({counters})" if counters else ""
            message = f"the spans are in Tempo, but not in the span metrics of Prometheus{said}"
            hint = "Look at metrics_generator in Tempo's values: remote write, max_active_series; and at Tempo's log"
            return [Finding("otlp/no-span-metrics", "error", message, hint, object=where)]
        if not self.exemplar:
            message = "the span metrics have no exemplar with the trace id of the spans"
            hint = "Tempo: send_exemplars of its remote write; Prometheus: the feature exemplar-storage"
            return [Finding("otlp/no-exemplar", "error", message, hint, object=where)]
        return []


def check_deliveries(deliveries: Sequence[Delivery], metrics: SpanMetrics | None = None) -> CheckResult:
    """`metrics` is None where Tempo makes none of spans."""
    findings = [finding for delivery in deliveries if (finding := delivery.finding()) is not None]
    checked, passed = CHECKS_EACH * len(deliveries), sum(delivery.passed for delivery in deliveries)
    if metrics and not findings:  # spans that are lost make no metrics
        findings += metrics.findings()
    if metrics:
        checked, passed = checked + 2, passed + metrics.counted + metrics.exemplar
    facts = {"endpoints": [delivery.endpoint for delivery in deliveries], "span_metrics": metrics is not None}
    return CheckResult(checked, passed, findings, facts)
