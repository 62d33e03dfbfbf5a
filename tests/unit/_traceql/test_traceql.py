# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TraceQL: what Tempo accepts, what a query refers to, and that nothing else is raised."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._traceql import TraceQLError, parse

VALID = [
    "{}",
    '{ resource.service.name = "api" && duration > 1.5s }',
    "{ span.http.status_code >= 500 || status = error } | count() > 2",
    "{ kind = server } >> { kind = client } | select(span.http.path, name)",
    "({ .a } | count() > 1) && ({ .b } | by(.c) | max(duration) > 1s)",
    '{ span."with blank" =~ "a.*" && !.b && -.c < 5 }',
    "{ .a != nil } &>> { nil = .b }",
    "{} | quantile_over_time(duration, 0.5, .99) by (resource.service.name) | topk(5)",
    "{} | rate() by (name) > 10 with(sample=0.1, exact=true)",
    "100 * ({ status = error } | rate()) / ({} | rate()) > 5",
    "{} | compare({ status = error }, 10, 1, 2)",
    "{ 1 + 2 * 3 ^ 4 > 5 % 6 - 7 / 8 }",
    "count() = 1 | { true }",
    "{} | by(name) | coalesce() | avg(span:childCount) > 1 - 3",
]
INVALID = [
    ("", 0, "syntax", "unexpected end of query"),
    ("{", 0, "syntax", "unclosed left brace"),
    ("{ (.a = 1 }", 2, "syntax", "unclosed left parenthesis"),
    ("{ .a = 1 } | avg(duration > 3", 16, "syntax", "unclosed left parenthesis"),
    ("{ .a = 1 } }", 11, "syntax", "unexpected '}'"),
    ("{ .a < }", 7, "syntax", "an attribute"),
    ("{ attribute = 4 }", 2, "syntax", "an attribute"),
    ("{} | count()", 0, "syntax", "is no query"),
    ("2 + 3", 0, "syntax", "is no query"),
    ("{} | topk(5)", 5, "syntax", "a selection"),
    ("{} | rate() | topk(-1)", 19, "syntax", "'integer'"),
    ("{} | rate() | count()", 14, "syntax", "topk() or bottomk()"),
    ("({} | rate()) % 10", 14, "syntax", "cannot stand between"),
    ("({} | rate()) * 99999999999999999999", 16, "syntax", "out of range"),
    ("{} && ({} | count() > 1)", 3, "syntax", "cannot stand between"),
    ('{ .a = "\\q" }', 7, "syntax", "unknown escape"),
    ("{ # }", 2, "syntax", "unexpected character"),
    ("(" * 100, 30, "limit", "nests deeper"),
    ("{ status }", 2, "type", "needs a condition"),
    ("{ 1 = name }", 4, "type", "operands of one type"),
    ("{ status > ok }", 9, "type", "cannot be used with"),
    ("{ !name }", 2, "type", "! cannot be used"),
    ("{ -true }", 2, "type", "- cannot be used"),
    ('{ .a =~ "(" }', 5, "type", "invalid regex"),
    ("{ name = nil }", 7, "type", "never nil"),
    ("{ .a > nil }", 5, "type", "nil cannot be compared"),
    ("max(name) > 1", 0, "type", "needs a number"),
    ("sum(3) = 2", 0, "type", "must refer to the span"),
    ("{} | by(1)", 5, "type", "must refer to the span"),
    ("{} | rate() | topk(0)", 14, "type", "greater than 0"),
    ("{} | compare({.a}) | topk(1)", 21, "type", "compare()"),
    ("{} | compare({.a}) > 1", 19, "type", "compare()"),
    ("{ parent.a }", 2, "feature", "parent is not supported"),
    ("{ childCount > 2 }", 2, "feature", "childCount is not supported"),
    ("min(.a) < max(.b)", 8, "feature", "only an aggregate and a number"),
    ("({} | count()) > ({} | count())", 15, "feature", "not supported yet"),
]
PIECES = [
    *(
        "{",
        "}",
        "(",
        ")",
        "|",
        "&&",
        "||",
        ">>",
        "!>",
        "&~",
        "=",
        "!=",
        "=~",
        ">",
        "+",
        "-",
        "*",
        "^",
        ",",
        ".a",
        "span.b",
    ),
    *(
        'resource."c d"',
        "trace:id",
        "duration",
        "name",
        "nil",
        "true",
        "ok",
        "5",
        "1.5",
        "2s",
        '"x"',
        "count()",
        "rate()",
    ),
    *("max(", "by(", "select(", "topk(", "with(", "compare(", "a", "\n", "é", "\x00", '"', "`"),
]


@pytest.mark.parametrize("text", VALID)
def test_accepts(text: str) -> None:
    assert parse(text)


@pytest.mark.parametrize(("text", "position", "kind", "message"), INVALID)
def test_refuses_and_says_why(text: str, position: int, kind: str, message: str) -> None:
    with pytest.raises(TraceQLError) as caught:
        parse(text)
    assert message in caught.value.message
    assert (caught.value.position, caught.value.kind) == (position, kind)


def test_length_is_bounded() -> None:
    with pytest.raises(TraceQLError, match="longer than"):
        parse(" " * 200_000)


def test_knows_what_a_query_refers_to() -> None:
    query = parse('{ resource.service.name = "a" } | rate() by (span.http.path, name)')
    assert query.is_metrics
    assert query.attributes == ["resource.service.name", "span.http.path", "name"]
    assert not parse("{} | count() > 1").is_metrics


def test_agrees_with_tempo(shared: Path) -> None:
    """On whether it can be parsed, and on whether it is valid."""
    with gzip.open(shared / "corpus" / "traceql.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    wrong: list[str] = []
    for row in rows:
        kind = ""
        try:
            parse(row["expr"])
        except TraceQLError as error:
            kind = error.kind
        if (kind == "", kind != "syntax") != (row["valid"], row["parses"]):
            wrong.append(row["expr"])
    assert len(rows) == 463
    assert wrong == []


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=15).map(" ".join)))
def test_any_text(text: str) -> None:
    position = 0
    try:
        parse(text)
    except TraceQLError as error:
        position = error.position
    assert 0 <= position <= len(text)
