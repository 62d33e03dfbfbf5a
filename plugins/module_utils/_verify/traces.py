# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find traces in Tempo, and their ids in Loki."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from .._checks.result import CheckResult
from .._checks.traces import (
    Candidate,
    check_trace,
    expected_logs,
    logs_query,
    missing_services,
    search_query,
)
from .._findings import failed
from .._http import HttpError
from .._loki import Loki
from .._tempo import Tempo

CANDIDATES = 10
LOG_LINES = 1000


def find_traces(tempo: Tempo, loki: Loki, services: Sequence[str], min_services: int, since: float) -> CheckResult:
    """Read back the newest matching traces until one is complete; `since` is in seconds."""
    now = time.time()
    candidates: list[Candidate] = []
    for trace_id in tempo.search(search_query(services), start=int(since), end=int(now) + 1, limit=CANDIDATES):
        candidate = Candidate(trace_id, read_back(tempo, trace_id))
        if not missing_services(candidate.spans, services, min_services):
            logged_by = services_that_logged(loki, trace_id, expected_logs(candidate, services), since, now)
            candidate = Candidate(trace_id, candidate.spans, logged_by)
        candidates.append(candidate)
        if not failed(check_trace([candidate], services, min_services).findings):
            break
    return check_trace(candidates, services, min_services)


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
