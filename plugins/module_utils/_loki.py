# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loki's HTTP API, the part that proofs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ._http import Api, labels, parse


class Sample(NamedTuple):
    """A series of a metric query's answer."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Stream:
    """The labels of a log stream, and how many of its lines were found."""

    labels: dict[str, str]
    lines: int


@dataclass(frozen=True)
class Loki:
    api: Api

    def samples(self, expr: str) -> list[Sample]:
        """Each series in a metric query's answer, now."""
        path = "/loki/api/v1/query"
        return parse("Loki", path, read_samples, self.api.post_form(path, {"query": expr}))

    def now(self) -> float:
        """Loki's own clock, in seconds since the epoch: this machine's may be minutes off."""
        path = "/loki/api/v1/query"
        return parse("Loki", path, read_time, self.api.post_form(path, {"query": "vector(1)"}))

    def streams(self, expr: str, *, start: int, end: int, limit: int) -> list[Stream]:
        """The streams of a log query between two times in nanoseconds."""
        path = "/loki/api/v1/query_range"
        form = {"query": expr, "start": str(start), "end": str(end), "limit": str(limit)}
        return parse("Loki", path, read_streams, self.api.post_form(path, form))


def read_samples(answer: Any) -> list[Sample]:
    return [Sample(labels(series["metric"]), float(series["value"][1])) for series in answer["data"]["result"]]


def read_time(answer: Any) -> float:
    return float(answer["data"]["result"][0]["value"][0])


def read_streams(answer: Any) -> list[Stream]:
    return [Stream(labels(entry["stream"]), len(entry.get("values") or [])) for entry in answer["data"]["result"]]
