# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a trace that began since the proof did in Tempo, and its id in Loki."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .._checks.result import CheckResult
from .._checks.traces import (
    Candidate,
    check_none,
    check_trace,
    expected_logs,
    logs_query,
    missing_services,
    search_query,
)
from .._findings import failed
from .._http import HttpError
from .._loki import Loki
from .._tempo import Tempo, TraceHit

CANDIDATES = 10
LOG_LINES = 1000
EARLIER_SECONDS = 900
"""How far back an earlier trace is looked for, to say when the last one began."""


@dataclass
class TraceProbe:
    """Remembers when the proof began, by Loki's clock: this machine's may be minutes off."""

    services: Sequence[str]
    min_services: int
    since: float = 0.0

    def verify(self, tempo: Tempo, loki: Loki) -> CheckResult:
        """Read back the newest matching traces until one is complete."""
        now = loki.now()
        self.since = self.since or now
        query = search_query(self.services)
        hits = tempo.search(query, start=self.since, end=now, limit=CANDIDATES)
        # traces through some of the services say which one is missing
        hits = hits or tempo.search(search_query(()), start=self.since, end=now, limit=CANDIDATES)
        if not hits:
            earlier = tempo.search(query, start=self.since - EARLIER_SECONDS, end=self.since, limit=CANDIDATES)
            newest = earlier[0].began if earlier else None
            return check_none(self.services, self.min_services, self.since, newest)
        return self._check(tempo, loki, hits, now)

    def _check(self, tempo: Tempo, loki: Loki, hits: Sequence[TraceHit], now: float) -> CheckResult:
        candidates: list[Candidate] = []
        for hit in hits:
            candidate = Candidate(hit.id, read_back(tempo, hit.id))
            if not missing_services(candidate.spans, self.services, self.min_services):
                logged_by = services_that_logged(loki, hit.id, expected_logs(candidate, self.services), self.since, now)
                candidate = Candidate(hit.id, candidate.spans, logged_by)
            candidates.append(candidate)
            if not failed(check_trace([candidate], self.services, self.min_services).findings):
                break
        return check_trace(candidates, self.services, self.min_services)


def read_back(tempo: Tempo, trace_id: str) -> dict[str, int]:
    """The spans of a trace by service; none where Tempo finds it by search but not by id."""
    try:
        return tempo.spans(trace_id)
    except HttpError as error:
        if error.status == 404:
            return {}
        raise


def services_that_logged(loki: Loki, trace_id: str, services: Collection[str], since: float, now: float) -> set[str]:
    nano = 1_000_000_000
    streams = loki.streams(
        logs_query(trace_id, services), start=int(since) * nano, end=int(now + 1) * nano, limit=LOG_LINES
    )
    return {stream.labels.get("service_name", "") for stream in streams if stream.lines}
