# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regular expressions of users, matched in bounded time: what RE2, JavaScript and Python have in common.

A pattern becomes a program, all of whose threads read the text side by side, as in RE2: nothing is tried again, so the
time is at most the size of the program times the length of the text, and a budget bounds that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_SIZE = 2000
"""Instructions of a program: a{1000} takes 1000."""
MAX_DEPTH = 50
BUDGET = 3_000_000
"""Instructions that are run for all texts together: some seconds."""

_TOKEN = re.compile(
    r"(?P<open>\((?:\?:|\?P?<(?P<name>[A-Za-z_]\w*)>|(?!\?)))"
    r"|(?P<repeat>(?:[*+?]|\{(?P<least>\d{1,9})(?P<comma>,(?P<most>\d{1,9})?)?\})(?P<lazy>\?)?)"
    r"|(?P<character>\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\\(?:[dDwWsSnrtfv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^\w\s])"
    r"|[^\\()\[|*+?^$])"
    r"|(?P<place>[\^$]|\\[bB])|(?P<bar>\|)|(?P<close>\))",
    re.DOTALL,
)
_IN_CLASS = re.compile(r"\\.|[\[&|~]", re.DOTALL)
_WORD = re.compile(r"\w", re.ASCII)


class RegexError(ValueError):
    """The pattern is not understood here, or too much for the budget."""


class Take(NamedTuple):
    """Take one character that passes."""

    test: Callable[[str], object]


class Check(NamedTuple):
    """Go on where the place in the text is right."""

    test: Callable[[str, int], object]


class Fork(NamedTuple):
    """Go on at both offsets from here; the first is preferred."""

    first: int
    second: int


class Save(NamedTuple):
    """Remember the place: where group n begins (slot 2n) or ends (2n + 1)."""

    slot: int


Code = list[Take | Check | Fork | Save]


@dataclass
class Budget:
    """The instructions that may still be run."""

    left: int = BUDGET

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise RegexError("matching it takes too long")


@dataclass(frozen=True)
class Regex:
    code: Code
    groups: int
    """How many there are, without the whole match."""
    names: Mapping[str, int]

    def search(self, text: str, budget: Budget) -> list[str | None] | None:
        """The first match and its groups, None where a group took no part; None where nothing matches."""
        found: tuple[int, ...] | None = None
        threads: list[tuple[int, tuple[int, ...]]] = []
        for at in range(len(text) + 1):
            if found is None:
                threads.append((0, (-1,) * (2 * self.groups + 2)))
            elif not threads:
                break
            following: list[tuple[int, tuple[int, ...]]] = []
            seen: set[int] = set()
            for start in threads:
                match = self._follow(start, text, at, seen, following)
                if match is not None:
                    found = match
                    break  # what comes after it is less preferred
            budget.spend(len(seen) + 1)
            threads = following
        if found is None:
            return None
        pairs = zip(found[::2], found[1::2], strict=True)
        return [text[begin:end] if begin >= 0 <= end else None for begin, end in pairs]

    def _follow(
        self,
        start: tuple[int, tuple[int, ...]],
        text: str,
        at: int,
        seen: set[int],
        following: list[tuple[int, tuple[int, ...]]],
    ) -> tuple[int, ...] | None:
        """Run a thread up to the characters that it takes; the slots where it is at the end of the program."""
        pending = [start]
        while pending:
            pc, slots = pending.pop()
            if pc in seen:
                continue
            seen.add(pc)
            if pc == len(self.code):
                return slots
            instruction = self.code[pc]
            if isinstance(instruction, Take):
                if at < len(text) and instruction.test(text[at]):
                    following.append((pc + 1, slots))
            elif isinstance(instruction, Fork):
                pending += [(pc + instruction.second, slots), (pc + instruction.first, slots)]
            elif isinstance(instruction, Save):
                slot = instruction.slot
                pending.append((pc + 1, (*slots[:slot], at, *slots[slot + 1 :])))
            elif instruction.test(text, at):
                pending.append((pc + 1, slots))
        return None


@dataclass
class _Group:
    """An open bracket: its number, 0 for none; the alternatives that are complete; the parts of the current one."""

    number: int
    alternatives: list[Code] = field(default_factory=list)
    parts: list[Code] = field(default_factory=list)

    def end_alternative(self) -> None:
        self.alternatives.append(_checked([step for part in self.parts for step in part]))
        self.parts = []

    def code(self) -> Code:
        """Each alternative, preferred to those behind it."""
        self.end_alternative()
        *before, code = self.alternatives
        for alternative in reversed(before):
            behind = len(code) + 1
            code = _checked([Fork(1, len(alternative) + 2), *alternative, Fork(behind, behind), *code])
        return code


def _checked(code: Code) -> Code:
    if len(code) > MAX_SIZE:
        raise RegexError(f"it takes more than {MAX_SIZE} steps")
    return code


def compiled(pattern: str, flags: str = "") -> Regex:
    """The program; of JavaScript's flags i, s and m count. RegexError."""
    if len(pattern) > MAX_SIZE:
        raise RegexError(f"it has more than {MAX_SIZE} characters")
    return _Parser(pattern, flags).run()


class _Parser:
    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.flags = flags
        self.stack = [_Group(0)]
        self.groups = 0
        self.names: dict[str, int] = {}

    def run(self) -> Regex:
        at = 0
        while at < len(self.pattern):
            token = _TOKEN.match(self.pattern, at)
            if token is None:
                raise RegexError(f"{self.pattern[at : at + 4]!r} (character {at + 1}) is not understood here")
            self._read(token)
            at = token.end()
        if len(self.stack) > 1:
            raise RegexError("a bracket is not closed")
        return Regex([Save(0), *self.stack[0].code(), Save(1)], self.groups, self.names)

    def _read(self, token: re.Match[str]) -> None:
        group = self.stack[-1]
        if token["open"]:
            self._open(token)
        elif token["close"]:
            self._close(token)
        elif token["bar"]:
            group.end_alternative()
        elif token["repeat"]:
            if not group.parts:
                raise RegexError(f"nothing stands before {token[0]!r} (character {token.start() + 1})")
            group.parts.append(_repeated(group.parts.pop(), token))
        elif token["place"]:
            group.parts.append([Check(_place(token[0], "m" in self.flags))])
        else:
            group.parts.append([Take(_test(token[0], self.flags))])

    def _open(self, token: re.Match[str]) -> None:
        number = 0
        if token[0] != "(?:":
            self.groups += 1
            number = self.groups
        if token["name"]:
            self.names[token["name"]] = number
        self.stack.append(_Group(number))
        if len(self.stack) > MAX_DEPTH:
            raise RegexError(f"it nests deeper than {MAX_DEPTH} levels")

    def _close(self, token: re.Match[str]) -> None:
        if len(self.stack) == 1:
            raise RegexError(f"a bracket is closed that is not open (character {token.start() + 1})")
        group = self.stack.pop()
        code, slot = group.code(), 2 * group.number
        self.stack[-1].parts.append([Save(slot), *code, Save(slot + 1)] if slot else code)


def _repeated(code: Code, token: re.Match[str]) -> Code:
    """The code as often as `*`, `+`, `?` or `{least,most}` says."""
    if token["least"]:
        least = int(token["least"])
        most = int(token["most"]) if token["most"] else None if token["comma"] else least
    else:
        least, most = int(token[0][0] == "+"), 1 if token[0][0] == "?" else None
    if most is not None and most < least:
        raise RegexError(f"{token[0]!r} is no range")
    size = len(code)
    if max(size, 1) * max(least, most or 1) > MAX_SIZE:
        raise RegexError(f"it takes more than {MAX_SIZE} steps")

    def optional(inner: Code, behind: int) -> Code:
        """The code, or what stands `behind` steps after it."""
        over = len(inner) + 1 + behind
        return [Fork(over, 1) if token["lazy"] else Fork(1, over), *inner]

    if most is None:
        loop = [*optional(code, 1), Fork(-size - 1, -size - 1)]
        return _checked(code * least + loop)
    rest: Code = []
    for _ in range(most - least):
        rest = optional([*code, *rest], 0)
    return _checked(code * least + rest)


def _test(character: str, flags: str) -> Callable[[str], object]:
    """Whether one character is of the class, or the one that is written."""
    if character.startswith("["):
        character = _IN_CLASS.sub(lambda sign: sign[0] if sign[0][0] == "\\" else f"\\{sign[0]}", character[1:])
        character = f"[{character}"
    elif len(character) == 1 and character != ".":
        character = re.escape(character)
    options = (re.IGNORECASE if "i" in flags else 0) | (re.DOTALL if "s" in flags else 0)
    try:
        return re.compile(character, re.ASCII | options).match
    except re.error as error:
        raise RegexError(f"{character!r}: {error}") from error


def _place(sign: str, is_multiline: bool) -> Callable[[str, int], object]:
    if sign == "^":
        return lambda text, at: at == 0 or (is_multiline and text[at - 1] == "\n")
    if sign == "$":
        return lambda text, at: at == len(text) or (is_multiline and text[at] == "\n")
    return lambda text, at: _is_boundary(text, at) == (sign == "\\b")


def _is_boundary(text: str, at: int) -> bool:
    before, after = text[max(at - 1, 0) : at], text[at : at + 1]
    return bool(_WORD.match(before)) != bool(_WORD.match(after))
