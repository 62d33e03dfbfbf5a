# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An S3 store in memory: buckets of objects, or one refusal for everything."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class FakeS3:
    port: int = 0
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    """Status and body of every answer."""
    takes_trailers: bool = True
    loses: bool = False
    """It takes objects and does not have them."""
    headers: list[dict[str, str]] = field(default_factory=list)
    date: str = ""
    """What its answers have for a Date."""

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.headers.append(headers)
        if self.refusal:
            return self.refusal[0], self.refusal[1].encode()
        url = urlsplit(target)
        _empty, bucket, key = unquote(url.path).split("/", 2)
        objects = self.buckets.get(bucket)
        if objects is None:
            return 404, error("NoSuchBucket", "The specified bucket does not exist")
        if method == "PUT":
            return self._put(objects, key, headers, body)
        if method == "DELETE":
            objects.pop(key, None)
            return 204, b""
        if key:
            return (200, objects[key]) if key in objects else (404, error("NoSuchKey", "no such key"))
        prefix = parse_qs(url.query)["prefix"][0]
        found = {key: content for key, content in objects.items() if key.startswith(prefix)}
        entries = "".join(f"<Contents><Key>{key}</Key><Size>{len(found[key])}</Size></Contents>" for key in found)
        return 200, f"<ListBucketResult>{entries}</ListBucketResult>".encode()

    def _put(self, objects: dict[str, bytes], key: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if "trailer" in headers["x-amz-content-sha256"].lower():
            if not self.takes_trailers:
                return 400, error("XAmzContentSHA256Mismatch", "the content does not match")
            chunk = re.fullmatch(rb"([0-9a-f]+)\r\n(.*)\r\n0\r\nx-amz-checksum-crc32:[^\r]+\r\n\r\n", body, re.DOTALL)
            assert chunk
            body = chunk[2]
            assert int(chunk[1], 16) == len(body) == int(headers["x-amz-decoded-content-length"])
        if not self.loses:
            objects[key] = body
        return 200, b""


def error(code: str, message: str, **more: str) -> bytes:
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message>{rest}</Error>'.encode()


@contextmanager
def running_s3(*buckets: str) -> Iterator[FakeS3]:
    store = FakeS3(buckets={name: {} for name in buckets})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def date_time_string(self, timestamp: float | None = None) -> str:
            return store.date or super().date_time_string(timestamp)

        def log_message(self, *_arguments: Any) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = store.answer(self.command, self.path, headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = _serve  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        store.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield store
        server.shutdown()
