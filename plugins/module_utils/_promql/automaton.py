# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of patterns run over a text, all threads side by side: no backtracking, so the time is bounded.

The sets of threads that come up are kept, so that a character costs one look-up after its first time. RegexError
where a text would take more steps than are allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .nfa import Assert, Char, Jump, Program, Save, Split
from .re2 import RegexError

MAX_STEPS = 100_000
_MAX_KEPT = 4_000
"""Threads in the states that are kept."""
_BEGIN, _END, _NEWLINE, _WORD, _OTHER = range(5)
"""What stands before or behind a position, as far as assertions want to know it."""


class _Automaton:
    def __init__(self, program: Program) -> None:
        self.code = program.code
        self.has_assertions = program.has_assertions
        self.steps = 0

    def count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise RegexError("the pattern takes too many steps on this text", 0)

    def kind(self, char: str, otherwise: int) -> int:
        if not self.has_assertions:
            return _OTHER
        if char == "\n":
            return _NEWLINE
        return _WORD if char.isascii() and (char.isalnum() or char == "_") else otherwise

    def jumps(self, at: int, before: int, after: int) -> tuple[int, ...]:
        """Where a thread goes from here without a character, the preferred way first."""
        instruction = self.code[at]
        if isinstance(instruction, Split):
            return at + instruction.first, at + instruction.second
        if isinstance(instruction, Jump):
            return (at + instruction.offset,)
        if isinstance(instruction, Save) or (isinstance(instruction, Assert) and _holds(instruction, before, after)):
            return (at + 1,)
        return ()

    def takes(self, at: int, char: str) -> bool:
        instruction = self.code[at]
        return isinstance(instruction, Char) and instruction.test(char)


class _State:
    """The threads between two characters, and the states that follow, by character."""

    __slots__ = ("before", "following", "is_match", "threads")

    def __init__(self, threads: frozenset[int], before: int) -> None:
        self.threads = threads
        self.before = before
        self.following: dict[str, _State] = {}
        self.is_match: bool | None = None
        """At the end of the text; None until it is known."""


_ACCEPTED = _State(frozenset(), _OTHER)


class Recognizer(_Automaton):
    """Says whether a text matches: all of it when anchored, else any part."""

    def __init__(self, program: Program, *, anchored: bool) -> None:
        super().__init__(program)
        self.anchored = anchored
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._kept = 0

    def accepts(self, text: str) -> bool:
        self.steps = 0
        state = self._state(frozenset({0}), self.kind("", _BEGIN))
        for char in text:
            state = state.following.get(char) or self._follow(state, char)
            if state is _ACCEPTED:
                return True
            if not state.threads:
                return False
        if state.is_match is None:
            state.is_match = len(self.code) in self._closure(state, self.kind("", _END))
        return state.is_match

    def _follow(self, state: _State, char: str) -> _State:
        after = self.kind(char, _OTHER)
        closure = self._closure(state, after)
        if len(self.code) in closure and not self.anchored:
            following = _ACCEPTED
        else:
            threads = {at + 1 for at in closure if at < len(self.code) and self.takes(at, char)}
            following = self._state(frozenset(threads if self.anchored else threads | {0}), after)
        self._keep(1)
        state.following[char] = following
        return following

    def _state(self, threads: frozenset[int], before: int) -> _State:
        state = self._states.get((threads, before))
        if state is None:
            self._keep(len(threads) + 1)
            state = self._states[threads, before] = _State(threads, before)
        return state

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > _MAX_KEPT:
            self._states = {}
            self._kept = 0

    def _closure(self, state: _State, after: int) -> set[int]:
        """The instructions that the threads reach without a character."""
        seen: set[int] = set()
        pending = list(state.threads)
        while pending:
            at = pending.pop()
            if at not in seen:
                seen.add(at)
                if at < len(self.code):
                    pending += self.jumps(at, state.before, after)
        self.count(len(seen))
        return seen


class _Passed(NamedTuple):
    """A slot that a thread has gone through, and those before it."""

    slot: int
    position: int
    earlier: _Passed | None


Thread = tuple[int, "_Passed | None"]


class Locator(_Automaton):
    """Says where a text matches first, with its groups: threads in the order in which Perl would try them."""

    def locate(self, text: str) -> dict[int, int] | None:
        """Slot → position; slots 2n and 2n + 1 are the beginning and the end of group n, 0 is all of the match."""
        self.steps = 0
        threads: list[Thread] = []
        best: _Passed | None = None
        before = self.kind("", _BEGIN)
        for position in range(len(text) + 1):
            if best is None:
                threads.append((0, _Passed(0, position, None)))
            elif not threads:
                break
            char = text[position : position + 1]
            after = self.kind(char, _OTHER if char else _END)
            following: list[Thread] = []
            for at, passed in self._closure(threads, position, before, after):
                if at == len(self.code):
                    best = _Passed(1, position, passed)
                    break  # those behind it are less preferred
                if char and self.takes(at, char):
                    following.append((at + 1, passed))
            threads, before = following, after
        return None if best is None else _slots(best)

    def _closure(self, threads: Iterable[Thread], position: int, before: int, after: int) -> Iterator[Thread]:
        seen: set[int] = set()
        pending = list(threads)[::-1]
        while pending:
            at, passed = pending.pop()
            if at in seen:
                continue
            seen.add(at)
            self.count(1)
            yield at, passed
            if at < len(self.code):
                instruction = self.code[at]
                if isinstance(instruction, Save):
                    passed = _Passed(instruction.slot, position, passed)
                pending += [(target, passed) for target in reversed(self.jumps(at, before, after))]


def _slots(passed: _Passed | None) -> dict[int, int]:
    slots: dict[int, int] = {}
    while passed is not None:
        slots.setdefault(passed.slot, passed.position)
        passed = passed.earlier
    return slots


def _holds(assertion: Assert, before: int, after: int) -> bool:
    return {
        "begin": before == _BEGIN,
        "end": after == _END,
        "begin line": before in {_BEGIN, _NEWLINE},
        "end line": after in {_END, _NEWLINE},
        "boundary": (before == _WORD) != (after == _WORD),
        "no boundary": (before == _WORD) == (after == _WORD),
    }[assertion.kind]
