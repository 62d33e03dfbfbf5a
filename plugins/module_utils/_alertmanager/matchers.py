# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager's matchers: `severity=~"critical|page"`, in the grammar that takes any UTF-8 and in the classic one.

A text that only one of the grammars takes is read by that one, one that they read differently by the classic one:
so does Alertmanager from 0.27 on (its matcher/compat and pkg/labels).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._promql.literals import unquote
from .._promql.patterns import accepts
from .._promql.re2 import RegexError, matches_empty

_OPPOSITE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_SPACE = "\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_TOKEN = re.compile(
    rf"[{_SPACE}]*(?:(?P<operator>=~|!=|!~|=)|(?P<quoted>\"(?:[^\"\\]|\\.)*\")"
    rf"|(?P<plain>[^{_SPACE}{{}}!=~,\\\"'`]+)|(?P<mark>[{{}},])|(?P<end>\Z))",
    re.DOTALL,
)
_CLASSIC = re.compile(r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*(.*)\Z", re.DOTALL)
_ALTERNATIVES = re.compile(r"[A-Za-z0-9_ :/@-]*(?:\|[A-Za-z0-9_ :/@-]*)*")


class MatcherError(ValueError):
    """The text is no matcher; says why."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a label that is not there has the value ""."""

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'

    @property
    def is_positive(self) -> bool:
        return self.operator in {"=", "=~"}

    @property
    def opposite(self) -> Matcher:
        """What is true where this one is not."""
        return Matcher(self.name, _OPPOSITE[self.operator], self.value)

    def accepts(self, value: str) -> bool | None:
        """None where that cannot be told."""
        if self.operator in {"=", "!="}:
            return (value == self.value) == self.is_positive
        answer = accepts(self.value, value, dot_all=False)
        return None if answer is None else answer == self.is_positive

    def values(self) -> tuple[str, ...] | None:
        """All that a positive matcher can accept; None when that cannot be listed."""
        if self.operator == "=":
            return (self.value,)
        if self.operator == "=~" and _ALTERNATIVES.fullmatch(self.value):
            return tuple(dict.fromkeys(self.value.split("|")))
        return None


def matcher(name: str, operator: str, value: str) -> Matcher:
    """A matcher whose pattern has been checked. Raises MatcherError."""
    if operator in {"=~", "!~"}:
        try:
            matches_empty(f"^(?:{value})$")
        except RegexError as error:
            raise MatcherError(f"{value!r} is no regular expression: {error.message}") from None
    return Matcher(name, operator, value)


def parse(text: str) -> tuple[Matcher, ...]:
    """The matchers of one text, which may hold several between commas. Raises MatcherError."""
    classic: tuple[Matcher, ...] | MatcherError
    try:
        classic = _parse_classic(text)
    except MatcherError as error:
        classic = error
    try:
        modern = _parse_utf8(text)
    except MatcherError as error:
        if isinstance(classic, MatcherError):
            raise error from None
        return classic
    return modern if isinstance(classic, MatcherError) else classic


def _parse_utf8(text: str) -> tuple[Matcher, ...]:
    tokens = _tokens(text)
    found: list[Matcher] = []
    at = 0
    is_open = tokens[0] == ("mark", "{")
    if is_open:
        at = 1
    elif tokens[0][0] == "end":
        return ()
    while tokens[at][0] in {"plain", "quoted"}:
        name, operator, value = tokens[at : at + 3]
        if operator[0] != "operator":
            raise MatcherError(f"{_shown(operator)} where =, !=, =~ or !~ is wanted")
        if value[0] not in {"plain", "quoted"}:
            raise MatcherError(f"{_shown(value)} where a value is wanted")
        found.append(matcher(_value(name), operator[1], _value(value)))
        at += 3
        if tokens[at] != ("mark", ","):
            break
        at += 1
    if is_open:
        if tokens[at] != ("mark", "}"):
            raise MatcherError(f"{_shown(tokens[at])} where a comma or }} is wanted")
        at += 1
    if tokens[at][0] != "end":
        raise MatcherError(f"{_shown(tokens[at])} where {'the end' if found else 'the name of a label'} is wanted")
    return tuple(found)


def _tokens(text: str) -> list[tuple[str, str]]:
    """The tokens with three ends behind them, so that there are always two to look ahead at."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while not tokens or tokens[-1][0] != "end":
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise MatcherError(f"cannot read {text[at : at + 20].strip()!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return [*tokens, tokens[-1], tokens[-1]]


def _shown(token: tuple[str, str]) -> str:
    return "the end" if token[0] == "end" else token[1]


def _value(token: tuple[str, str]) -> str:
    if token[0] == "plain":
        return token[1]
    if "\n" in token[1]:
        raise MatcherError("a line break inside quotes")
    try:
        return unquote(token[1])
    except ValueError as error:
        raise MatcherError(str(error)) from None


def _parse_classic(text: str) -> tuple[Matcher, ...]:
    body = text.removeprefix("{").removesuffix("}")
    parts: list[str] = []
    start = 0
    is_quoted = is_escaped = False
    for at, char in enumerate(body):
        if char == "," and not is_quoted:
            parts.append(body[start:at])
            start = at + 1
            continue
        if char == '"' and not is_escaped:
            is_quoted = not is_quoted
        is_escaped = char == "\\" and not is_escaped
    last = body[start:].strip(" \t\n\v\f\r\x85\xa0")
    return tuple(_one_classic(part) for part in [*parts, *([last] if last else [])])


def _one_classic(text: str) -> Matcher:
    found = _CLASSIC.match(text)
    if found is None:
        raise MatcherError(f'{text.strip()!r} is no matcher such as severity="critical"')
    name, operator, rest = found.groups()
    raw = rest.rstrip("\t\n\f\r ")
    value = raw[1:] if raw.startswith('"') else raw
    needs_quote = raw.startswith('"')
    read = ""
    is_escaped = False
    for at, char in enumerate(value):
        if is_escaped:
            is_escaped = False
            read += {"n": "\n", '"': '"', "\\": "\\"}.get(char, f"\\{char}")
        elif char == "\\" and at < len(value) - 1:
            is_escaped = True
        elif char == '"':
            if not needs_quote or at < len(value) - 1:
                raise MatcherError(f"an unescaped double quote inside {raw}")
            needs_quote = False
        else:
            read += char
    if needs_quote:
        raise MatcherError(f"no closing double quote in {raw}")
    return matcher(name, operator, read)
