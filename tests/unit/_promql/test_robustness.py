# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any input ends in a tree or in PromQLError, in time that grows with its length."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._promql import PromQLError, parse, to_text
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import walk
from ansible_collections.ias.observability.plugins.module_utils._promql.parser import MAX_LENGTH, MAX_NESTING
from ansible_collections.ias.observability.plugins.module_utils._promql.re2 import RegexError, matches_empty
from tests.unit._promql.grammar import EVERYTHING
from tests.unit.growth import LINEAR, growth

PIECES = [
    *("up", "a:b", "sum", "rate(", "topk(2,", "by (x)", "without", "on(a)", "group_left", "ignoring ()", "bool"),
    *("and", "or", "unless", "offset", "@", "start()", "[5m]", "[5m:1m]", "[", "]", "(", ")", "{", "}", ",", ":"),
    *("+", "-", "*", "/", "%", "^", "==", "!=", "=~", "!~", "=", "<", ">=", "</", "atan2", "5m", "1h30m", "0x1F"),
    *("1e3", "Inf", "NaN", "1_0", '"s"', "'q\\n'", "`r`", '{a=~"b.*"}', "\\", "#c\n", "\n", " ", "é", "\x00", "\ufffd"),
    *("fill(1)", "anchored", "step()", "max_of(1m, 2m)", "info(", "scalar(", "time()", "label_replace("),
]
REGEX_PIECES = [
    *("a", "*", "+", "?", "|", "(", ")", "(?:", "(?i)", "(?P<n>", "[", "]", "[^", "-", "\\d", "\\", "{2}", "{1000}"),
    *("{,", "}", "^", "$", ".", "[:alpha:]", "\\p{Greek}", "\\pL", "\\Q", "\\E", "\\x41", "\\x{", "\\1", "é"),
]


def outcome(text: str) -> bool:
    tree, error = None, None
    try:
        tree = parse(text, EVERYTHING)
    except PromQLError as caught:
        error = caught
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert str(error)
    if tree is None:
        return False
    assert to_text(parse(to_text(tree), EVERYTHING)) == to_text(tree)
    for node in walk(tree):
        assert 0 <= node.start <= node.end <= len(text)
    return True


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    outcome(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join))
def test_any_pieces(text: str) -> None:
    outcome(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(REGEX_PIECES), max_size=12).map("".join))
def test_any_regex(pattern: str) -> None:
    position = 0
    try:
        matches_empty(pattern)
    except RegexError as error:
        position = error.position
    assert 0 <= position <= len(pattern)


def test_mutated_expressions() -> None:
    source = random.Random(20261123)
    seeds = [
        'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / on (job) group_left sum by (job) (up) > 0.1',
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m] offset 1h))) and max_over_time(y[1h:5m] @ end()) != 2",
    ]
    accepted = 0
    for _ in range(4000):
        text = list(source.choice(seeds))
        for _ in range(source.randint(1, 3)):
            at = source.randrange(len(text))
            text[at : at + source.randint(0, 2)] = source.choice(PIECES)
        accepted += outcome("".join(text))
    assert 100 < accepted < 3900


def test_nesting_is_bounded() -> None:
    for opening, closing in (("(", ")"), ("abs(", ")"), ("-", ""), ("a ^ ", "")):
        deep = MAX_NESTING // 2
        assert parse(opening * deep + "a" + closing * deep)
        with pytest.raises(PromQLError, match="nests deeper"):
            parse(opening * 5000 + "a" + closing * 5000)
    with pytest.raises(PromQLError, match="nests deeper"):
        parse("a[" + "(" * 5000 + "5m" + ")" * 5000 + "]")


def test_length_is_bounded() -> None:
    with pytest.raises(PromQLError, match="longer than"):
        parse("a" * (MAX_LENGTH + 1))


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        ("a", " + a", ""),
        ("a", ' or rate(b{c=~"d.*",e!="f"}[5m])', ""),
        ("a{", 'b="c",', "}"),
        ("sum by (", "a,", ") (b)"),
        ("label_join(a, 'b', ','", ", 'c'", ")"),
        ("a{b=~'", "(?:c|d*)", "'}"),
        ("a{b=~'", "[[:", "'}"),
        ("", "#", ""),
        ("", "#\n", "a"),
        ('"', "\\x41", '"'),
        ('"', "a", ""),
        ("a[1", "1", ""),
        ("", "1h", ""),
        ("1", "_1", ""),
        ("a[5m", "+1m", "]"),
        ("", "((", ""),
    ],
)
@pytest.mark.usefixtures("collector_off")
def test_time_grows_with_length(head: str, piece: str, tail: str) -> None:
    def parsed(count: int) -> Callable[[], object]:
        return partial(_there_and_back, head + piece * count + tail)

    assert growth(parsed, 1000) <= LINEAR


def _there_and_back(text: str) -> None:
    with contextlib.suppress(PromQLError):
        to_text(parse(text))
