# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second process, forked from this one, that does the other half of the same work."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from types import TracebackType
from typing import NoReturn

_LENGTH = 8


class LostError(Exception):
    """There is no second process, or it has come to its end before it told what it should."""


class Twin:
    """The other process, as either of the two sees it; it shares what there was when it was forked.

    One of the two, `first`, is the process that was there before. The other ends where its `with` does.
    """

    def __init__(self) -> None:
        """Raises LostError where none can be made."""
        try:
            ends = socket.socketpair()
        except OSError as error:
            raise LostError from error
        try:
            self._child = os.fork()
        except OSError as error:
            for end in ends:
                end.close()
            raise LostError from error
        self.first = self._child != 0
        self._socket, its = ends if self.first else reversed(ends)
        its.close()

    def __enter__(self) -> Twin:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # What goes wrong in the second goes wrong again, and is told, where it is done once more: not here.
        if not self.first:
            os._exit(0)
        self._socket.close()
        os.waitpid(self._child, 0)

    def end(self, told: bytes) -> NoReturn:
        """The last that the second tells."""
        self.tell(told)
        os._exit(0)

    def exchange(self, told: bytes) -> bytes:
        """What the other tells when this one tells `told`. One after the other: there is little room on the way."""
        if self.first:
            heard = self.hear()
            self.tell(told)
            return heard
        self.tell(told)
        return self.hear()

    def tell(self, told: bytes) -> None:
        with suppress(ConnectionError):  # found out where it should answer
            self._socket.sendall(len(told).to_bytes(_LENGTH, "big") + told)

    def hear(self) -> bytes:
        """Raises LostError."""
        try:
            return self._read(int.from_bytes(self._read(_LENGTH), "big"))
        except ConnectionError as error:
            raise LostError from error

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            part = self._socket.recv(count)
            if not part:
                raise LostError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
