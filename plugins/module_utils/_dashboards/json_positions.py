# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the values of a JSON text are written."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_MAX_DEPTH = 9


class JsonPositions:
    """Path → line and column, counted from one. The text has been read as JSON before."""

    def __init__(self, text: str) -> None:
        self._offsets = _offsets(text)
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, path: Path) -> tuple[int, int]:
        """The place of the value, or of the nearest one around it."""
        while path and path not in self._offsets:
            path = path[:-1]
        offset = self._offsets.get(path, 0)
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


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
