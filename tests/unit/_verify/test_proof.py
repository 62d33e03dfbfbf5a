# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._checks.result import CheckResult
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._http import Deadline, HttpError
from ansible_collections.ias.observability.plugins.module_utils._kube import ApiError, KubeError, UnreachableError
from ansible_collections.ias.observability.plugins.module_utils._verify.proof import Probe, wait

GOOD = CheckResult(1, 1)
BAD = CheckResult(1, 0, [Finding("x/y", "error", "not yet")])


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def probe_of(*answers: CheckResult | Exception) -> tuple[Probe, list[int]]:
    """A probe that finds these one after the other, and counts how often it is run."""
    left = list(answers)
    count = [0]

    def probe(_deadline: Deadline) -> CheckResult:
        count[0] += 1
        answer = left[0] if len(left) == 1 else left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return probe, count


def run(probe: Probe, timeout: float) -> tuple[CheckResult, float]:
    clock = Clock()
    result = wait(probe, timeout=timeout, interval=5, clock=lambda: clock.now, sleep=clock.sleep)
    return result, clock.now - 100


def test_success_waits_for_nothing() -> None:
    probe, count = probe_of(GOOD)
    assert run(probe, 60) == (GOOD, 0)
    assert count == [1]


def test_there_is_a_check_even_without_time() -> None:
    probe, count = probe_of(BAD)
    assert run(probe, 0) == (BAD, 0)
    assert count == [1]


def test_checks_until_it_is_good() -> None:
    probe, count = probe_of(BAD, HttpError("GET", "/x", 503, ""), KubeError("no ready pod"), GOOD)
    assert run(probe, 60) == (GOOD, 15)
    assert count == [4]


def test_time_is_bounded_and_used_up() -> None:
    probe, count = probe_of(BAD)
    result, seconds = run(probe, 12)
    assert (result, seconds) == (BAD, 12)
    assert count == [4]  # at 0, 5, 10 and 12


@pytest.mark.parametrize(
    "error", [HttpError("GET", "/x", 401, ""), HttpError("GET", "/x", 400, ""), ApiError(403, "no")]
)
def test_hopeless_is_told_at_once(error: Exception) -> None:
    probe, count = probe_of(error)
    result, _ = run(probe, 600)
    assert [finding.id for finding in result.findings] == ["verify/unreachable"]
    assert count == [1]


def test_the_calls_of_a_check_end_a_second_after_the_timeout() -> None:
    left: list[float] = []

    def probe(deadline: Deadline) -> CheckResult:
        left.append(deadline.left())
        return BAD

    run(probe, 12)
    assert left == [13, 8, 3, 1]
    run(probe, 0)
    assert left[-1] == 30


def test_a_check_that_is_cut_short_does_not_hide_the_one_before() -> None:
    clock = Clock()
    results = iter([BAD, CheckResult(9, 0, [Finding("x/y", "error", "the time was over")])])

    def probe(deadline: Deadline) -> CheckResult:
        result = next(results)
        if result is not BAD:
            deadline.pause(100)
        return result

    assert wait(probe, timeout=12, interval=5, clock=lambda: clock.now, sleep=clock.sleep) == BAD
    assert clock.now == 113


def test_a_cluster_that_never_answered_is_not_waited_for() -> None:
    probe, count = probe_of(UnreachableError("refused"))
    _, seconds = run(probe, 600)
    assert (seconds, count) == (10, [3])


def test_a_cluster_that_has_answered_is_waited_for() -> None:
    probe, _ = probe_of(KubeError("no ready pod"), UnreachableError("refused"))
    assert run(probe, 600)[1] == 600


def test_an_interval_of_zero_does_not_spin() -> None:
    clock = Clock()
    probe, count = probe_of(BAD)
    wait(probe, timeout=1, interval=0, clock=lambda: clock.now, sleep=clock.sleep)
    assert count[0] < 20
