# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Agreement with the verdicts of Prometheus itself, recorded in the corpus."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import TypedDict

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile, PromQLError, parse, to_text
from tests.unit._promql.grammar import EVERYTHING


class Row(TypedDict):
    kind: str
    expr: str
    valid_3_14: bool
    valid_3_14_all_features: bool
    valid_3_5: bool
    type: str | None


@pytest.fixture(scope="module")
def rows(shared: pathlib.Path) -> list[Row]:
    with gzip.open(shared / "corpus" / "promql.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _verdict(text: str, profile: Profile) -> str | None:
    try:
        return parse(text, profile).type
    except PromQLError:
        return None


def test_agrees_with_3_14(rows: list[Row]) -> None:
    wrong = [
        row["expr"] for row in rows if _verdict(row["expr"], Profile()) != (row["type"] if row["valid_3_14"] else None)
    ]
    assert len(rows) > 19_000
    assert wrong == []


def test_agrees_with_the_other_profiles(rows: list[Row]) -> None:
    """The cases made to tell versions apart, and every row where a verdict differs."""
    telling = [
        row
        for row in rows
        if row["kind"] in {"unit", "eval"}
        or len({row["valid_3_14"], row["valid_3_14_all_features"], row["valid_3_5"]}) > 1
    ]
    old = Profile((3, 5))
    wrong = [
        row["expr"]
        for row in telling
        if (_verdict(row["expr"], EVERYTHING) is not None) != row["valid_3_14_all_features"]
        or (_verdict(row["expr"], old) is not None) != row["valid_3_5"]
    ]
    assert len(telling) > 2_000
    assert wrong == []


def test_printed_expressions_mean_the_same(rows: list[Row]) -> None:
    for row in rows[::3]:
        if row["valid_3_14"] and "nan" not in row["expr"].lower():
            tree = parse(row["expr"])
            assert parse(to_text(tree)) == tree, row["expr"]
