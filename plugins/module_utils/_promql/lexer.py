# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of PromQL. One regular expression per lexical context, each linear in the length of the text."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from .errors import PromQLError
from .profile import Profile

WORD, STRING, NUMBER, DURATION, END = "word", "string", "number", "duration", "end"
"""Kinds of tokens. The kind of an operator or a bracket is its own text."""
_AS_IT_IS = frozenset({WORD, STRING, NUMBER, DURATION})

_NUMBER = r"""
    (?P<duration> [0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdw]))*(?![A-Za-z0-9_]) )
  | (?P<number> (?: 0[xX][0-9a-fA-F_]+ | \.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)? )(?![A-Za-z0-9_.]) )
"""
_SCAN = re.compile(
    r"""
    [ \t\r\n]*
    (?: (?P<word> [A-Za-z_:][A-Za-z0-9_:]* )
      | (?P<sign> =~ | !~ | != | == | <= | >= | </ | >/ | [(){},=+\-*/%^<>@] )
      | (?P<string> "[^"\\\n]*(?:\\.[^"\\\n]*)*" | '[^'\\\n]*(?:\\.[^'\\\n]*)*' | `[^`]*` )
      | """
    + _NUMBER
    + r"""
      | (?P<range> \[[0-9]+(?:ms|[smhdwy])\] )
      | (?P<bracket> \[ )
      | (?P<comment> \#[^\r\n]* )
      | (?P<end> \Z )
      | (?P<bad> . )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_SCAN_BRACKET = re.compile(
    r"""
    [ \t\r\n]*
    (?: """
    + _NUMBER
    + r"""
      | (?P<sign> [:(),+\-*/%^] )
      | (?P<word> [A-Za-z_]+ )
      | (?P<close> \] )
      | (?P<comment> \#[^\r\n]* )
      | (?P<end> \Z )
      | (?P<bad> . )
    )
    """,
    re.VERBOSE | re.DOTALL,
)


@cache
def _scan_bracket_old() -> re.Pattern[str]:
    """Before 3.12 any letter behind a number in brackets is taken for a colon: `foo[5 m]` is `foo[5:]`."""
    return re.compile(_SCAN_BRACKET.pattern.replace("[A-Za-z_]+", "[A-Za-z_]"), _SCAN_BRACKET.flags)


class Tokens(NamedTuple):
    """The tokens as parallel lists; the last one is END."""

    kinds: list[str]
    texts: list[str]
    starts: list[int]


def tokenize(text: str, profile: Profile) -> Tokens:
    """All tokens of the expression, or PromQLError for what is none."""
    tokens = Tokens([], [], [])
    kinds, texts, starts = tokens.kinds, tokens.texts, tokens.starts
    position = 0
    while position >= 0:
        next_bracket = -1
        for match in _SCAN.finditer(text, position):
            kind, group = match.lastgroup or "", match.lastindex or 0
            if kind == "sign":
                kind = match[group]
                texts.append(kind)
            elif kind in _AS_IT_IS:
                texts.append(match[group])
            elif kind == "range":
                # the usual [5m] at once
                start = match.start("range")
                kinds += "[", DURATION
                texts += "[", text[start + 1 : match.end() - 1]
                starts += start, start + 1
                kind = "]"
                texts.append(kind)
                kinds.append(kind)
                starts.append(match.end() - 1)
                continue
            elif kind == "comment":
                continue
            elif kind == "bracket":
                next_bracket = match.end()
                break
            elif kind == "bad":
                raise _bad_character(text, match.start("bad"))
            else:
                _append(tokens, END, "", match.start(END))
                break
            kinds.append(kind)
            starts.append(match.start(group))
        position = next_bracket if next_bracket < 0 else _brackets(text, next_bracket, profile, tokens)
    return tokens


def _brackets(text: str, position: int, profile: Profile, tokens: Tokens) -> int:
    """Appends the tokens between `[` (just read) and `]`; the position behind it."""
    _append(tokens, "[", "[", position - 1)
    old = profile.version < (3, 12)
    number_seen = False
    for match in (_scan_bracket_old() if old else _SCAN_BRACKET).finditer(text, position):
        kind = match.lastgroup or ""
        shown = match[kind]
        start = match.start(kind)
        if kind == "bad" and _is_open(text, position):
            raise PromQLError("unclosed left bracket", position - 1, text)
        if kind == "bad" or (kind == "comment" and not number_seen):
            raise PromQLError(f"unexpected character in duration expression: {text[start]!r}", start, text)
        if kind == "comment":
            continue
        if kind == "close":
            _append(tokens, "]", shown, start)
            return match.end()
        if kind == END:
            raise PromQLError("unclosed left bracket", position - 1, text)
        if shown == ":" and not number_seen and profile.version < (3, 16):
            raise PromQLError("unexpected colon before duration in duration expression", start, text)
        number_seen = number_seen or kind in {NUMBER, DURATION}
        if kind == WORD and old:
            if not number_seen:
                raise PromQLError(f"unexpected character in duration expression: {shown!r}", start, text)
            kind = ":"
        _append(tokens, shown if kind == "sign" else kind, shown, start)
    raise AssertionError("the scanner always ends")  # pragma: no cover


def _is_open(text: str, position: int) -> bool:
    """No bracket closes what began before the position, or another one opens first."""
    closing, opening = text.find("]", position), text.find("[", position)
    return closing < 0 or 0 <= opening < closing


def _append(tokens: Tokens, kind: str, text: str, start: int) -> None:
    tokens.kinds.append(kind)
    tokens.texts.append(text)
    tokens.starts.append(start)


def _bad_character(text: str, start: int) -> PromQLError:
    char = text[start]
    if char in "\"'`":
        return PromQLError("unterminated quoted string", start, text)
    if char.isdigit() and char.isascii():
        return PromQLError(f"bad number or duration syntax: {text[start : start + 12]!r}", start, text)
    if char == "!":
        return PromQLError(f"unexpected character after '!': {text[start + 1 : start + 2]!r}", start, text)
    return PromQLError(f"unexpected character: {char!r}", start, text)
