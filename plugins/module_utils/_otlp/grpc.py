# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One unary gRPC call over a connected socket: as much of HTTP/2 (RFC 9113) as that takes.

Headers are written as literals without a table (RFC 7541, 6.2.2), and those of the answer are not read: whether the
message was accepted shows where it arrives.
"""

from __future__ import annotations

import struct
from typing import Protocol

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _GOAWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_STREAM = 1
MAX_FRAMES = 100
"""Frames of an answer; an empty one has about six."""


class GrpcError(Exception):
    """The other side does not speak gRPC, or ended the call; the text says how."""


class Socket(Protocol):
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...


def call(connection: Socket, authority: str, method: str, message: bytes) -> None:
    """Send a message to `/package.Service/Method` and wait for the end of the answer; GrpcError, or OSError."""
    headers = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    )
    block = b"".join(map(_literal, *zip(*headers, strict=True)))
    connection.sendall(
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, _STREAM, block)
        + _frame(_DATA, _END_STREAM, _STREAM, struct.pack(">BI", 0, len(message)) + message)
    )
    for _number in range(MAX_FRAMES):
        kind, flags, stream = _read_frame(connection)
        if kind == _GOAWAY:
            raise GrpcError("the server ended the connection (GOAWAY)")
        if stream == _STREAM and kind == _RST_STREAM:
            raise GrpcError("the server refused the call (RST_STREAM)")
        if stream == _STREAM and kind in {_DATA, _HEADERS} and flags & _END_STREAM:
            return
    raise GrpcError("the answer does not end")


def _literal(name: str, value: str) -> bytes:
    """A header that no table is to remember."""
    return b"\x00" + _text(name) + _text(value)


def _text(text: str) -> bytes:
    encoded = text.encode("ascii")
    if len(encoded) > 126:  # one octet says the length
        raise ValueError(f"a header of {len(encoded)} characters")
    return bytes((len(encoded),)) + encoded


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _read_frame(connection: Socket) -> tuple[int, int, int]:
    """Kind, flags and stream of the next frame; its payload is read and left."""
    head = _read(connection, 9)
    if head.startswith(b"HTTP/1"):
        raise GrpcError("the server speaks HTTP/1, not gRPC")
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    _read(connection, int.from_bytes(head[:3], "big"))
    return kind, flags, stream & 0x7FFFFFFF


def _read(connection: Socket, size: int) -> bytes:
    parts = []
    while size:
        part = connection.recv(min(size, 65536))
        if not part:
            raise GrpcError("the server closed the connection without an answer")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
