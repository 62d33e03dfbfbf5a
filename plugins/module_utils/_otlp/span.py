# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A span of our own, and its OTLP forms: JSON for HTTP, protobuf for gRPC."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

SERVICE = "observability-canary"
SPAN_NAME = "proof"
SCOPE = "ias.observability"
_KIND_INTERNAL = 1
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A trace of one span; ids are hexadecimal digits, times seconds since the epoch."""

    trace_id: str
    """32 digits."""
    span_id: str
    """16 digits."""
    began: float
    ended: float
    attributes: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, object]:
        """An ExportTraceServiceRequest, for POST /v1/traces."""
        span = {
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "name": SPAN_NAME,
            "kind": _KIND_INTERNAL,
            "startTimeUnixNano": str(int(self.began * _NANO)),
            "endTimeUnixNano": str(int(self.ended * _NANO)),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in self.attributes],
        }
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": SERVICE}}]}
        return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": SCOPE}, "spans": [span]}]}]}

    def as_protobuf(self) -> bytes:
        """The same message, by the field numbers of opentelemetry/proto/trace/v1."""
        span = b"".join(
            (
                _bytes(1, bytes.fromhex(self.trace_id)),
                _bytes(2, bytes.fromhex(self.span_id)),
                _bytes(5, SPAN_NAME.encode()),
                _varint_field(6, _KIND_INTERNAL),
                _fixed64(7, int(self.began * _NANO)),
                _fixed64(8, int(self.ended * _NANO)),
                *(_bytes(9, _key_value(key, value)) for key, value in self.attributes),
            )
        )
        resource = _bytes(1, _key_value("service.name", SERVICE))
        scope_spans = _bytes(1, _bytes(1, SCOPE.encode())) + _bytes(2, span)
        return _bytes(1, _bytes(1, resource) + _bytes(2, scope_spans))

    def traceql(self) -> str:
        """Finds the span by its first attribute."""
        key, value = self.attributes[0]
        return f"{{ span.{key} = {json.dumps(value)} }}"


def _key_value(key: str, value: str) -> bytes:
    return _bytes(1, key.encode()) + _bytes(2, _bytes(1, value.encode()))


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint_field(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _fixed64(field: int, value: int) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<Q", value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))
