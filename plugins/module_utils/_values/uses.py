# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values the templates read, from their text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

Path = tuple[str, ...]

_ACTION = re.compile(r"\{\{-?\s*(?!/\*)(.*?)-?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_IN_PARENS = re.compile(r"\(\s*(\$?\.Values(?:\.\w+)*)\s*\)")
_INDEX = re.compile(r'\b(?:index|get|hasKey)\s+\$?\.Values((?:\.\w+)*)((?:\s+"[^"]+")+)')
_NAMES = re.compile(r'"([^"]+)"')
_PLAIN = re.compile(r"\.Values((?:\.\w+)*)(?!\w)")
_TEST = re.compile(r"(?:else\s+)?if\b")


@dataclass(slots=True)
class Uses:
    whole: set[Path] = field(default_factory=set)
    """Read as they are, with all that is below."""
    tested: set[Path] = field(default_factory=set)
    """Looked at by an `if` only."""
    passed_on: bool = False
    """All values are handed to something: any of them may be read."""

    def add(self, path: Path, *, tested: bool) -> None:
        if not path:
            self.passed_on = self.passed_on or not tested
        else:
            (self.tested if tested else self.whole).add(path)

    def below(self, prefix: Path) -> Uses:
        """The same, as the parent chart sees it."""
        return Uses({prefix + path for path in self.whole}, {prefix + path for path in self.tested}, self.passed_on)


def uses(texts: Iterable[str]) -> Uses:
    found = Uses()
    for text in texts:
        if ".Values" not in text:
            continue
        for match in _ACTION.finditer(_COMMENT.sub("", text)):
            if ".Values" in match[1]:
                _action(match[1], found)
    return found


def _action(action: str, found: Uses) -> None:
    tested = _TEST.match(action) is not None
    previous = ""
    while previous != action:
        previous, action = action, _IN_PARENS.sub(r" \1", action).replace(".Values .", ".Values.")
    for match in _INDEX.finditer(action):
        found.add((*_split(match[1]), *_NAMES.findall(match[2])), tested=tested)
    for match in _PLAIN.finditer(_INDEX.sub("", action)):
        found.add(_split(match[1]), tested=tested)


def _split(dotted: str) -> Path:
    return tuple(part for part in dotted.split(".") if part)
