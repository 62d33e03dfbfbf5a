# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause is the first line; docs/explain.md has the table that is checked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.explain.faults import SAMPLED, UNSAMPLED

Explain = Callable[..., dict[str, Any]]
CASES: dict[str, dict[str, str]] = {
    "a label's name with a typo": {"panel": "Site faults/label"},
    "a label's value with a typo": {"panel": "Site faults/value"},
    "a metric that was renamed": {"panel": "Site faults/renamed"},
    "a metric that relabelling drops": {"panel": "Site faults/dropped"},
    "a window shorter than two scrapes": {"panel": "Site faults/window"},
    "data older than what is kept": {"panel": "Site faults/retention"},
    "an operator whose sides share no label": {"panel": "Site faults/join"},
    "a deployment that is scaled to zero": {"panel": "Site faults/scaled"},
    "a variable that is empty": {"panel": "Site faults/variable"},
    "a wrong uid of a data source": {"panel": "Site faults/uid"},
    "a data source with a wrong address": {"panel": "Site faults/unreachable"},
    "a tenant header that is missing": {"panel": "Site faults/tenant"},
    "a log stream that does not exist": {"panel": "Site faults/stream"},
    "a log stage that lets nothing through": {"panel": "Site faults/stage"},
    "a derived field that leads nowhere": {"panel": "Site faults/derived"},
    "a span's name": {"panel": "Site faults/span"},
    "a sample limit": {"target": "sampled"},
    "a label limit (cardinality)": {"target": "labelled"},
    "a network policy": {"target": "slow"},
    "a port on which nothing listens": {"target": "closed"},
    "a path without metrics": {"target": "missing-path"},
    "a port's name in a monitor": {"target": "misnamed"},
    "a monitor that is not selected": {"target": "unselected"},
    "a pod that is pending": {"target": "pending"},
    "a rule that is not selected": {"alert": "Unselected"},
    "an alert without data": {"alert": "Blind"},
    "a silence": {"alert": "Silenced"},
    "an inhibition": {"alert": "Inhibited"},
    "a receiver that answers 4xx": {"alert": "Rejected"},
    "a receiver that answers 5xx": {"alert": "Broken"},
    "a receiver without an integration": {"alert": "Nobody"},
    "Loki's limits": {"pod": "writer-limited"},
    "a clock that is wrong": {"pod": "writer-skewed"},
    "a collector that is dead": {"pod": "writer-dead"},
    "a disk that is full": {"pod": "writer-full"},
    "a trace that was not sampled": {"trace": UNSAMPLED},
}
"""What is wrong → what is asked; docs/explain.md says what the first line must have."""
HEALTHY: dict[str, dict[str, str]] = {
    "a panel": {"panel": "Site faults/healthy"},
    "a target": {"target": "web"},
    "an alert that need not fire": {"alert": "Quiet"},
    "an alert that is delivered": {"alert": "Delivered"},
    "a trace": {"trace": SAMPLED},
    "a service's traces": {"trace": "web"},
}
MOST_SECONDS = 2.0


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_the_first_line(case: str, explained: Explain, table: dict[str, str]) -> None:
    result = explained(**CASES[case])
    assert table[case] in result["lines"][0], "\n".join(result["lines"])
    again = result if result["seconds"] < MOST_SECONDS else explained(**CASES[case])  # the machine may have been busy
    assert again["seconds"] < MOST_SECONDS


@pytest.mark.parametrize("case", HEALTHY)
def test_what_is_healthy_is_said_to_be(case: str, explained: Explain) -> None:
    result = explained(**HEALTHY[case])
    assert result["healthy"] is True, "\n".join(result["lines"])
    assert result["lines"][0].startswith("nothing is wrong")


def test_the_table_has_every_case(table: dict[str, str]) -> None:
    assert set(CASES) == set(table)
