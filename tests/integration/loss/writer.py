# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod of the lab runs: numbered lines to its log and numbered spans to Tempo, at a stated rate.

python writer.py RUN TRACE SECONDS LINES-A-SECOND SPANS-A-SECOND BYTES-A-LINE
"""

from __future__ import annotations

import sys
import time

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TICKS = 10
"""A second."""
RETRY_SECONDS = 60
"""The SDK gives a batch up after 10 by default, which is less than a restart of Tempo takes."""


def main(run: str, trace_id: str, *numbers: str) -> None:
    seconds, lines, spans, size = map(int, numbers)
    provider = TracerProvider(resource=Resource.create({"service.name": "observability-canary"}))
    exporter = OTLPSpanExporter("http://tempo:4317", insecure=True, timeout=RETRY_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("loss")
    root = trace.SpanContext(int(trace_id, 16), 1, is_remote=True, trace_flags=trace.TraceFlags(1))
    parent = trace.set_span_in_context(trace.NonRecordingSpan(root))
    began = time.monotonic()
    line = span = 0
    for tick in range(seconds * TICKS):
        time.sleep(max(began + tick / TICKS - time.monotonic(), 0))
        while line < lines * (tick + 1) // TICKS:
            line += 1
            print(f"{run}: {line} plain {'x' * size} {line}.")
        while span < spans * (tick + 1) // TICKS:
            span += 1
            tracer.start_span(f"number {span}", context=parent).end()
        sys.stdout.flush()
    provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
