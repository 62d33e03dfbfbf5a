# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every parser on texts that are almost right; `python -m tests.unit.mutants 1000000` tries more of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.unit.mutants import PARSERS, accepted, seeds_of

COUNT = 5000


@pytest.fixture(scope="module")
def seeds(shared: Path) -> dict[str, list[str]]:
    return seeds_of(shared / "corpus")


@pytest.mark.parametrize("language", list(PARSERS))
def test_ends_in_a_tree_or_in_its_own_error(language: str, seeds: dict[str, list[str]]) -> None:
    taken = accepted(language, seeds[language], COUNT, random.Random(language))
    assert COUNT // 50 < taken < COUNT * 49 // 50


def test_any_other_error_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(text: str) -> object:
        raise KeyError(text)

    monkeypatch.setitem(PARSERS, "promql", (parse, ValueError))
    with pytest.raises(AssertionError, match="promql"):
        accepted("promql", ["a"], 1, random.Random(1))
