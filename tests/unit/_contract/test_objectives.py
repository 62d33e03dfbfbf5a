# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket of an objective: the one of its seconds, and no other."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.objectives import Objective
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.objectives import good_share
from ansible_collections.ias.observability.plugins.module_utils._promql import parse
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import VectorSelector, walk
from ansible_collections.ias.observability.plugins.module_utils._promql.patterns import accepts


def selected(objective: Objective, bounds: list[str]) -> list[str]:
    """Those of the bounds that the query of the objective selects."""
    tree = parse(good_share(objective, "api", "5m"))
    (matcher,) = (
        matcher
        for node in walk(tree)
        if isinstance(node, VectorSelector)
        for matcher in node.matchers
        if matcher.name == "le"
    )
    return [
        bound
        for bound in bounds
        if (matcher.value == bound if matcher.operator == "=" else accepts(matcher.value, bound))
    ]


@pytest.mark.parametrize(
    ("seconds", "right", "wrong"),
    [
        (2.5, ["2.5"], ["205", "2.50", "2x5", "25"]),
        (0.1, ["0.1"], ["001", "0.1.0", "0x1"]),
        (1.0, ["1", "1.0"], ["1x0", "10", "1.00"]),
        (10.0, ["10", "10.0"], ["1", "100"]),
        (0.0025, ["0.0025"], ["0x0025"]),
        (0.1234567, ["0.1234567"], ["0.123457"]),
        (1e6, ["1e+06", "1e+06.0"], ["1ee06", "1e06"]),
    ],
)
def test_the_bucket(seconds: float, right: list[str], wrong: list[str]) -> None:
    objective = Objective("latency", 99, "histogram", "wait", seconds=seconds)
    assert selected(objective, [*right, *wrong]) == right


def test_patterns_and_names_are_quoted() -> None:
    objective = Objective("availability", 99, "total", "hits", bad=(("status", r'5\d\d|"x"'),))
    values = {
        matcher.name: matcher.value
        for node in walk(parse(good_share(objective, 'a"b', "5m")))
        if isinstance(node, VectorSelector)
        for matcher in node.matchers
    }
    assert values == {"job": 'a"b', "status": r'5\d\d|"x"'}
