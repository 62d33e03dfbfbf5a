# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the values of a dashboard are written: in its JSON, or in the spec that it was compiled of."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Protocol, TypeAlias, TypeVar

Path: TypeAlias = "tuple[str | int, ...]"
Position: TypeAlias = "tuple[int, int]"
"""Line and column, counted from one."""
T = TypeVar("T")
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_MAX_DEPTH = 9


class Positions(Protocol):
    def of(self, path: Path) -> Position:
        """The place of the value, or of the nearest one around it."""


class JsonPositions:
    """The positions in a text that has been read as JSON before."""

    def __init__(self, text: str) -> None:
        self._offsets = _offsets(text)
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, path: Path) -> Position:
        offset = nearest(self._offsets, path, 0)
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


def nearest(known: Mapping[Path, T], path: Path, default: T) -> T:
    """What is known of the path, or of the longest part of it of which something is known."""
    while path and path not in known:
        path = path[:-1]
    return known.get(path, default)


def _offsets(text: str) -> dict[Path, int]:
    found: dict[Path, int] = {}
    path: list[str | int] = []
    stack: list[str] = []
    key = ""
    wants_value = True
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in {"}", "]"}:
            stack.pop()
            del path[len(stack) :]
            wants_value = False
        elif piece == ",":
            if stack[-1] == "[":
                path[-1] = int(path[-1]) + 1
                wants_value = True
        elif piece == ":":
            path[-1] = key
            wants_value = True
        elif wants_value:
            if len(path) <= _MAX_DEPTH:
                found[tuple(path)] = match.start()
            wants_value = piece == "["
            if piece in {"{", "["}:
                stack.append(piece)
                path.append(0 if piece == "[" else "")
        else:
            key = piece[1:-1]
    return found
