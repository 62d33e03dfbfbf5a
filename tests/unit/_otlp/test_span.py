# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protobuf form of a span says what its JSON form says."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._otlp.span import SERVICE, Span

LONG = "1f" * 70  # its length takes two octets
SPAN = Span(
    "0af7651916cd43dd8448eb211c80319c",
    "b7ad6b7169203331",
    1_793_534_400.25,
    1_793_534_400.5,
    (("canary.id", LONG), ("b", "ü")),
)


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: a reader of the wire format on its own."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 1:
            yield key >> 3, struct.unpack("<Q", message[at : at + 8])[0]
            at += 8
        else:
            size = varint()
            yield key >> 3, message[at : at + size]
            at += size


def child(message: bytes, *path: int) -> bytes:
    for number in path:
        message = next(value for field, value in fields(message) if field == number)
    return message


def attributes(message: bytes, number: int) -> list[tuple[str, str]]:
    pairs = [value for field, value in fields(message) if field == number]
    return [(child(pair, 1).decode(), child(pair, 2, 1).decode()) for pair in pairs]


def test_protobuf_and_json_say_the_same() -> None:
    (resource_spans,) = SPAN.as_json()["resourceSpans"]  # type: ignore[misc]
    (scope_spans,) = resource_spans["scopeSpans"]
    (span,) = scope_spans["spans"]
    message = SPAN.as_protobuf()
    assert attributes(child(message, 1, 1), 1) == [("service.name", SERVICE)]
    assert resource_spans["resource"]["attributes"][0]["value"]["stringValue"] == SERVICE
    assert child(message, 1, 2, 1, 1).decode() == scope_spans["scope"]["name"]
    encoded = dict(fields(child(message, 1, 2, 2)))
    assert (encoded[1].hex(), encoded[2].hex(), encoded[5].decode()) == (span["traceId"], span["spanId"], span["name"])
    assert (encoded[6], encoded[7], encoded[8]) == (
        span["kind"],
        int(span["startTimeUnixNano"]),
        int(span["endTimeUnixNano"]),
    )
    sent = [(entry["key"], entry["value"]["stringValue"]) for entry in span["attributes"]]
    assert attributes(child(message, 1, 2, 2), 9) == sent == list(SPAN.attributes)


def test_it_is_found_by_its_first_attribute() -> None:
    assert SPAN.traceql() == f'{{ span.canary.id = "{LONG}" }}'
