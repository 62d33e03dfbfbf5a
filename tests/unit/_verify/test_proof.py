# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ias.observability.plugins.module_utils._checks.result import CheckResult
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._http import HttpError
from ansible_collections.ias.observability.plugins.module_utils._kube import ApiError, KubeError
from ansible_collections.ias.observability.plugins.module_utils._verify.proof import wait

GOOD = CheckResult(1, 1)
BAD = CheckResult(1, 0, [Finding("x/y", "error", "not yet")])


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def look(*answers: CheckResult | Exception) -> tuple[Callable[[], CheckResult], list[int]]:
    """A look that sees these one after the other, and counts how often it is asked."""
    left = list(answers)
    count = [0]

    def ask() -> CheckResult:
        count[0] += 1
        answer = left[0] if len(left) == 1 else left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask, count


def run(ask: Callable[[], CheckResult], timeout: float) -> tuple[CheckResult, float]:
    clock = Clock()
    outcome = wait(ask, timeout=timeout, interval=5, clock=lambda: clock.now, sleep=clock.sleep)
    return outcome, clock.now - 100


def test_success_waits_for_nothing() -> None:
    ask, count = look(GOOD)
    assert run(ask, 60) == (GOOD, 0)
    assert count == [1]


def test_a_look_is_taken_even_without_time() -> None:
    ask, count = look(BAD)
    assert run(ask, 0) == (BAD, 0)
    assert count == [1]


def test_looks_until_it_is_good() -> None:
    ask, count = look(BAD, HttpError("GET", "/x", 503, ""), KubeError("no ready pod"), GOOD)
    assert run(ask, 60) == (GOOD, 15)
    assert count == [4]


def test_time_is_bounded_and_used_up() -> None:
    ask, count = look(BAD)
    outcome, seconds = run(ask, 12)
    assert (outcome, seconds) == (BAD, 12)
    assert count == [4]  # at 0, 5, 10 and 12


@pytest.mark.parametrize(
    "error", [HttpError("GET", "/x", 401, ""), HttpError("GET", "/x", 400, ""), ApiError(403, "no")]
)
def test_hopeless_is_told_at_once(error: Exception) -> None:
    ask, count = look(error)
    outcome, _ = run(ask, 600)
    assert [finding.id for finding in outcome.findings] == ["verify/unreachable"]
    assert count == [1]
