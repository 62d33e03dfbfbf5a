# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that answer late, without an end, or too much: raw sockets on loopback."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket], None]
"""What is done with a connection, whatever was asked."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
STEP_SECONDS = 0.2
MIB = 1 << 20


@contextlib.contextmanager
def hostile_server(script: Script) -> Iterator[str]:
    """A server whose connections all go as the script says; its URL."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # the client has gone
            connection.recv(65536)
            script(connection)

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed
            while not over.is_set():
                connection, _address = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()


def _forever(connection: socket.socket, part: bytes) -> None:
    for _number in range(3000):
        connection.sendall(part)
        time.sleep(STEP_SECONDS)


def silent(connection: socket.socket) -> None:
    connection.recv(1)  # until the client gives up


def drips_its_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    _forever(connection, b"x")


def drips_its_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    _forever(connection, b" ")


def drips_chunks(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    _forever(connection, b"1\r\n \r\n")


def continues(connection: socket.socket) -> None:
    _forever(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


def asks_to_wait(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 429 Too Many\r\nRetry-After: 3600\r\nContent-Length: 2\r\n\r\n{}")


LATE = [silent, drips_its_header, drips_its_body, drips_chunks, continues, asks_to_wait]


def sends(head: bytes, part: bytes, times: int) -> Script:
    """An answer of many equal parts."""

    def script(connection: socket.socket) -> None:
        connection.sendall(head + b"\r\n")
        for _number in range(times):
            connection.sendall(part)

    return script


def zeros(mib: int) -> Script:
    """A body of zeros that announces its size."""
    return sends(HEAD + f"Content-Length: {mib * MIB}\r\n".encode(), bytes(MIB), mib)


def endless_zeros(mib: int) -> Script:
    """A body of zeros that ends with its connection."""
    return sends(HEAD + b"Connection: close\r\n", bytes(MIB), mib)


def chunked_zeros(mib: int) -> Script:
    return sends(HEAD + b"Transfer-Encoding: chunked\r\n", b"100000\r\n" + bytes(MIB) + b"\r\n", mib)


def compressed_zeros(mib: int) -> Script:
    body = gzip.compress(bytes(mib * MIB), 1)
    return sends(HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n".encode(), body, 1)


def json_of(text: bytes) -> Script:
    return sends(HEAD + f"Content-Length: {len(text)}\r\n".encode(), text, 1)
