# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notation for samples in promtool's test files: `1x3 _ 0+2x10 stale`.

A run stays a run, however long it is: nothing is expanded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_NUMBER = r"(?:(?i:inf|nan)|(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_HISTOGRAM = r"\{\{[^{}]*\}\}"
_ITEM = re.compile(
    rf"(?:(?P<gap>_)|(?P<stale>stale)|(?P<histogram>{_HISTOGRAM})(?:[+-]{_HISTOGRAM})?"
    rf"|(?P<value>[+-]?{_NUMBER})(?P<step>[+-]{_NUMBER})?)(?:x(?P<times>[0-9]{{1,18}}))?(?=\s|$)"
)
_BLANK = re.compile(r"\s*")
Kind = Literal["sample", "gap", "stale"]


@dataclass(frozen=True, slots=True)
class Run:
    """`count` samples from index `first` on; a histogram's value is NaN."""

    kind: Kind
    first: int
    count: int
    value: float = math.nan
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class Values:
    """The samples of one series, `interval` seconds apart, the first at 0."""

    runs: tuple[Run, ...]
    interval: float

    def newest(self, after: float, until: float, *, skip_stale: bool = False) -> float | None:
        """The newest value in (after, until] seconds; None when there is none, or when it is a staleness marker."""
        limit = math.floor(until / self.interval) if math.isfinite(until) else 1 << 62
        for run in reversed(self.runs):
            index = min(limit, run.first + run.count - 1)
            if index < run.first or run.kind == "gap" or (run.kind == "stale" and skip_stale):
                continue
            if index * self.interval <= after or run.kind == "stale":
                return None
            return run.value + run.step * (index - run.first) if run.step else run.value
        return None


def parse(text: str, interval: float) -> Values:
    """ValueError says what cannot be read, and where."""
    return Values(tuple(_runs(text)), interval)


def _runs(text: str) -> Iterator[Run]:
    position, index = _end_of_blank(text, 0), 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if item is None:
            raise ValueError(f"{text[position : position + 20]!r} is no sample such as 1, 0+2x10, _ or stale")
        kind: Kind = "gap" if item["gap"] else "stale" if item["stale"] else "sample"
        times = int(item["times"] or 0)
        # `1x3` is one sample and three more, `_x3` is three gaps
        count = times + 1 if kind != "gap" or not item["times"] else times
        yield Run(kind, index, count, _number(item["value"], math.nan), _number(item["step"], 0.0))
        index += count
        position = _end_of_blank(text, item.end())


def _number(text: str | None, default: float) -> float:
    return default if text is None else float(text)


def _end_of_blank(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return position if blank is None else blank.end()
