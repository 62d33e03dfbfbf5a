# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every service tells about itself: metrics, JSON log lines on stdout, spans over OTLP."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

COLLECTOR = "http://tempo:4317"


class Telemetry:
    """One service's registry, tracer and log. `processor` replaces the export to the collector, in tests."""

    def __init__(
        self,
        service: str,
        processor: SpanProcessor | None = None,
        out: TextIO = sys.stdout,
        *,
        names_itself: bool = True,
    ) -> None:
        self.service = service
        self.out = out
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        namespace = os.environ.get("POD_NAMESPACE", "ias-system")
        own_name = {"service.name": service} if names_itself else {}
        resource = Resource.create({**own_name, "k8s.namespace.name": namespace})
        self.provider = TracerProvider(resource=resource)
        self.provider.add_span_processor(processor or BatchSpanProcessor(exporter(), schedule_delay_millis=1000))
        self.tracer = self.provider.get_tracer("tests.lab.platform")

    def log(self, level: str, message: str, **fields: object) -> None:
        """One JSON line, with the current span's ids when there is one."""
        context = trace.get_current_span().get_span_context()
        ids = {}
        if context.is_valid:
            ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        line = {
            "ts": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "msg": message,
            "service": self.service,
            **ids,
            **fields,
        }
        print(json.dumps(line), file=self.out, flush=True)


def exporter() -> OTLPSpanExporter:
    return OTLPSpanExporter(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", COLLECTOR), insecure=True)


def exemplar() -> dict[str, str]:
    """The current trace, as a histogram's exemplar."""
    context = trace.get_current_span().get_span_context()
    return {"trace_id": f"{context.trace_id:032x}"} if context.is_valid else {}


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started
