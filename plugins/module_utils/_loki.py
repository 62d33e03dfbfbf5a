# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loki's HTTP API, the part that proofs read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._exposition import samples
from ._http import Api, HttpError, labels, parse, text

PAGE = 1000
"""Lines of one answer; Loki takes 5000 at most (max_entries_limit_per_query)."""
NANO = 1_000_000_000


class Sample(NamedTuple):
    """A series of a metric query's answer."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Stream:
    """The labels of a log stream, and how many of its lines were found."""

    labels: dict[str, str]
    lines: int


class Entry(NamedTuple):
    """One entry of a log."""

    moment: int
    """Nanoseconds since the epoch."""
    text: str
    labels: Mapping[str, str]
    """Of its stream, structured metadata among them."""


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

    def entries(self, expr: str, *, start: float, end: float) -> list[Entry]:
        """All entries of a log query between two times in seconds since the epoch, the oldest first."""
        since, found = int(start * NANO), list[Entry]()
        while True:
            page = self._page(expr, start=since, end=int(end * NANO), limit=PAGE, direction="forward")
            if len(page) < PAGE or page[-1].moment == page[0].moment:
                return found + page
            since = page[-1].moment  # the next page begins with what has this moment, of which this one may lack some
            found += [entry for entry in page if entry.moment < since]

    def newest(self, expr: str, *, start: float, end: float, limit: int) -> list[Entry]:
        """The newest entries of a log query between two times in seconds since the epoch, the newest first."""
        page = self._page(expr, start=int(start * NANO), end=int(end * NANO), limit=limit, direction="backward")
        return page[::-1]

    def _page(self, expr: str, *, start: int, end: int, limit: int, direction: str) -> list[Entry]:
        path = "/loki/api/v1/query_range"
        form = {"query": expr, "start": str(start), "end": str(end), "limit": str(limit), "direction": direction}
        found = parse("Loki", path, read_entries, self.api.post_form(path, form))
        return sorted(found, key=lambda entry: entry.moment)

    def label_names(self) -> list[str]:
        """The labels of streams, not structured metadata."""
        path = "/loki/api/v1/labels"
        return parse("Loki", path, lambda answer: [text(name) for name in answer.get("data") or []], self.api.get(path))

    def discarded(self) -> Counter[str]:
        """How many lines Loki has refused since its start, by reason; nothing where its metrics cannot be read."""
        try:
            metrics = self.api.get_text("/metrics")
        except HttpError:
            return Counter()
        found: Counter[str] = Counter()
        for sample in samples(metrics, {"loki_discarded_samples_total"}):
            found[sample.labels.get("reason", "")] += int(sample.value)
        return found

    def limit(self, name: str) -> str:
        """A limit as Loki's configuration has it, such as 256KB; empty where it cannot be read."""
        try:
            found = re.search(rf"^\s+{re.escape(name)}: (.+)$", self.api.get_text("/config"), re.MULTILINE)
        except HttpError:
            return ""
        return found[1] if found else ""


def read_samples(answer: Any) -> list[Sample]:
    return [Sample(labels(series["metric"]), float(series["value"][1])) for series in answer["data"]["result"]]


def read_time(answer: Any) -> float:
    return float(answer["data"]["result"][0]["value"][0])


def read_streams(answer: Any) -> list[Stream]:
    return [Stream(labels(entry["stream"]), len(entry.get("values") or [])) for entry in answer["data"]["result"]]


def read_entries(answer: Any) -> list[Entry]:
    return [
        Entry(int(value[0]), text(value[1]), labels(stream["stream"]))
        for stream in answer["data"]["result"]
        for value in stream["values"]
    ]
