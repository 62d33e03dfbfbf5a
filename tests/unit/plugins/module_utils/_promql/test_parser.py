# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each version of Prometheus accepts, and the tree that comes out."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile, PromQLError, parse, to_text
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import (
    Aggregation,
    Binary,
    MatrixSelector,
    Number,
    Unary,
    VectorSelector,
    walk,
)
from ansible_collections.ias.observability.plugins.module_utils._promql.profile import EVERYTHING, FEATURES

LATEST = Profile((3, 16), FEATURES)

VALID = [
    "up",
    'up{job="api", instance!~"a.*|b",}',
    '{__name__="up"}',
    '{"http.requests", "service.name"="a"}',
    "sum by (job, le,) (rate(http_request_duration_seconds_bucket[5m]))",
    "SUM(a) WITHOUT (b)",
    "topk(3, a)",
    'count_values("version", build_info)',
    "quantile(0.9, a) by (job)",
    "a + on () group_left (x) b",
    "a / ignoring (code) group_right b",
    "a == bool 1",
    "1 == bool 1",
    "a and b or c unless d",
    "2 ^ -1 ^ 2",
    "-a ^ 2",
    "a[5m] offset 1h",
    "a offset -5m",
    "a @ 1609746000.5",
    "rate(a[5m] @ start())",
    "a offset 0s offset 5m",
    "max_over_time(rate(a[5m])[1h:1m] @ end() offset 1d)",
    "a[1h30m:]",
    "by + without + offset + sum",
    "sum",
    "rate(fill[5m]) + fill_left",
    "0x1F + 017 + 1_000 + .5 + 5. + 1e3 + Inf + nan",
    "5m + 1h",
    "'single' ",
    "`raw \\d`",
    "label_join(a, 'b', ',', 'c', 'd', 'e')",
    'label_replace(a, "b", "$1", "c", "(.*)")',
    "day_of_week() + hour(a)",
    "round(a, 0.1)",
    "vector(time())",
    "a # comment\n + b",
    "histogram_quantile(0.9, a)",
    "foo[(5m + 1m) * 2:range()/10]",
    "foo offset (5m + 1m)",
    "foo offset -(1m)",
    "foo[max_of(step(), 5m)]",
    "foo </ 5 >/ 2",
    "((((a))))",
]

INVALID = [
    ("", 0, "no expression found"),
    ("   # only a comment", 0, "no expression found"),
    ("a +", 3, "unexpected end of input"),
    ("a b", 2, "unexpected 'b'"),
    ("(a", 2, "expected ')'"),
    ("a)", 1, "unexpected ')'"),
    ("a[5m", 4, "unclosed left bracket"),
    ("a[]", 2, "number or duration"),
    ("a[5m] + 1", 0, "only scalar and instant vector"),
    ("rate(a)", 5, "expected type range vector in call to function 'rate', got instant vector"),
    ("rate(a[5m], 1)", 0, "expected 1 argument(s)"),
    ("round()", 0, "at least 1"),
    ("hour(a, b)", 0, "at most 1"),
    ("foo(a)", 0, "unknown function with name 'foo'"),
    ("sum()", 0, "wrong number of arguments"),
    ("topk(a)", 0, "expected 2, got 1"),
    ("topk(a, b)", 5, "expected type scalar in aggregation parameter"),
    ("sum(1)", 4, "expected type instant vector"),
    ("sum(a,)", 6, "trailing commas"),
    ("sum by (without) (a)", 8, "expected label"),
    ("sum by (a b) (c)", 10, "expected ','"),
    ("a{b}", 3, "expected label matching operator"),
    ("a{b=c}", 4, "expected string"),
    ("a{b:c='d'}", 2, "expected identifier"),
    ("a{b=~'x**'}", 2, "nested repetition"),
    ("{a=~'x*'}", 0, "at least one non-empty matcher"),
    ("{}", 0, "at least one non-empty matcher"),
    ("a{__name__='b'}", 0, "must not be set twice"),
    ("1 == 1", 2, "must use BOOL"),
    ("a + bool b", 2, "bool modifier"),
    ("a and 1", 2, "set operator 'and' not allowed"),
    ("a and on (x) group_left b", 2, "no grouping allowed"),
    ("a + on (x) group_left (x) b", 2, "ON and GROUP"),
    ("a + on (x) 1", 2, "between instant vectors"),
    ("-'s'", 0, "unary expression"),
    ("a offset", 8, "number or duration"),
    ("a offset 5m offset 5m", 0, "multiple times"),
    ("a offset 5m[5m]", 11, "no offset modifiers allowed before range"),
    ("a @ 5 @ 6", 0, "multiple times"),
    ("a @ Inf", 4, "out of bounds"),
    ("1 @ 5", 0, "must be preceded"),
    ("(a)[5m]", 3, "ranges only allowed for vector selectors"),
    ("a[5m][5m:]", 0, "subquery is only allowed on instant vector"),
    ("a[0]", 2, "greater than 0"),
    ("a[5m:-1m]", 5, "greater than 0"),
    ("a[5m/0]", 4, "division by zero"),
    ("a[5m:1m:1m]", 7, "expected ']'"),
    ("a[:5m]", 2, "unexpected colon"),
    ("a[1d1w]", 2, "not a valid duration"),
    ("a[300y]", 2, "out of range"),
    ("a offset 99999999999", 9, "out of range"),
    ('"a\\d"', 0, "unknown escape"),
    ('"a\\400"', 0, "not a byte"),
    ('"a\\ud800"', 0, "invalid Unicode"),
    ("'a\\\"'", 0, "unknown escape"),
    ('"open', 0, "unterminated"),
    ("1e999", 0, "out of range"),
    ("0x1e", 0, "bad number"),
    ("1.5.2", 0, "bad number"),
    ("a ? b", 2, "unexpected character"),
    ("a ! b", 2, "unexpected character after '!'"),
    ("a offset (5m) + b", 16, "number or duration"),
    ("a + fill(1) b", 4, "promql-binop-fill-modifiers"),
    ("a anchored", 2, "promql-extended-range-selectors"),
    ("mad_over_time(a[5m])", 0, "promql-experimental-functions"),
    ("limitk(2, a)", 0, "promql-experimental-functions"),
    ("integral(a[5m])", 0, "known since Prometheus 3.16"),
]


@pytest.mark.parametrize("text", VALID)
def test_accepts_and_round_trips(text: str) -> None:
    tree = parse(text)
    again = parse(to_text(tree))
    assert to_text(again) == to_text(tree)
    if "nan" not in text:
        assert again == tree


@pytest.mark.parametrize(("text", "position", "message"), INVALID)
def test_refuses_and_says_where(text: str, position: int, message: str) -> None:
    with pytest.raises(PromQLError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("a </ 5", (3, 11)),
        ("a[5m + 1m]", (3, 14)),
        ("first_over_time(a[5m])", (3, 14)),
        ("a smoothed", (3, 16)),
        ("a[range():1m]", (3, 16)),
        ("a[(0)]", (3, 15)),
    ],
)
def test_is_known_since(text: str, since: tuple[int, int]) -> None:
    assert parse(text, Profile(since))
    with pytest.raises(PromQLError):
        parse(text, Profile((since[0], since[1] - 1)))


@pytest.mark.parametrize(
    "text",
    [
        "a[5m] smoothed",
        "a + fill_left (1) fill_right (-1) b",
        "a + fill (0) b",
        "mad_over_time(a[5m])",
        "info(a, {})",
        "sum(limitk(2, a))",
        "min_of(1, 2) + start()",
        "sort_by_label(a, 'b', 'c')",
        "histogram_quantiles(a, 'q', 0.1, 0.9)",
    ],
)
def test_feature_flags_switch_on(text: str) -> None:
    tree = parse(text, EVERYTHING)
    assert parse(to_text(tree), EVERYTHING) == tree
    with pytest.raises(PromQLError) as caught:
        parse(text)
    assert caught.value.kind == "feature"


@pytest.mark.parametrize(
    "text",
    ["a[5m:1m] anchored", "a anchored smoothed", "info(a, b{})", "info(a, sum(b))", "a + fill(1) 2", "a or fill(1) b"],
)
def test_misused_features_are_refused(text: str) -> None:
    with pytest.raises(PromQLError) as caught:
        parse(text, LATEST)
    assert caught.value.kind == "type"


def test_before_3_15_some_modifiers_may_precede_the_range() -> None:
    for text in ("a @ start() [5m]", "a offset step() [5m]"):
        assert parse(text, Profile((3, 14)))
        with pytest.raises(PromQLError, match="before range"):
            parse(text, Profile((3, 15)))


def test_before_3_12_a_blank_in_a_duration_makes_a_subquery() -> None:
    assert to_text(parse("a[5 m]", Profile((3, 5)))) == "a[5:]"
    with pytest.raises(PromQLError):
        parse("a[5 m]")


def test_precedence() -> None:
    tree = parse("-a ^ 2 * b or c")
    assert isinstance(tree, Binary)
    assert tree.operator == "or"
    assert isinstance(tree.left, Binary)
    assert tree.left.operator == "*"
    assert isinstance(tree.left.left, Unary)
    power = parse("2 ^ 3 ^ a")
    assert isinstance(power, Binary)
    assert isinstance(power.right, Binary)
    offset = parse("a offset 5m ^ 2")
    assert isinstance(offset, Binary)
    assert offset.operator == "^"


def test_nodes_carry_positions_and_meaning() -> None:
    text = 'sum by (a) (\n  rate(x{b="c"}[5m] offset 1m)\n) > 1e3'
    tree = parse(text)
    assert isinstance(tree, Binary)
    assert (tree.start, tree.end) == (0, len(text))
    assert text[tree.operator_start] == ">"
    nodes = {type(node): text[node.start : node.end] for node in walk(tree)}
    assert nodes[Aggregation] == text[: text.rindex(")") + 1]
    assert nodes[MatrixSelector] == 'x{b="c"}[5m] offset 1m'
    assert nodes[Number] == "1e3"
    selector = next(node for node in walk(tree) if isinstance(node, VectorSelector))
    assert selector.metric == "x"
    assert [(m.name, m.operator, m.value) for m in selector.matchers] == [("b", "=", "c")]
    assert tree.matching.cardinality == "one-to-one"


def test_error_knows_line_and_column() -> None:
    with pytest.raises(PromQLError) as caught:
        parse("up\n  + foo(\nbar)")
    assert (caught.value.line, caught.value.column) == (2, 5)
    assert str(caught.value).startswith("2:5: unknown function")


@pytest.mark.parametrize("version", ["", "3", "2.50", "three", "4.0", "3.4", "3.x", "3.14.0.0\n#"])
def test_unknown_version_is_one_clear_message(version: str) -> None:
    with pytest.raises(ValueError, match=r"Prometheus"):
        Profile.of(version)


def test_versions_as_people_write_them() -> None:
    assert Profile.of("v3.14.0") == Profile((3, 14))
    assert Profile.of("3.99").version == (3, 99)
    assert Profile.of("3.5.3-rc.1+x", ["promql-duration-expr"]).allows("promql-duration-expr")
    with pytest.raises(ValueError, match="unknown PromQL feature 'speed'"):
        Profile.of("3.14", ["speed"])
