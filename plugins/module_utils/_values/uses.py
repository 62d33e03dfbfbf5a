# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values the templates read, from their text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Path = tuple[str, ...]

_IN_PARENS = re.compile(r"\(\s*(\$?\.Values(?:\.\w+)*)\s*\)")
_INDEX = re.compile(r'\b(?:index|get|hasKey)\s+\$?\.Values((?:\.\w+)*)((?:\s+"[^"]+")+)')
_NAMES = re.compile(r'"([^"]+)"')
_PLAIN = re.compile(r"\.Values((?:\.\w+)*)(?!\w)")
_COMMENT = re.compile(r"\s*/\*")
_MAX_ACTION = 10_000
"""Characters; of a longer one it is assumed that it reads anything."""
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
        for action in _actions(text):
            if len(action) > _MAX_ACTION:
                found.passed_on = True
            elif ".Values" in action:
                _action(action, found)
    return found


def _actions(text: str) -> Iterator[str]:
    """What stands between the braces, comments left out. Each character is looked at once."""
    end = 0
    while (start := text.find("{{", end)) >= 0:
        begin = start + 3 if text.startswith("-", start + 2) else start + 2
        comment = _COMMENT.match(text, begin)
        if comment:
            begin = text.find("*/", comment.end())
        end = text.find("}}", begin) if begin >= 0 else -1
        if end < 0:
            return
        if not comment:
            yield text[begin:end].strip().removesuffix("-")


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
