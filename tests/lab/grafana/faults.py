# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults for tests: which request fails, how, and what the double was asked.

Given to create_app by a test. There is no way to switch them over HTTP: the lab's Grafana fails like the real one,
because its back ends fail.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Kind(Enum):
    """How a request fails."""

    STATUS = "answer with a status"
    HANG = "never answer"
    CUT = "close the connection in the middle of the answer"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the nth matching request, and to the ones after it up to `times`."""

    kind: Kind = Kind.STATUS
    status: int = 500
    nth: int = 1
    times: int = 1
    methods: Sequence[str] = WRITES
    path: str = ""  # a regular expression, searched
    applied: bool = False  # the request is carried out, only its answer fails
    retry_after: int | None = None

    def matches(self, method: str, path: str) -> bool:
        return method in self.methods and re.search(self.path, path) is not None


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that arrived."""

    method: str
    path: str
    query: str
    status: int  # 0: not answered

    @property
    def is_write(self) -> bool:
        reads = self.path.startswith(("/api/ds/query", "/api/datasources/proxy")) or "dryRun=All" in self.query
        return self.method in WRITES and not reads


@dataclass(slots=True)
class Faults:
    """A script of faults."""

    script: Sequence[Fault] = ()
    latency: float = 0.0  # seconds, for each request
    search_delay: float = 0.0  # seconds until a write is seen by searches
    missing_plugins: Sequence[str] = ()  # data source types whose bundled plugin is lost
    requests: deque[RecordedRequest] = field(default_factory=lambda: deque(maxlen=10_000))
    _seen: dict[int, int] = field(default_factory=dict)

    def strikes(self, method: str, path: str) -> Fault | None:
        """Count the request for every fault; the first that is due wins."""
        due = None
        for index, fault in enumerate(self.script):
            if not fault.matches(method, path):
                continue
            count = self._seen[index] = self._seen.get(index, 0) + 1
            if due is None and fault.nth <= count < fault.nth + fault.times:
                due = fault
        return due

    @property
    def writes(self) -> list[RecordedRequest]:
        return [request for request in self.requests if request.is_write]


class FaultMiddleware:
    """Outermost: notes each request and lets it fail where the script says so."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        answered = False

        def note(status: int) -> None:
            self._faults.requests.append(RecordedRequest(method, path, scope["query_string"].decode("latin-1"), status))

        async def watch(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                note(message["status"])  # before it is sent: who has the answer can count on the note
            await send(message)

        fault = self._faults.strikes(method, path)
        try:
            if self._faults.latency:
                await asyncio.sleep(self._faults.latency)
            if fault is None:
                await self._app(scope, receive, watch)
            else:
                await self._fail(fault, scope, receive, watch)
        finally:
            if not answered:
                note(0)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.applied:
            await self._app(scope, receive, _swallow)
        if fault.kind is Kind.HANG:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        body = b'{"message":"%s"}' % {429: b"Too many requests", 500: b"Internal Server Error"}.get(
            fault.status, b"fault of the double"
        )
        length = len(body) * (2 if fault.kind is Kind.CUT else 1)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]
        if fault.retry_after is not None:
            headers.append((b"retry-after", str(fault.retry_after).encode()))
        code = 200 if fault.kind is Kind.CUT else fault.status
        await send({"type": "http.response.start", "status": code, "headers": headers})
        # More to come, but the application returns: the server has to close the connection.
        await send({"type": "http.response.body", "body": body, "more_body": fault.kind is Kind.CUT})


async def _swallow(message: Message) -> None:
    """The answer that nobody gets."""
