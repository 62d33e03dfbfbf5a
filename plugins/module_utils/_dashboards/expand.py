# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables and macros in a query are replaced by something that parses, chosen by their place in the query.

The replacement of a value has MARK in it, so that it cannot be confused with a real value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from .._grafana_model.variables import REFERENCE
from .model import Variable

MARK = "iasvariable"
_DURATION = "5m"
_MACROS = {
    **dict.fromkeys(("__rate_interval", "__interval", "__range", "__auto", "__auto_interval"), _DURATION),
    **dict.fromkeys(("__interval_ms", "__range_ms", "__rate_interval_ms"), "300000"),
    **dict.fromkeys(("__range_s", "__interval_s"), "300"),
    **dict.fromkeys(("__from", "__to"), "1700000000000"),
}
_PART = re.compile(
    r"(?P<quoted>\"(?:\\.|[^\"\\])*(?:\"|\\?\Z)|'(?:\\.|[^'\\])*(?:'|\\?\Z)|`[^`]*(?:`|\Z))|(?P<comment>\#[^\n]*)"
    rf"|(?P<reference>{REFERENCE.pattern})"
    r"|(?P<other>[\[\](){}]|[^\"'`#$\[\](){}]+|.)",
    re.DOTALL,
)
_NEXT = re.compile(r"\s*(\S?)")
_GROUPING = re.compile(r"(?:by|without|on|ignoring|group_left|group_right)\s*$")
_OFFSET = re.compile(r"offset\s+-?$|offset\s*$")
Operand = Callable[[str], str]


def references(text: str) -> Iterator[tuple[str, str]]:
    """Name and format of each variable in a text; a group of a regular expression such as $1 is none."""
    for match in REFERENCE.finditer(text) if "$" in text or "[[" in text else ():
        name = match[1] or match[2] or match[4]
        if not name.isdigit():
            yield name, match[3] or match[5] or ""


def expansions(query: str, variables: Mapping[str, Variable]) -> Iterator[str]:
    """The query with its variables filled in: as their values suggest, else as numbers, names and texts."""
    if "$" not in query and "[[" not in query:
        yield query
        return
    seen: set[str] = set()
    for operand in (_by_value(variables), lambda _name: "1", lambda _name: MARK, lambda _name: f'"{MARK}"'):
        text = _Expander(query, variables, operand).run()
        if text not in seen:
            seen.add(text)
            yield text


def _by_value(variables: Mapping[str, Variable]) -> Operand:
    return lambda name: (variables[name].amount if name in variables else "") or MARK


class _Expander:
    def __init__(self, query: str, variables: Mapping[str, Variable], operand: Operand) -> None:
        self.query = query
        self.variables = variables
        self.operand = operand
        self.out: list[str] = []
        self.open: list[str] = []

    def run(self) -> str:
        for match in _PART.finditer(self.query):
            kind = match.lastgroup
            if match["reference"] is not None:
                self.out.append(self._reference(match))
            elif match["quoted"] is not None:
                self.out.append(self._quoted(match["quoted"]))
            else:
                part = match[0]
                self.out.append(part)
                if kind == "other":
                    self._nest(part)
        return "".join(self.out)

    def _nest(self, part: str) -> None:
        if part in {"[", "(", "{"}:
            before = "".join(self.out[-2:-1])
            self.open.append("by" if part == "(" and _GROUPING.search(before) else part)
        elif part in {"]", ")", "}"} and self.open:
            self.open.pop()

    def _reference(self, match: re.Match[str]) -> str:
        reference = REFERENCE.fullmatch(match["reference"])
        name = "" if reference is None else reference[1] or reference[2] or reference[4]
        if name.isdigit():
            return match[0]
        inside = self.open[-1] if self.open else ""
        following = self.query[match.end() : match.end() + 1]
        after_space = _NEXT.match(self.query, match.end())
        next_sign = after_space[1] if after_space else ""
        glued = following.isalnum() or following in {"_", ":"} or self._behind_word()
        if name in _MACROS and not glued:
            return _MACROS[name]
        if inside == "[" or _OFFSET.search("".join(self.out[-1:])):
            return self._range(name, following)
        if glued or inside == "by" or next_sign in {"[", "{"}:
            return MARK
        return self._in_selector(name, next_sign) if inside == "{" else self.operand(name)

    def _behind_word(self) -> bool:
        last = self.out[-1][-1:] if self.out else ""
        return last.isalnum() or last in {"_", ":"}

    def _range(self, name: str, following: str) -> str:
        if following in {"s", "m", "h", "d", "w", "y"}:
            return "5"
        return (self.variables[name].duration if name in self.variables else "") or _DURATION

    def _in_selector(self, name: str, next_sign: str) -> str:
        """A label's name, a whole matcher, or (in TraceQL) an operand."""
        before = "".join(self.out[-1:]).rstrip()[-1:]
        if next_sign in {"=", "!", "~"}:
            return MARK
        if before in {"{", ","}:
            return f'{MARK}="{MARK}"'
        return self.operand(name)

    def _quoted(self, text: str) -> str:
        if "$" not in text and "[[" not in text:
            return text
        return REFERENCE.sub(self._in_quotes, text)

    def _in_quotes(self, match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name.isdigit():
            return match[0]
        return _MACROS.get(name, MARK)
