# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unary call against a scripted server."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.ias.observability.plugins.module_utils._otlp.grpc import GrpcError, call

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM = 1


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Connection:
    """Keeps what is sent, and answers with scripted bytes, a few at a time."""

    def __init__(self, answer: bytes) -> None:
        self.sent = b""
        self.answer = answer

    def sendall(self, data: bytes, /) -> None:
        self.sent += data

    def recv(self, size: int, /) -> bytes:
        part, self.answer = self.answer[: min(size, 7)], self.answer[min(size, 7) :]
        return part


GREETING = frame(SETTINGS, payload=b"\0" * 6) + frame(SETTINGS, 1) + frame(PING, payload=b"\0" * 8)
ANSWER = frame(HEADERS, 4, 1, b"x" * 300) + frame(DATA, 0, 1, b"\0" * 5) + frame(HEADERS, 4 | END_STREAM, 1, b"y")


def test_the_message_is_framed_and_the_answer_awaited() -> None:
    connection = Connection(GREETING + ANSWER)
    call(connection, "tempo.ias-system", "/a.B/C", b"message")
    assert connection.answer == b""
    preface, rest = connection.sent[:24], connection.sent[24:]
    assert preface == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    frames = []
    while rest:
        size = int.from_bytes(rest[:3], "big")
        frames.append((rest[3], rest[4], int.from_bytes(rest[5:9], "big"), rest[9 : 9 + size]))
        rest = rest[9 + size :]
    assert [entry[:3] for entry in frames] == [(SETTINGS, 0, 0), (HEADERS, 4, 1), (DATA, END_STREAM, 1)]
    assert b"\x05:path\x06/a.B/C" in frames[1][3]
    assert frames[2][3] == b"\0\0\0\0\x07message"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "closed the connection without an answer"),
        (GREETING, "closed the connection without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP/1, not gRPC"),
        (GREETING + frame(GOAWAY, payload=b"\0" * 8), "ended the connection"),
        (GREETING + frame(RST_STREAM, 0, 1, b"\0" * 4), "refused the call"),
        (GREETING + frame(PING, payload=b"\0" * 8) * 200, "does not end"),
        (frame(SETTINGS, payload=b"\0" * 6)[:12], "closed the connection without an answer"),
    ],
)
def test_what_is_no_answer(answer: bytes, message: str) -> None:
    with pytest.raises(GrpcError, match=message):
        call(Connection(answer), "tempo", "/a.B/C", b"")
