# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted HTTP server on a real socket: it answers by path, in the order that the test wrote down.

``server.on("GET", "/x", 200, {...})`` answers every such request; several answers are used one after the other, the
last one for good. The answer may be ``HANG_UP`` (the connection is reset), or a function of the request.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

HANG_UP = object()


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


class Reply(NamedTuple):
    status: int
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})
    delay: float = 0.0


Script = Reply | Callable[[Request], Reply] | object


@dataclass
class Server:
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    client_certificates: list[object] = field(default_factory=list)  # of each request over TLS; None: had none
    _context: ssl.SSLContext | None = None
    _scripts: dict[tuple[str, str], list[Script]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def secure(self, context: ssl.SSLContext) -> None:
        """From the next connection on it speaks TLS."""
        self._context = context

    def wrap(self, connection: socket.socket) -> socket.socket:
        return self._context.wrap_socket(connection, server_side=True) if self._context else connection

    def on(self, method: str, path: str, *replies: Script) -> None:
        """Answer requests to a path, from the next one on."""
        self._scripts[(method, path)] = list(replies)

    def ok(self, method: str, path: str, body: Any) -> None:
        self.on(method, path, Reply(200, body))

    def seen(self, method: str, path: str) -> list[Request]:
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def reply(self, request: Request) -> Script:
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get((request.method, request.path))
            if not script:
                return Reply(404, {"message": f"nothing scripted for {request.method} {request.path}"})
            chosen = script[0] if len(script) == 1 else script.pop(0)
        return chosen(request) if callable(chosen) else chosen


@contextmanager
def running_server() -> Iterator[Server]:
    server = Server()
    listener = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": server}))
    listener.daemon_threads = True
    server.port = listener.server_address[1]
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    script: Server

    def setup(self) -> None:
        self.request = self.script.wrap(self.request)
        super().setup()
        self.script.connections += 1

    def handle(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # a client that does not trust us
            super().handle()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        if isinstance(self.connection, ssl.SSLSocket):
            self.script.client_certificates.append(self.connection.getpeercert() or None)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        is_form = self.headers.get("Content-Type") == "application/x-www-form-urlencoded"
        body = parse_qs(raw) if is_form else json.loads(raw) if raw else None
        reply = self.script.reply(Request(self.command, url.path, parse_qs(url.query), dict(self.headers), body))
        if not isinstance(reply, Reply):
            # Zero linger makes the kernel send a reset instead of a clean end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        time.sleep(reply.delay)
        with contextlib.suppress(ConnectionError):  # a client that lost its patience
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass
