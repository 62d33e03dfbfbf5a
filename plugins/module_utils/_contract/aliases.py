# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A team's own names for the contract's metrics and jobs, put into expressions.

Queries of dashboards hold Grafana's variables, so they are no PromQL yet: the text is read token by token, with what
PromQL says about the place of a token. A name is that of a metric outside of braces, unless it is a function or
stands in a list of labels; inside of braces it is that of a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .._promql.literals import unquote
from .._promql.patterns import accepts
from .._promql.printer import quote

_SERIES = ("", "_bucket", "_sum", "_count")
_NAME = "__name__"
_TOKEN = re.compile(
    r"""
    (?P<blank> \s+ | \#[^\n]* )
  | (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*` )
  | (?P<word> (?: [a-zA-Z_:] | \$\{[^{}]*\} | \$\w+ | \[\[\w+(?::\w+)?\]\] )
        (?: [a-zA-Z0-9_:] | \$\{[^{}]*\} | \$\w+ )* )
  | (?P<operator> =~ | !~ | != | == | = )
  | (?P<other> [0-9][\w.]* | \[[^\[\]]*\] | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$\w|\$\{|\[\[\w")
_LABEL_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_LITERALS = re.compile(r"(\((?:\?:)?)?([\w:/@ -]+(?:\|[\w:/@ -]+)*)(\)?)")


class AliasError(ValueError):
    """The names cannot be put into an expression; the message says which part is too much, and what helps."""


@dataclass(frozen=True, slots=True)
class MetricAliases:
    """The contract's name → the team's; a name that is not there stays."""

    metrics: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.jobs)

    def metric(self, name: str) -> str:
        """The team's name of a metric, or of a histogram's series."""
        if name in self.metrics:
            return self.metrics[name]
        for suffix in _SERIES[1:]:
            if name.endswith(suffix) and (base := name.removesuffix(suffix)) in self.metrics:
                return self.metrics[base] + suffix
        return name

    def job(self, name: str) -> str:
        return self.jobs.get(name, name)

    def apply(self, text: str) -> str:
        """PromQL, or a template variable's query, in the team's names; all else stays as it is. Raises AliasError."""
        return "".join(self._renamed(text)) if self else text

    def _renamed(self, text: str) -> Iterator[str]:
        tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(text)]
        significant = [number for number, (kind, _token) in enumerate(tokens) if kind != "blank"]
        neighbours = {at: (number - 1, number + 1) for number, at in enumerate(significant)}

        def token(number: int) -> str:
            return tokens[significant[number]][1] if 0 <= number < len(significant) else ""

        in_braces = in_labels = False
        functions: list[str] = []
        for number, (kind, written) in enumerate(tokens):
            before, after = neighbours.get(number, (-1, -1))
            if written == "{":
                in_braces = True
            elif written == "}":
                in_braces = False
            elif written == "(":
                functions.append(token(before))
                in_labels = token(before) in _LABEL_LISTS
            elif written == ")":
                in_labels = False
                if functions:
                    functions.pop()
            elif in_braces and kind == "text":
                yield self._text(written, token(before), token(before - 1), token(after))
                continue
            elif kind == "word" and not in_braces and not in_labels and token(after) != "(":
                is_label = token(after) == ")" and token(before) in {"(", ","} and functions[-1:] == ["label_values"]
                yield written if is_label else self.metric(written)
                continue
            yield written

    def _text(self, written: str, operator: str, label: str, following: str) -> str:
        """A text inside of braces: a matcher's value, or a metric's name on its own."""
        if operator in {"{", ","}:
            return _changed(written, self.metric) if following in {",", "}"} else written
        names: dict[str, Callable[[str], str]] = {_NAME: self.metric, "job": self.job}
        rename = names.get(_value(label) if label[:1] in {'"', "'", "`"} else label)
        if rename is None:
            return written
        if operator in {"=", "!="}:
            return _changed(written, rename)
        known = (
            [name + suffix for name in self.metrics for suffix in _SERIES] if rename == self.metric else list(self.jobs)
        )
        return _changed(written, lambda pattern: _pattern(pattern, {name: rename(name) for name in known}))


def _value(written: str) -> str:
    try:
        return unquote(written)
    except ValueError:
        return written


def _changed(written: str, change: Callable[[str], str]) -> str:
    """The literal with its value changed; as it is written where nothing changes."""
    value = _value(written)
    changed = change(value)
    return written if changed == value else quote(changed)


def _pattern(pattern: str, names: Mapping[str, str]) -> str:
    """The pattern, so that it takes a team's name wherever it takes the contract's. Variables have the team's names."""
    literals = _LITERALS.fullmatch(pattern)
    if literals is not None and bool(literals[1]) == bool(literals[3]):
        renamed = "|".join(_escaped(names[name]) if name in names else name for name in literals[2].split("|"))
        return (literals[1] or "") + renamed + literals[3]
    if _VARIABLE.search(pattern):
        return "|".join(_escaped(names[name]) if name in names else name for name in pattern.split("|"))
    added = [_escaped(alias) for name, alias in names.items() if _takes(pattern, name) and not _takes(pattern, alias)]
    return "|".join([f"(?:{pattern})", *added]) if added else pattern


def _escaped(name: str) -> str:
    """As a literal of a pattern."""
    return re.sub(r"[.+*?()|\[\]{}^$\\]", r"\\\g<0>", name)


def _takes(pattern: str, name: str) -> bool:
    answer = accepts(pattern, name)
    if answer is None:
        raise AliasError(
            f"whether the pattern {pattern!r} takes {name!r} cannot be told, so the team's names cannot be put into it;"
            " write it as a list of names such as a|b"
        )
    return answer
