# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second process, forked from this one, that does the other half of the same work."""

from __future__ import annotations

import os
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
        answers, questions = os.pipe(), os.pipe()
        try:
            self._child = os.fork()
        except OSError as error:
            _close(*answers, *questions)
            raise LostError from error
        self.first = self._child != 0
        ours, theirs = (answers, questions) if self.first else (questions, answers)
        self._reading, self._writing = ours[0], theirs[1]
        _close(ours[1], theirs[0])

    def __enter__(self) -> Twin:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # What goes wrong in the second goes wrong again, and is told, where it is done once more: not here.
        if not self.first:
            os._exit(0)
        _close(self._reading, self._writing)
        os.waitpid(self._child, 0)

    def end(self, told: bytes) -> NoReturn:
        """The last that the second tells."""
        self.tell(told)
        os._exit(0)

    def exchange(self, told: bytes) -> bytes:
        """What the other tells when this one tells `told`. Only one of them speaks at a time: pipes are short."""
        if self.first:
            heard = self.hear()
            self.tell(told)
            return heard
        self.tell(told)
        return self.hear()

    def tell(self, told: bytes) -> None:
        with suppress(BrokenPipeError):  # found out where it should answer
            left = memoryview(len(told).to_bytes(_LENGTH) + told)
            while left:
                left = left[os.write(self._writing, left) :]

    def hear(self) -> bytes:
        """Raises LostError."""
        return self._read(int.from_bytes(self._read(_LENGTH)))

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._reading, count)
            if not part:
                raise LostError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _close(*ends: int) -> None:
    for end in ends:
        os.close(end)
