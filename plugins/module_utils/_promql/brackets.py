# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which bracket of a query is left open: what a parser complains of is often only its consequence."""

from __future__ import annotations

from .errors import QueryError
from .lexer import Tokens

_CLOSED_BY = {"(": ")", "{": "}", "[": "]"}
_CLOSING = frozenset(_CLOSED_BY.values())
_NAMES = {"(": "parenthesis", "{": "brace", "[": "bracket"}


def cause(error: QueryError, tokens: Tokens) -> QueryError:
    """The error of a bracket that is left open before the place of the given one; without such a bracket, that one."""
    at = _unclosed(tokens.kinds)
    if at is None or tokens.starts[at] > error.position or error.kind in {"feature", "limit"}:
        return error
    return type(error)(f"unclosed left {_NAMES[tokens.kinds[at]]}", tokens.starts[at], error.text)


def _unclosed(kinds: list[str]) -> int | None:
    """The number of the bracket that is still open at the end, or where another one closes."""
    open_at: list[int] = []
    for at, kind in enumerate(kinds):
        if kind in _CLOSED_BY:
            open_at.append(at)
        elif kind in _CLOSING and open_at:
            if _CLOSED_BY[kinds[open_at[-1]]] != kind:
                break
            open_at.pop()
    return open_at[-1] if open_at else None
