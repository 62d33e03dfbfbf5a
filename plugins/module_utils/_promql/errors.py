# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one error of the query languages: a message and the place in the text."""

from __future__ import annotations

from typing import Literal

Kind = Literal["syntax", "type", "feature", "limit"]


class QueryError(ValueError):
    """A query is not acceptable. `position` is an offset in characters into `text`."""

    def __init__(self, message: str, position: int, text: str, kind: Kind = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.position = min(position, len(text))
        self.text = text
        self.kind = kind

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        return self.position - self.text.rfind("\n", 0, self.position)

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class PromQLError(QueryError):
    """A PromQL expression that the given version of Prometheus would refuse."""
