# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which series keep a panel from being of now."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._checks.freshness import is_stale, shown_age
from ansible_collections.ias.observability.plugins.module_utils._checks.panel_data import bounded, stale_sources


def stale(expr: str, *fresh: str) -> list[str]:
    query = {"expr": expr, "datasource": {"type": "prometheus", "uid": "p"}}
    return [source.selector for source in stale_sources(query, lambda source: source.selector in fresh)]


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ('up{job="a"}', ['up{job="a"}']),
        ("sum(rate(x[5m])) / sum(rate(y[$__rate_interval]))", ["x", "y"]),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[${__interval}])))", ["x_bucket"]),
        ("x offset 1d @ end()", ["x"]),
        ("x / $__range_s", ["x"]),
        ("x unless y", ["x"]),
        ("x * on (pod) group_left (node) y", ["x", "y"]),
        ("absent(x)", []),
        ("vector(1)", []),
        ("time() - x", ["x"]),
    ],
)
def test_every_series_that_the_value_is_made_of(expr: str, expected: list[str]) -> None:
    assert stale(expr) == expected
    assert stale(expr, *expected) == []


def test_of_two_names_for_one_thing_one_is_enough() -> None:
    assert stale("new_name or old_name", "old_name") == []
    assert stale("new_name or old_name") == ["new_name", "old_name"]
    assert stale("rate(x[5m]) or vector(0)") == []


def test_one_side_of_a_ratio_is_not_enough() -> None:
    assert stale("sum(rate(x[5m])) / sum(y)", "y") == ["x"]


def test_events_of_one_kind_may_be_rare_but_not_their_metric() -> None:
    """After a restart the counter of code 500 has no series until there is one."""
    expr = 'sum(increase(x_total{job="a", code="500"}[1h]))'
    assert stale(expr, 'x_total{job="a"}') == []
    assert stale(expr) == ['x_total{job="a"}']
    assert stale('max_over_time((x{job="a", code="500"} > 0)[1h:])') == ['x{job="a"}']
    assert stale('x{job="a", code="500"}', 'x{job="a"}') == ['x{job="a",code="500"}']


@pytest.mark.parametrize("expr", ["sum by (", "x{", "(" * 3000 + "x" + ")" * 3000])
def test_what_cannot_be_read_is_not_judged(expr: str) -> None:
    assert stale(expr) == []


@pytest.mark.parametrize("kind", ["loki", "tempo", "__expr__"])
def test_other_data_sources_have_no_intervals(kind: str) -> None:
    query = {"expr": "x", "datasource": {"type": kind, "uid": "p"}}
    assert stale_sources(query, lambda source: False) == []


@pytest.mark.parametrize(
    ("expr", "asked"),
    [
        ('sum(count_over_time({app="a"} |= "[1h]" [1h]))', 'sum(count_over_time({app="a"} |= "[1h]" [5m]))'),
        ('rate({app="a"} |~ `[1d]` [1m])', 'rate({app="a"} |~ `[1d]` [1m])'),
        ('rate({app="a"}[$__auto])', 'rate({app="a"}[$__auto])'),
        ('{app="a"} |= "x"', '{app="a"} |= "x"'),
    ],
)
def test_lines_of_an_hour_ago_are_not_counted(expr: str, asked: str) -> None:
    assert bounded({"expr": expr, "datasource": {"type": "loki"}})["expr"] == asked
    other = {"expr": expr, "datasource": {"type": "prometheus"}}
    assert bounded(other) == other


def test_two_intervals_and_a_scrape_are_of_now() -> None:
    assert not is_stale(69, 30)
    assert is_stale(71, 30)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7200, "2 hours")]
)
def test_an_age_as_a_person_says_it(seconds: float, text: str) -> None:
    assert shown_age(seconds) == text
