# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LogQL: what Loki accepts, what comes out, and that nothing else is raised."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._logql import LogQLError, parse
from ansible_collections.ias.observability.plugins.module_utils._logql.nodes import (
    Binary,
    Literal,
    LogQuery,
    RangeAggregation,
    VectorAggregation,
    walk,
)
from tests.unit.growth import LINEAR, growth

VALID = [
    '{app="api"}',
    '{app=~"a.+", env!="dev"} |= "error" != "debug" |~ `time\\d+` !~ "x" |> "<_> y" !> "z"',
    '{app="api"} |= "a" or "b" |= ip("10.0.0.0/8")',
    '{app="api"} | json | status >= 500 and (duration > 1.5s or size <= 10MiB), method=~"GET|POST" path="/"',
    '{app="api"} | json a="b.c", d | logfmt --strict --keep-empty x="y", z | unpack | decolorize',
    '{app="api"} | regexp "(?P<a>.+)" | pattern "<ip> - <_> \\"<method>\\"" | line_format "{{.a}}"',
    '{app="api"} | label_format a=b, c="{{.d}}" | drop a, b="c" | keep d',
    '({app="api"} |= "x")',
    'rate({app="api"}[5m])',
    'sum by (app, level) (count_over_time({app="api"} |= "x" [5m] offset -1h)) > 5',
    'topk(3, sum(rate({app="api"}[1m])) by (app)) / 2',
    'quantile_over_time(0.99, {app="api"} | json | unwrap duration(latency) | __error__="" [5m]) by (app)',
    'avg_over_time({app="api"}[5m] | json | unwrap bytes(size))',
    'sum_over_time(({app="api"} | unwrap x)[5m])',
    'absent_over_time(({app="api"})[5m])',
    'rate(({app="api"} |= "x" [5m]))',
    'rate((({app="api"}[5m])))',
    'label_replace(rate({a="b"}[1m]), "x", "$1", "y", "(.*)")',
    'rate({a="b"}[1m]) * on (a) group_left (b) rate({a="b"}[1m])',
    'rate({a="b"}[1m]) == bool 1 or vector(0)',
    '-1 + 2 ^ 3 * rate({a="b"}[1m])',
    'sort_desc(sum(rate({a="b"}[1m])))',
    'variants(count_over_time({a="b"}[1m]), rate({a="b"}[1m])) of ({a="b"}[1m])',
    '{rate="a", sum="b", count="c"} # a comment',
    '{app="api"} | addr = ip("10.0.0.1") | ip="x"',
]
INVALID = [
    ("", 0, "unexpected end of query"),
    ("{}", 0, "at least one matcher"),
    ('{a=~".*"}', 0, "at least one matcher"),
    ('{a!="b"}', 0, "at least one matcher"),
    ('{a="b"', 0, "unclosed left brace"),
    ('sum(rate({a="b"}[5m])', 3, "unclosed left parenthesis"),
    ('rate({a="b"}[5m] > 1', 4, "unclosed left parenthesis"),
    ('rate({a="b" |= "(" [5m])', 5, "unclosed left brace"),
    ('sum by (a (rate({a="b"}[5m]))', 7, "unclosed left parenthesis"),
    ('sum(rate({a="b"}[5m])))', 22, "unexpected ')'"),
    ('{a="b"} |', 9, "a label name"),
    ('{a="b"} "x"', 8, "unexpected"),
    ('{a="b"} |= 5', 11, "expected 'string'"),
    ('{a=~"("}', 1, "error parsing regexp"),
    ('{a="b"} |~ "("', 11, "error parsing regexp"),
    ('{a="b"} | regexp "x"', 10, "named capture"),
    ('{a="b"} | pattern "x"', 10, "named capture"),
    ('{a="b"} | pattern "<a><b>"', 10, "two captures"),
    ('{a="b"} | x > "5"', 14, "a value that > can compare"),
    ('{a="b"} | x == "5"', 15, "a value"),
    ('{a="b"} | x > 0x10', 14, "unexpected character"),
    ('{a="b"} | x > ip("1.2.3.4")', 14, "a value"),
    ('rate({a="b"})', 12, "expected 'range'"),
    ('rate({a="b"}[5])', 12, "not a valid duration"),
    ('rate({a="b"}[5m)', 12, "missing closing ']'"),
    ('rate({a!="b"}[5m])', 5, "at least one matcher"),
    ('rate(5, {a="b"}[5m])', 0, "takes no parameter"),
    ('quantile_over_time({a="b"} | unwrap x [5m])', 0, "needs the quantile"),
    ('count_over_time({a="b"} | unwrap x [5m])', 0, "with unwrap"),
    ('avg_over_time({a="b"}[5m])', 0, "without unwrap"),
    ('count_over_time({a="b"}[5m]) by (x)', 0, "grouping not allowed"),
    ('topk(rate({a="b"}[5m]))', 0, "needs a number"),
    ('topk(0, rate({a="b"}[5m]))', 0, "above 0"),
    ('sum(3, rate({a="b"}[5m]))', 0, "takes no parameter"),
    ('sort(rate({a="b"}[5m])) by (x)', 0, "grouping is not allowed"),
    ('{a="b"} + 1', 8, "takes metric queries"),
    ('sum({a="b"})', 4, "a metric query is needed"),
    ('1 or rate({a="b"}[5m])', 0, "unexpected number"),
    ('label_replace(rate({a="b"}[5m]), "a", "b", "c", "(")', 48, "error parsing regexp"),
    ("unknown({a='b'}[5m])", 11, "double quotes"),
    ('{a="b\\d"}', 3, "unknown escape"),
    ("(" * 200, 60, "nests deeper"),
    ('rate({a="b"}[5m] offset 5h3d)', 24, "not a valid duration"),
    ('{a="b"} | x > 5h3d', 14, "not a valid duration"),
    ('{a="b"} | drop a, 5', 18, "a label name"),
    ('variants(rate({a="b"}[1m])) ({a="b"}[1m])', 28, "'of'"),
]
PIECES = [
    *(
        '{a="b"}',
        "|=",
        '"x"',
        "|",
        "json",
        "logfmt",
        "unwrap",
        "x",
        ">",
        "5",
        "5s",
        "5MB",
        "[5m]",
        "rate(",
        "sum(",
        ")",
    ),
    *("by", "(", "or", "and", "!=", "!~", "offset", "5m", "-", "+", "^", "ip(", "label_format", "=", ",", "drop", "`"),
    *("quantile_over_time(", "0.9", "line_format", "pattern", '"<a>"', "#", "\n", "é", "\x00", "[", "]", "vector("),
]


@pytest.mark.parametrize("text", VALID)
def test_accepts(text: str) -> None:
    assert parse(text)


@pytest.mark.parametrize(("text", "position", "message"), INVALID)
def test_refuses_and_says_where(text: str, position: int, message: str) -> None:
    with pytest.raises(LogQLError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.position == position


def test_length_is_bounded() -> None:
    with pytest.raises(LogQLError, match="longer than"):
        parse(" " * 200_000)


def test_tree_of_a_log_query() -> None:
    query = parse('{app="api", env=~"p.*"} |= "a" | json status="s" | status >= 500 | label_format x=y')
    assert isinstance(query, LogQuery)
    assert [(m.name, m.operator, m.value) for m in query.matchers] == [("app", "=", "api"), ("env", "=~", "p.*")]
    assert [(s.kind, s.values, s.labels) for s in query.stages] == [
        ("line", ("|=", "a"), ()),
        ("json", ("s",), ("status",)),
        ("label", (), ("status",)),
        ("label_format", ("{{.y}}",), ("x",)),
    ]


def test_tree_of_a_metric_query() -> None:
    query = parse('sum by (app) (quantile_over_time(0.9, {a="b"} | unwrap x [1h30m] offset 5m)) - 2 * 3')
    assert isinstance(query, Binary)
    assert query.operator == "-"
    assert isinstance(query.right, Binary)
    assert query.right.is_literal
    kinds = [type(node) for node in walk(query)]
    assert kinds == [Binary, VectorAggregation, RangeAggregation, LogQuery, Binary, Literal, Literal]
    inner = next(node for node in walk(query) if isinstance(node, RangeAggregation))
    assert (inner.range_seconds, inner.offset_seconds, inner.parameter, inner.query.unwrap) == (5400, 300, 0.9, "x")


def test_agrees_with_loki(shared: Path) -> None:
    with gzip.open(shared / "corpus" / "logql.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    wrong: list[str] = []
    for row in rows:
        query = None
        with contextlib.suppress(LogQLError):
            query = parse(row["expr"])
        agrees = (query is not None) == row["valid"]
        if not agrees or (query is not None and isinstance(query, LogQuery) == row["metric_query"]):
            wrong.append(row["expr"])
    # the one with a line filter whose regular expression Loki only refuses when it runs the query
    assert wrong == ["count_over_time({foo=~`bar\\w+`}[12h] |~ `error\\`)"]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=15).map(" ".join)))
def test_any_text(text: str) -> None:
    position = 0
    try:
        list(walk(parse(text)))
    except LogQLError as error:
        position = error.position
    assert 0 <= position <= len(text)


@pytest.mark.parametrize("piece", [' |= "x"', " | json", ' | a="b"', " | a > 1 or b < 2", "("])
@pytest.mark.usefixtures("collector_off")
def test_time_grows_with_length(piece: str) -> None:
    def parsed(count: int) -> Callable[[], object]:
        return partial(_parsed, '{a="b"}' + piece * count)

    assert growth(parsed, 700) <= LINEAR


def _parsed(text: str) -> None:
    with contextlib.suppress(LogQLError):
        parse(text)
