# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets whose timeout is a total.

A socket's own timeout starts anew with each byte that arrives: a server that sends one byte every few seconds is never
too late. Here the time runs from `settimeout`, which urllib3 calls once before it sends and once before it reads.
"""

from __future__ import annotations

import contextlib
import io
import time
from typing import TYPE_CHECKING, Any

with contextlib.suppress(ImportError):  # reported by those who make a pool
    import urllib3
    from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from _typeshed import ReadableBuffer, WriteableBuffer


class TimedSocket:
    """A connected socket of any kind; what is not said here is the socket's own."""

    def __init__(self, sock: socket, end: float | None = None) -> None:
        self._sock = sock
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._sock.settimeout(seconds)

    def limit(self) -> None:
        """Give the next operation what is left; TimeoutError where nothing is."""
        if self._end is None:
            return
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)

    def sendall(self, data: ReadableBuffer) -> None:
        view = memoryview(data).cast("B")
        while view:
            self.limit()
            view = view[self._sock.send(view) :]

    def recv(self, size: int) -> bytes:
        self.limit()
        return self._sock.recv(size)

    def makefile(self, mode: str, *_arguments: Any, **_options: Any) -> io.BufferedReader:
        """What http.client reads answers from."""
        return io.BufferedReader(_TimedReader(self._sock.makefile(mode, buffering=0), self.limit))  # type: ignore[call-overload]


class _TimedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, limit: Callable[[], None]) -> None:
        super().__init__()
        self._raw = raw
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._limit()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def bound_pools(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Make the manager's connections timed; those of another kind (SOCKS) stay as they are."""

    class Timed:
        timeout: float | None
        sock: Any

        def _new_conn(self) -> Any:
            started = time.monotonic()
            timed = TimedSocket(super()._new_conn())  # type: ignore[misc]
            if self.timeout is not None:  # what TCP took is missing for TLS
                timed.settimeout(max(self.timeout - (time.monotonic() - started), 0.001))
            return timed

        def connect(self) -> None:
            super().connect()  # type: ignore[misc]
            if not isinstance(self.sock, TimedSocket):  # TLS has put its own around it
                self.sock = TimedSocket(self.sock)
                self.sock.settimeout(self.timeout)

    class TimedHTTP(Timed, HTTPConnection):
        pass

    class TimedHTTPS(Timed, HTTPSConnection):
        pass

    class HTTPPool(urllib3.HTTPConnectionPool):
        ConnectionCls = TimedHTTP

    class HTTPSPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = TimedHTTPS

    if manager.pool_classes_by_scheme == urllib3.poolmanager.pool_classes_by_scheme:
        manager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}
    return manager
