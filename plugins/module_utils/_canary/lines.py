# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbered lines of a canary pod: the program that writes them, and the same lines as texts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

LONG_BYTES = 100 << 11
"""200 kB, made in the pod by doubling; runtimes cut a line into parts of 16 kB, which the collector joins again."""
_NOT_TEXT = re.compile(r"[^ -~]+")
_PROGRAM = """\
set -eu
n=0
say() { # how often, seconds after each, kind, text before, text, text after
  i=0
  while [ "$i" -lt "$1" ]; do
    i=$((i + 1)) n=$((n + 1))
    printf "$4PREFIX %d $3 $5 %d.$6\\n" "$n" "$n"
    [ "$2" = 0 ] || sleep "$2"
  done
}
double() {
  long=$1 i=0
  while [ "$i" -lt 11 ]; do i=$((i + 1)) long=$long$long; done
}
"""


class Part(NamedTuple):
    """Lines of one kind."""

    kind: str
    text: str
    """Characters below 256: one is one byte."""
    times: int = 1
    pause: int = 0
    """Seconds after each line."""
    before: str = ""
    after: str = ""


class Line(NamedTuple):
    """One line. Its number stands at both ends of it, so that a line without its end is known."""

    number: int
    kind: str
    text: str
    """Without what is no printable ASCII: that may be replaced on the way."""


STACK = (
    Part("stack", "Traceback (most recent call last):"),
    Part("stack", "File /app/server.py, line 41, in answer", before="  "),
    Part("stack", "return model.answer(question)", before="    "),
    Part("stack", "ValueError: no question"),
)
CONTROL = Part("control", "\x01\x02\x1b[31mred\x1b[0m\x08\t\x7f\xff\xfe\x00")
JSON = Part("json", "a line of JSON", times=5, before='{"level":"info","msg":"', after='"}')
LONG = Part("long", "x" * LONG_BYTES)


@dataclass(frozen=True, slots=True)
class Numbered:
    """What one pod writes. `prefix` stands in each of its lines, and in no others."""

    prefix: str
    parts: Sequence[Part]

    def lines(self) -> list[Line]:
        """All lines, in their order."""
        repeated = [part for part in self.parts for _time in range(part.times)]
        return [self._line(number, part) for number, part in enumerate(repeated, 1)]

    def _line(self, number: int, part: Part) -> Line:
        text = f"{part.before}{self.prefix} {number} {part.kind} {part.text} {number}.{part.after}"
        return Line(number, part.kind, printable_ascii(text))

    def program(self) -> str:
        """Writes the lines in any POSIX shell; sleep is the only other program that it needs."""
        return _PROGRAM.replace("PREFIX", self.prefix) + "\n".join(_call(part) for part in self.parts) + "\n"

    def find(self, entry: str) -> Iterator[tuple[int, str]]:
        """The number and the text of each line in an entry of Loki, which may hold several."""
        for text in entry.split("\n"):
            found = re.search(rf"{re.escape(self.prefix)} ([0-9]+) [a-z]+ ", text)
            if found:
                yield int(found[1]), printable_ascii(text)


def parts(seconds: int, burst: int) -> tuple[Part, ...]:
    """One line a second for a while, then each kind of line, then many lines at once."""
    steady = Part("plain", "an ordinary line", times=seconds, pause=1)
    return (steady, *STACK, JSON, CONTROL, LONG, Part("burst", "one of many lines", times=burst))


def printable_ascii(text: str) -> str:
    return _NOT_TEXT.sub("", text)


def _call(part: Part) -> str:
    if part == LONG:  # longer than an argument may be
        return f"double {LONG.text[:100]}\nsay 1 0 {LONG.kind} '' \"$long\" ''"
    texts = (shlex.quote(_escaped(text)) for text in (part.before, part.text, part.after))
    return " ".join(("say", str(part.times), str(part.pause), part.kind, *texts))


def _escaped(text: str) -> str:
    """As printf reads it in its format."""
    return "".join(char if " " <= char <= "~" and char not in "%\\" else f"\\{ord(char):03o}" for char in text)
