# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions that users write, as Go's RE2 reads them, matched in a bounded time whatever they are.

Python's own `re` backtracks: a pattern such as (a+b?)+ takes it hours. It must not get a pattern of a user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from .automaton import Locator, Recognizer
from .nfa import Program, compile_program
from .re2 import RegexError

_LONG = 1_000
"""Patterns from here on are not remembered."""


@dataclass
class Budget:
    """The steps that one pattern may take on many texts together."""

    left: int = 3_000_000

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise RegexError("the pattern takes too long on all texts together", 0)


class Match:
    """The first place where a pattern matches."""

    def __init__(self, text: str, slots: Mapping[int, int], names: Mapping[str, int]) -> None:
        self._text = text
        self._slots = slots
        self._names = names

    def __getitem__(self, group: int | str) -> str | None:
        """The text of a group, 0 for all of the match; None where the group takes no part in it."""
        number = self._names[group] if isinstance(group, str) else group
        start, end = self._slots.get(2 * number), self._slots.get(2 * number + 1)
        return None if start is None or end is None else self._text[start:end]


class Pattern:
    """RegexError from a method: the text would take too many steps."""

    def __init__(self, program: Program) -> None:
        self.groups = program.groups
        self.groupindex: Mapping[str, int] = program.names
        self._whole = Recognizer(program, anchored=True)
        self._part = Recognizer(program, anchored=False)
        self._locator = Locator(program)

    def fullmatch(self, text: str) -> bool:
        """Whether the pattern matches all of the text."""
        return self._whole.accepts(text)

    def contains(self, text: str) -> bool:
        """Whether any part of the text matches; cheaper than to search where."""
        return self._part.accepts(text)

    def search(self, text: str, budget: Budget | None = None) -> Match | None:
        """The first place in the text that matches; of several from there on, the one that Perl would take."""
        found = self.contains(text)
        slots = self._locator.locate(text) if found else None
        if budget is not None:
            budget.spend(len(text) + self._part.steps + (self._locator.steps if found else 0))
        return None if slots is None else Match(text, slots, self.groupindex)


def compile(pattern: str, *, dot_all: bool = False, ignore_case: bool = False) -> Pattern:  # noqa: A001
    """The pattern, ready to match. RegexError where it is not RE2, too large, or of a script that Python cannot tell.

    `dot_all`: a dot takes a newline too, as in the matchers of Prometheus; in those of Alertmanager it does not.
    """
    make = _remembered if len(pattern) < _LONG else _make
    return make(pattern, dot_all, ignore_case)


def _make(pattern: str, dot_all: bool, ignore_case: bool) -> Pattern:
    return Pattern(compile_program(pattern, dot_all=dot_all, ignore_case=ignore_case))


_remembered = lru_cache(maxsize=256)(_make)


def accepts(pattern: str, text: str, *, dot_all: bool = True) -> bool | None:
    """Whether a matcher's pattern takes all of the text; None where that cannot be told.

    It is anchored as its servers do that, by what they write around it: `a)|(b` is such a pattern.
    """
    try:
        return compile(f"^(?:{pattern})$", dot_all=dot_all).contains(text)
    except RegexError:
        return None
