# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which labels come out of an expression, given that `known` has {a, b} and all other metrics anything."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import parse
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import walk
from ansible_collections.ias.observability.plugins.module_utils._rules.label_flow import ANY, Flow, Flows, Labels, can
from tests.unit._promql.grammar import EVERYTHING


def flow_of(text: str) -> Flow:
    known = (Labels(frozenset({"a", "b"})),)
    tree = parse(text, EVERYTHING)
    return Flows(list(walk(tree)), lambda name: known if name == "known" else None).of(tree)


def only(*labels: str) -> Labels:
    return Labels(frozenset(labels))


def without(*labels: str) -> Labels:
    return Labels(None, frozenset(labels))


@pytest.mark.parametrize(
    ("text", "branches"),
    [
        ("known", [only("a", "b")]),
        ("other", [without()]),
        ('{__name__="known"}', [only("a", "b")]),
        ('known{a=""}', [only("b")]),
        ('other{a="", b="c", d!="", e=~""}', [without("a")]),
        ("1", [only()]),
        ("-known", [only("a", "b")]),
        ("(known)[5m:]", [only("a", "b")]),
        ("rate(known[5m])", [only("a", "b")]),
        ("vector(1)", [only()]),
        ("time()", [only()]),
        ("histogram_quantile(0.9, x)", [without("le")]),
        ("histogram_fraction(0, 1, x)", [without("le")]),
        ("clamp_max(x, 3)", [without()]),
        ('label_replace(known, "c", "$1", "a", "(.*)")', [only("a", "b", "c")]),
        ('label_join(sum without (c) (x), "c", "-", "a")', [without()]),
        ("info(known)", [without()]),
        # aggregations
        ("sum(x)", [only()]),
        ("sum by (a, c) (x)", [only("a", "c")]),
        ("sum by (a, c) (known)", [only("a")]),
        ("sum without (a, c) (known)", [only("b")]),
        ("sum without (a) (x)", [without("a")]),
        ("sum by (a, c) (sum without (a) (x))", [only("c")]),
        ("topk(3, known)", [only("a", "b")]),
        ("bottomk(3, known)", [only("a", "b")]),
        ("limitk(3, known)", [only("a", "b")]),
        ("limit_ratio(0.3, known)", [only("a", "b")]),
        ("topk by (a) (3, known)", [only("a", "b")]),
        ("quantile by (a) (0.3, known)", [only("a")]),
        ('count_values by (a) ("v", known)', [only("a", "v")]),
        ('count_values without (a, v) ("v", x)', [without("a")]),
        # absent()
        ('absent(x{a="1", b!="2", c=~"3", d=""})', [only("a")]),
        ('absent(x{a="1", a="2", b="3"})', [only("b")]),
        ('absent({__name__="x", a="1"})', [only("a")]),
        ('absent_over_time((x{a="1"}[5m]))', [only("a")]),
        ('absent(sum by (a) (x{a="1"}))', [only()]),
        # operators
        ("known + 1", [only("a", "b")]),
        ("1 + known", [only("a", "b")]),
        ("known and x", [only("a", "b")]),
        ("known unless on (a) x", [only("a", "b")]),
        ("known or x", [only("a", "b"), without()]),
        ("known or known", [only("a", "b")]),
        ("known + on (a, c) x", [only("a")]),
        ("known + ignoring (a) x", [only("b")]),
        ("known + x", [only("a", "b")]),
        ("x + ignoring (a) known", [without("a")]),
        ("sum by (a) (x) + on (a) group_left (b, c) known", [only("a", "b")]),
        ("x + on (a) group_left (b, c) known", [without("c")]),
        ("known + on (a) group_right (b, c) sum by (a) (x)", [only("a", "b")]),
        ("sum by (a, d) (x) * on (a) group_right (d) known", [only("a", "b", "d")]),
        ("(known or x) + on (a) y", [only("a")]),
        ("sum by (b) (known or sum by (a) (x))", [only("b"), only()]),
    ],
)
def test_labels_of_an_expression(text: str, branches: list[Labels]) -> None:
    assert flow_of(text) == tuple(branches)


@pytest.mark.parametrize(("count", "is_known"), [(8, True), (9, False)])
def test_more_than_eight_branches_can_be_anything(count: int, is_known: bool) -> None:
    flow = flow_of(" or ".join(f"sum by (l{number}) (x)" for number in range(count)))
    assert len(flow) == (8 if is_known else 1)
    assert (flow == ANY) is not is_known


def test_one_branch_is_enough_to_carry_a_label() -> None:
    flow = flow_of("sum by (a) (x) or sum by (b) (x)")
    assert [can(flow, label) for label in "abc"] == [True, True, False]


def test_labels_are_values() -> None:
    """They are counted and compared as members of sets."""
    assert len({only("a"), only("a"), without("a")}) == 2
