# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shared between two processes, and that nothing is where it does not pay."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules import shares
from ansible_collections.ias.observability.plugins.module_utils._rules.files import Source
from ansible_collections.ias.observability.plugins.module_utils._rules.load import outline
from ansible_collections.ias.observability.plugins.module_utils._rules.report import Report

WORTH = shares.WORTH_SHARING


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "cores", lambda: 2)


def sources(*lengths: int) -> list[Source]:
    return [Source(f"{number}.yaml", "x" * length) for number, length in enumerate(lengths)]


@pytest.mark.parametrize(
    ("lengths", "first"),
    [([WORTH], 1), ([WORTH, 1], 1), ([1, WORTH], 1), ([WORTH // 4 + 1] * 4, 2), ([WORTH // 10 + 1] * 100, 48)],
)
def test_both_read_about_as_much_and_in_order(lengths: list[int], first: int) -> None:
    given = sources(*lengths)
    halves = shares.halves(given)
    assert halves is not None
    assert len(halves[0]) == first
    assert [*halves[0], *halves[1]] == given


@pytest.mark.parametrize("lengths", [[], [0], [WORTH - 1], [WORTH // 2 - 1] * 2])
def test_little_text_is_not_shared(lengths: list[int]) -> None:
    assert shares.halves(sources(*lengths)) is None


def test_one_core_shares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "cores", lambda: 1)
    assert shares.halves(sources(WORTH)) is None


def test_what_other_rules_ask_for_is_in_the_first_share() -> None:
    kinds = [
        *({"alert": f"A{number}", "expr": "up == 0"} for number in range(8)),
        {"record": "job:up:sum", "expr": "sum by (job) (up)"},
        {"alert": "Recorded", "expr": "job:up:sum < 1"},
    ]
    text = json.dumps({"groups": [{"name": "g", "rules": kinds * 10}]})
    rules = [rule for file in outline("r.yaml", text, Profile(), Report()) for rule in file.groups[0].rules]
    mine, theirs = shares.share(rules, first=True), shares.share(rules, first=False)
    assert sorted(map(id, mine + theirs)) == sorted(map(id, rules))
    assert len(mine) == 48
    assert {rule.name for rule in theirs}.isdisjoint({"job:up:sum", "Recorded"})
