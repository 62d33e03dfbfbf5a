# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the parsers of LogQL and TraceQL share: tokens by one regular expression, and a cursor over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from .brackets import cause
from .errors import Kind, QueryError
from .lexer import END, WORD, Tokens

MAX_LENGTH = 131_072
MAX_NESTING = 60


def tokenize(text: str, pattern: re.Pattern[str], error: type[QueryError], advice: Callable[[str], str]) -> Tokens:
    """The tokens of the text. The groups of the pattern name their kinds; a `sign` is its own kind, a `comment` is
    passed over; `bad` is an error, with advice on its character."""
    tokens = Tokens([], [], [])
    for match in pattern.finditer(text):
        kind = match.lastgroup or ""
        start = match.start(kind)
        if kind == "comment":
            continue
        if kind == "bad":
            raise error(advice(text[start]), start, text)
        token = match[kind]
        tokens.kinds.append(token if kind == "sign" else kind)
        tokens.texts.append(token)
        tokens.starts.append(start)
        if kind == END:
            break
    return tokens


class TokenParser:
    """A cursor over the tokens of a query, bounded in length and nesting."""

    error_type: ClassVar[type[QueryError]] = QueryError

    def __init__(self, text: str, read: Callable[[str], Tokens]) -> None:
        if len(text) > MAX_LENGTH:
            raise self.error_type(f"query is longer than {MAX_LENGTH} characters", MAX_LENGTH, text, "limit")
        self.text = text
        self.kinds, self.texts, self.starts = read(text)
        self.at = 0
        self.depth = 0

    @contextmanager
    def _brackets_blamed(self) -> Iterator[None]:
        """An error within is that of the bracket that was left open, where there is one."""
        try:
            yield
        except QueryError as error:
            raise cause(error, Tokens(self.kinds, self.texts, self.starts)) from None

    def _error(self, message: str, start: int | None = None, kind: Kind = "syntax") -> QueryError:
        return self.error_type(message, self.starts[self.at] if start is None else start, self.text, kind)

    def _unexpected(self, expected: str = "") -> QueryError:
        what = "end of query" if self.kinds[self.at] == END else repr(self.texts[self.at][:20])
        return self._error(f"unexpected {what}{f', expected {expected}' if expected else ''}")

    def _accept(self, kind: str) -> bool:
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        return False

    def _expect(self, kind: str) -> str:
        if self.kinds[self.at] != kind:
            raise self._unexpected(repr(kind))
        self.at += 1
        return self.texts[self.at - 1]

    def _expect_end(self) -> None:
        if self.kinds[self.at] != END:
            raise self._unexpected()

    def _word(self) -> str:
        """The word at the cursor; "" where there is none."""
        return self.texts[self.at] if self.kinds[self.at] == WORD else ""

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._error(f"query nests deeper than {MAX_NESTING} levels", kind="limit")
