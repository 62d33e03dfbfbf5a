# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RE2 patterns to programs of a nondeterministic automaton, after Thompson.

A program is a tuple of instructions whose jumps are relative, so that what is repeated is simply copied.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from . import re2
from .re2 import RegexError

MAX_INSTRUCTIONS = 10_000
_POSIX = {
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\0\x7f",
    "blank": "\t\t  ",
    "cntrl": "\0\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZaz__",
    "xdigit": "09AFaf",
}
_PERL = {"d": "09", "s": "\t\n\f\r  ", "w": "09AZaz__"}
_CATEGORIES = frozenset(name for name in re2.UNICODE_NAMES if len(name) <= 2) - {"Yi"}

Test = Callable[[str], bool]
"""Whether a character is one that the pattern takes here."""


class Char(NamedTuple):
    test: Test


class Split(NamedTuple):
    """Two ways to go on, the preferred one first."""

    first: int
    second: int


class Jump(NamedTuple):
    offset: int


class Save(NamedTuple):
    """The position is the beginning (2n) or the end (2n + 1) of group n."""

    slot: int


class Assert(NamedTuple):
    """A condition on the characters before and behind the position."""

    kind: str


Instruction: TypeAlias = "Char | Split | Jump | Save | Assert"
Code: TypeAlias = "tuple[Instruction, ...]"


@dataclass(frozen=True, slots=True)
class Program:
    code: Code
    """What is behind the last instruction is a match."""
    groups: int
    names: dict[str, int]
    has_assertions: bool


@dataclass(frozen=True, slots=True)
class _Flags:
    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False
    ungreedy: bool = False

    def changed(self, text: str) -> _Flags:
        """As the text of a group says: `i-s`."""
        names = {"i": "ignore_case", "m": "multi_line", "s": "dot_all", "U": "ungreedy"}
        on, _minus, off = text.partition("-")
        return replace(self, **{names[flag]: True for flag in on}, **{names[flag]: False for flag in off})


@dataclass(slots=True)
class _Group:
    """An open parenthesis: finished alternatives, the items of the current one, and the flags behind it."""

    flags: _Flags
    number: int = 0
    """Of a group that captures, else 0."""
    alternatives: list[Code] = field(default_factory=list)
    items: list[Code] = field(default_factory=list)

    def end_alternative(self) -> None:
        self.alternatives.append(tuple(instruction for item in self.items for instruction in item))
        self.items = []

    def close(self) -> Code:
        self.end_alternative()
        code = self.alternatives.pop()
        while self.alternatives:
            first = self.alternatives.pop()
            code = _limited((Split(1, len(first) + 2), *first, Jump(len(code) + 1), *code))
        return (Save(2 * self.number), *code, Save(2 * self.number + 1)) if self.number else code


def compile_program(pattern: str, *, dot_all: bool = False, ignore_case: bool = False) -> Program:
    """RegexError where the pattern is not RE2, or where its program would be too large to be run here."""
    re2.matches_empty(pattern)
    return _Compiler(pattern, _Flags(dot_all=dot_all, ignore_case=ignore_case)).run()


def _limited(code: Code) -> Code:
    if len(code) > MAX_INSTRUCTIONS:
        raise RegexError("expression too large", 0)
    return code


class _Compiler:
    """Reads a pattern that has been checked."""

    def __init__(self, pattern: str, flags: _Flags) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = flags
        self.open = [_Group(flags)]
        self.groups = 0
        self.names: dict[str, int] = {}

    def run(self) -> Program:
        readers: dict[str, Callable[[], None]] = {
            "(": self._open,
            ")": self._close,
            "|": self._bar,
            "[": self._class,
            "\\": self._backslash,
            ".": self._dot,
            "^": self._caret,
            "$": self._dollar,
            "*": lambda: self._repeat(0, -1, 1),
            "+": lambda: self._repeat(1, -1, 1),
            "?": lambda: self._repeat(0, 1, 1),
            "{": self._count,
        }
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            if char in readers:
                readers[char]()
            else:
                self._literal(char, 1)
        code = _limited(self.open[0].close())
        has_assertions = any(isinstance(instruction, Assert) for instruction in code)
        return Program(code, self.groups, self.names, has_assertions)

    def _add(self, instruction: Instruction, length: int) -> None:
        self.open[-1].items.append((instruction,))
        self.at += length
        if len(self.open[-1].items) > MAX_INSTRUCTIONS:
            raise RegexError("expression too large", self.at)

    def _literal(self, char: str, length: int) -> None:
        if self.flags.ignore_case:
            folded = _fold(char)
            self._add(Char(lambda other: _fold(other) == folded), length)
        else:
            self._add(Char(char.__eq__), length)

    def _dot(self) -> None:
        self._add(Char(_any if self.flags.dot_all else "\n".__ne__), 1)

    def _caret(self) -> None:
        self._add(Assert("begin line" if self.flags.multi_line else "begin"), 1)

    def _dollar(self) -> None:
        self._add(Assert("end line" if self.flags.multi_line else "end"), 1)

    # -- groups

    def _open(self) -> None:
        capture = re2.CAPTURE.match(self.pattern, self.at)
        flags = re2.FLAGS.match(self.pattern, self.at)
        if flags is None:
            self.groups += 1
            self.open.append(_Group(self.flags, self.groups))
            self.at = self.at + 1 if capture is None else capture.end()
            if capture is not None:
                self.names[capture[1]] = self.groups
            return
        changed = self.flags.changed(flags[0][2:-1])
        if flags[1] == ":":
            self.open.append(_Group(self.flags))
        self.flags = changed
        self.at = flags.end()

    def _close(self) -> None:
        group = self.open.pop()
        self.flags = group.flags
        self.open[-1].items.append(_limited(group.close()))
        self.at += 1

    def _bar(self) -> None:
        self.open[-1].end_alternative()
        self.at += 1

    # -- repetition

    def _count(self) -> None:
        count = re2.COUNT.match(self.pattern, self.at)
        if count is None:
            self._literal("{", 1)
            return
        low, comma, high = count.groups()
        self._repeat(int(low), int(high) if high else -1 if comma else int(low), len(count[0]))

    def _repeat(self, low: int, high: int, length: int) -> None:
        self.at += length
        greedy = not self.flags.ungreedy
        if self.pattern.startswith("?", self.at):
            greedy = not greedy
            self.at += 1
        item = self.open[-1].items.pop()
        if len(item) * max(low, high, 1) > MAX_INSTRUCTIONS:
            raise RegexError("expression too large", self.at)
        more = (_split(-len(item), 1, greedy=greedy),)
        if high < 0 and low:
            code = item * low + more
        elif high < 0 and not _can_be_empty(item):
            code = (_split(1, len(item) + 2, greedy=greedy), *item, Jump(-len(item) - 1))
        elif high < 0:  # as (item+)?, so that a repetition of nothing is one
            code = (_split(1, len(item) + 2, greedy=greedy), *item, *more)
        else:
            code = item * low
            for rest in range(high - low, 0, -1):  # what is left out leaves out all that follows
                code += (_split(1, rest * (len(item) + 1), greedy=greedy), *item)
        self.open[-1].items.append(_limited(code))

    # -- escapes and classes

    def _backslash(self) -> None:
        following = self.pattern[self.at + 1]
        if following in _ASSERTIONS:
            self._add(Assert(_ASSERTIONS[following]), 2)
        elif following == "Q":
            start = self.at + 2
            end = self.pattern.find("\\E", start)
            stop = len(self.pattern) if end < 0 else end
            for char in self.pattern[start:stop]:
                self._literal(char, 0)
            self.at = stop if end < 0 else end + 2
        elif following in "dDsSwWpP":
            members = _Members()
            self.at += self._class_escape(self.at, members)
            self._add(Char(members.test(negated=False, ignore_case=self.flags.ignore_case)), 0)
        else:
            value, length = re2.escape(self.pattern, self.at)
            self._literal(chr(value), length)

    def _class(self) -> None:
        pattern, at = self.pattern, self.at + 1
        negated = pattern.startswith("^", at)
        first = at = at + negated
        members = _Members()
        while at == first or pattern[at] != "]":
            at = self._member(at, members)
        self._add(Char(members.test(negated=negated, ignore_case=self.flags.ignore_case)), at + 1 - self.at)

    def _member(self, at: int, members: _Members) -> int:
        """Adds the member of a class at the offset; the offset behind it."""
        pattern = self.pattern
        if pattern.startswith("[:", at) and (end := pattern.find(":]", at + 2)) >= 0:
            name = pattern[at + 2 : end]
            members.add_ranges(_POSIX[name.removeprefix("^")], negated=name.startswith("^"))
            return end + 2
        if pattern[at] == "\\" and pattern[at + 1] in "dDsSwWpP":
            return at + self._class_escape(at, members)
        low, end = self._class_char(at)
        high = low
        if pattern.startswith("-", end) and pattern[end + 1] != "]":
            high, end = self._class_char(end + 1)
        members.ranges.append((low, high))
        return end

    def _class_char(self, at: int) -> tuple[str, int]:
        if self.pattern[at] != "\\":
            return self.pattern[at], at + 1
        value, length = re2.escape(self.pattern, at)
        return chr(value), at + length

    def _class_escape(self, at: int, members: _Members) -> int:
        """Adds the characters of \\d, \\pL and the like; its length."""
        letter = self.pattern[at + 1]
        if letter in "pP":
            name, length = re2.unicode_class(self.pattern, at)
            members.add_category(name, negated=(letter == "P") != self.pattern.startswith("{^", at + 2))
            return length
        members.add_ranges(_PERL[letter.lower()], negated=letter.isupper())
        return 2


_ASSERTIONS = {"A": "begin", "z": "end", "b": "boundary", "B": "no boundary"}


@dataclass(slots=True)
class _Members:
    """What a character class holds."""

    ranges: list[tuple[str, str]] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)

    def add_ranges(self, bounds: str, *, negated: bool) -> None:
        pairs = list(zip(bounds[::2], bounds[1::2], strict=True))
        if negated:
            self.tests.append(lambda char: not _within(char, pairs))
        else:
            self.ranges += pairs

    def add_category(self, name: str, *, negated: bool) -> None:
        if name == "Any":
            self.tests.append(lambda _char: not negated)
        elif name in _CATEGORIES:
            self.tests.append(lambda char: _is_of(char, name) != negated)
        else:
            raise RegexError(f"the characters of script {name} are not known here", 0)

    def test(self, *, negated: bool, ignore_case: bool) -> Test:
        ranges, tests = self.ranges, self.tests

        def member(char: str) -> bool:
            return _within(char, ranges) or any(test(char) for test in tests)

        if ignore_case:
            return lambda char: any(member(variant) for variant in _variants(char)) != negated
        return lambda char: member(char) != negated


def _any(_char: str) -> bool:
    return True


def _within(char: str, ranges: list[tuple[str, str]]) -> bool:
    return any(low <= char <= high for low, high in ranges)


def _is_of(char: str, category: str) -> bool:
    found = unicodedata.category(char)
    return found.startswith(category) and found != "Cn"


def _fold(char: str) -> str:
    """One form for all cases of a letter."""
    folded = char.casefold()
    return folded if len(folded) == 1 else lower if len(lower := char.lower()) == 1 else char


def _variants(char: str) -> set[str]:
    return {char, _fold(char), *(other for other in (char.lower(), char.upper()) if len(other) == 1)}


def _split(first: int, second: int, *, greedy: bool) -> Split:
    return Split(first, second) if greedy else Split(second, first)


def _can_be_empty(code: Code) -> bool:
    """Whether there is a way through it without a character."""
    seen: set[int] = set()
    pending = [0]
    while pending:
        at = pending.pop()
        if at == len(code):
            return True
        if at in seen:
            continue
        seen.add(at)
        instruction = code[at]
        if isinstance(instruction, Split):
            pending += at + instruction.first, at + instruction.second
        elif not isinstance(instruction, Char):
            pending.append(at + (instruction.offset if isinstance(instruction, Jump) else 1))
    return False
