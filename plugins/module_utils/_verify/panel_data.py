# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the Prometheus behind Grafana how old the newest samples of series are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .._checks.freshness import is_stale
from .._checks.panel_data import Seen, Source
from .._grafana.client import Grafana
from .._http import HttpError, parse

QUICK_SECONDS = 30.0
"""What is no older is of now, whatever its interval."""
COUNTED_SECONDS = 600
AGE = "time() - max(timestamp({selector}))"
SAMPLES = f"max(count_over_time({{selector}}[{COUNTED_SECONDS}s]))"
LAST_HOUR = "time() - max by (job) (max_over_time(timestamp({selector})[1h:30s]))"
UP = "sum by (job) (up)"
PATH = "/api/v1/query"


@dataclass
class SampleAges:
    """Remembers when the newest sample of what is stale was seen: it does not come back younger."""

    seen: dict[Source, Seen] = field(default_factory=dict)

    def fresh(self, grafana: Grafana, sources: Iterable[Source], pool: Executor) -> set[Source]:
        """Those that are of now."""
        asked = list(dict.fromkeys(sources))
        answers = pool.map(lambda source: is_fresh(grafana, source), asked)
        found = {source for source, fresh in zip(asked, answers, strict=True) if fresh}
        self.seen = {source: seen for source, seen in self.seen.items() if source not in found}
        return found

    def look_back(self, grafana: Grafana, sources: Iterable[Source], pool: Executor) -> Mapping[Source, Seen]:
        """The newest sample within an hour of those that are not."""
        asked = [source for source in dict.fromkeys(sources) if source not in self.seen]
        for source, seen in zip(asked, pool.map(lambda source: newest(grafana, source), asked), strict=True):
            if seen is not None:
                self.seen[source] = seen
        return self.seen


def is_fresh(grafana: Grafana, source: Source) -> bool:
    """Whether the newest sample is of now; what Prometheus refuses to tell is not held against the panel."""
    try:
        ages = ask(grafana, source.uid, AGE.format(selector=source.selector))
        if not ages:  # Prometheus ends a series when its target, or what it exposes, is gone
            return False
        age = min(ages.values())
        if age <= QUICK_SECONDS:
            return True
        samples = ask(grafana, source.uid, SAMPLES.format(selector=source.selector)).values()
    except HttpError as error:
        if error.status in {401, 403}:
            raise
        return True
    return not is_stale(age, COUNTED_SECONDS / max([1.0, *samples]))


def newest(grafana: Grafana, source: Source) -> Seen | None:
    try:
        ages = ask(grafana, source.uid, LAST_HOUR.format(selector=source.selector))
    except HttpError:  # a cause that cannot be told
        return None
    return min((Seen(job, age) for job, age in ages.items()), key=lambda seen: seen.age, default=None)


def targets_up(grafana: Grafana, uids: Iterable[str]) -> dict[tuple[str, str], float]:
    """How many targets of each job are up, by data source and job."""
    up: dict[tuple[str, str], float] = {}
    for uid in sorted(set(uids)):
        with suppress(HttpError):  # a cause that cannot be told
            up |= {(uid, job): count for job, count in ask(grafana, uid, UP).items()}
    return up


def ask(grafana: Grafana, uid: str, query: str) -> dict[str, float]:
    """The value for each job; a series without one has the job ""."""
    return parse("Prometheus", PATH, read_values, grafana.proxy(uid, PATH, {"query": query}))


def read_values(answer: Any) -> dict[str, float]:
    return {entry["metric"].get("job", ""): float(entry["value"][1]) for entry in answer["data"]["result"]}
