# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of TraceQL. An attribute with its scope is one token."""

from __future__ import annotations

import re

from .._promql.errors import QueryError
from .._promql.lexer import Tokens
from .._promql.token_parser import tokenize as scan

ATTRIBUTE, INTRINSIC, WORD, STRING, INTEGER, FLOAT, DURATION, END = (
    "attribute",
    "intrinsic",
    "word",
    "string",
    "integer",
    "float",
    "duration",
    "end",
)
_UNIT = r"(?:ns|us|µs|ms|[ywdhms])"
_SCAN = re.compile(
    rf"""
    \s*
    (?: (?P<string> "[^"\\\n]*(?:\\.[^"\\\n]*)*" | `[^`]*` )
      | (?P<duration> [0-9]+(?:\.[0-9]*)?{_UNIT}(?:[0-9]+(?:\.[0-9]*)?{_UNIT})*(?![\w.]) )
      | (?P<float> (?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]) | [0-9]+[eE][+-]?[0-9]+(?![\w.]) )
      | (?P<integer> [0-9]+(?![\w.]) )
      | (?P<attribute> (?:parent\.(?:(?:span|resource)\.)?|(?:span|resource|event|link|instrumentation)?\.)
            (?:"(?:[^"\\]|\\[\\"])*"|[^\s{{}}()=~!<>&|^,"])+ )
      | (?P<intrinsic> (?:trace|span|event|link|instrumentation):[A-Za-z]+ )
      | (?P<word> [^\W\d]\w* )
      | (?P<sign> &>> | &<< | &> | &< | &~ | && | \|\| | !>> | !<< | !> | !< | !~ | != | >> | << | >= | <= | =~
            | [|!><=~+\-*/%^(){{}},] )
      | (?P<end> \Z )
      | (?P<bad> . )
    )
    """,
    re.VERBOSE | re.DOTALL,
)


class TraceQLError(QueryError):
    """A TraceQL query that Tempo would refuse; kind "syntax" when it cannot even be parsed."""


def tokenize(text: str) -> Tokens:
    return scan(text, _SCAN, TraceQLError, lambda char: f"unexpected character {char!r}")
