# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loki's HTTP API, the part that proofs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._http import Api, labels, parse


@dataclass(frozen=True, slots=True)
class Stream:
    """The labels of a log stream, and how many of its lines were found."""

    labels: dict[str, str]
    lines: int


@dataclass(frozen=True)
class Loki:
    api: Api

    def instant(self, expr: str) -> list[dict[str, str]]:
        """The label sets of a metric query's answer that have a value above zero."""
        path = "/loki/api/v1/query"
        return parse("Loki", path, read_positive, self.api.post_form(path, {"query": expr}))

    def streams(self, expr: str, *, start: int, end: int, limit: int) -> list[Stream]:
        """The streams of a log query between two times in nanoseconds."""
        path = "/loki/api/v1/query_range"
        form = {"query": expr, "start": str(start), "end": str(end), "limit": str(limit)}
        return parse("Loki", path, read_streams, self.api.post_form(path, form))


def read_positive(answer: Any) -> list[dict[str, str]]:
    return [labels(series["metric"]) for series in answer["data"]["result"] if float(series["value"][1]) > 0]


def read_streams(answer: Any) -> list[Stream]:
    return [Stream(labels(entry["stream"]), len(entry.get("values") or [])) for entry in answer["data"]["result"]]
