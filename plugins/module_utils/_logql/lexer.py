# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of LogQL, and its literals: durations, sizes, numbers."""

from __future__ import annotations

import re

from .._promql.errors import QueryError
from .._promql.lexer import Tokens
from .._promql.literals import parse_duration
from .._promql.token_parser import tokenize as scan

WORD, STRING, NUMBER, DURATION, BYTES, RANGE, FLAG, END = (
    "word",
    "string",
    "number",
    "duration",
    "bytes",
    "range",
    "flag",
    "end",
)

_UNIT = r"(?:ns|us|µs|ms|[ywdhms])"
_SCAN = re.compile(
    rf"""
    \s*
    (?: (?P<comment> \#[^\n]* )
      | (?P<string> "[^"\\\n]*(?:\\.[^"\\\n]*)*" | `[^`]*` )
      | (?P<range> \[[^\]]*\] )
      | (?P<flag> --(?:strict|keep-empty)(?![A-Za-z-]) )
      | (?P<duration> -?[0-9]+(?:\.[0-9]*)?{_UNIT}(?:[0-9]+(?:\.[0-9]*)?{_UNIT})*(?![\w.]) )
      | (?P<bytes> [0-9]+(?:\.[0-9]*)?(?:[kKMGTP]i?B?|B)(?![\w.]) )
      | (?P<number> (?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]) )
      | (?P<word> [^\W\d]\w* )
      | (?P<sign> \|= | \|~ | \|> | !> | != | !~ | =~ | == | >= | <= | [|{{}}(),=<>+\-*/%^] )
      | (?P<end> \Z )
      | (?P<bad> . )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_GO_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|[hms])")
_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class LogQLError(QueryError):
    """A LogQL query that Loki would refuse."""


def tokenize(text: str) -> Tokens:
    return scan(text, _SCAN, LogQLError, _advice)


def _advice(char: str) -> str:
    if char in '"`':
        return "unterminated string"
    if char == "'":
        return "strings are written in double quotes or backticks"
    if char == "[":
        return "missing closing ']' in duration"
    return f"unexpected character {char!r}"


def seconds(text: str) -> float:
    """A duration as Prometheus or as Go writes it. ValueError says what is wrong."""
    sign = -1.0 if text.startswith("-") else 1.0
    body = text.removeprefix("-")
    try:
        return sign * parse_duration(body)
    except ValueError:
        parts = _GO_DURATION.findall(body)
        if "".join(number + unit for number, unit in parts) != body:
            raise
        return sign * sum(float(number) * _GO_UNITS[unit] for number, unit in parts)
