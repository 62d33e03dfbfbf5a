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
    Call,
    Duration,
    Expr,
    MatrixSelector,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
    strip_parens,
    walk,
)
from ansible_collections.ias.observability.plugins.module_utils._promql.printer import duration_text
from ansible_collections.ias.observability.plugins.module_utils._promql.profile import FEATURES
from tests.unit._promql.grammar import EVERYTHING

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
    ("(a", 0, "unclosed left parenthesis"),
    ("a)", 1, "unexpected ')'"),
    ("a[5m", 1, "unclosed left bracket"),
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
    for version in ((3, 5), (3, 11)):
        assert to_text(parse("a[5 m]", Profile(version))) == "a[5:]"
    with pytest.raises(PromQLError):
        parse("a[5 m]", Profile((3, 12)))


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


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a or b and c", "a or (b and c)"),
        ("a or b unless c", "a or (b unless c)"),
        ("a and b unless c", "(a and b) unless c"),
        ("a unless b and c", "(a unless b) and c"),
        ("a and b == c", "a and (b == c)"),
        ("a unless b > c", "a unless (b > c)"),
        ("a == b + c", "a == (b + c)"),
        ("a > b - c", "a > (b - c)"),
        ("a < b == c", "(a < b) == c"),
        ("a - b + c", "(a - b) + c"),
        ("a + b - c", "(a + b) - c"),
        ("a - b * c", "a - (b * c)"),
        ("a + b / c", "a + (b / c)"),
        ("a - b % c", "a - (b % c)"),
        ("a - b atan2 c", "a - (b atan2 c)"),
        ("a * b / c % d", "((a * b) / c) % d"),
        ("a / b ^ c", "a / (b ^ c)"),
        ("a ^ b ^ c", "a ^ (b ^ c)"),
        ("-a ^ b", "-(a ^ b)"),
        ("-a * b", "(-a) * b"),
        ("-2 ^ 2", "-(2 ^ 2)"),
        ("a ATAN2 b OR c", "(a atan2 b) or c"),
    ],
)
def test_operators_bind_as_in_prometheus(text: str, grouped: str) -> None:
    assert without_parentheses(parse(text)) == without_parentheses(parse(grouped))


def without_parentheses(node: Expr) -> object:
    node = strip_parens(node)
    if isinstance(node, Binary):
        return (node.operator, without_parentheses(node.left), without_parentheses(node.right))
    if isinstance(node, Unary):
        return (node.operator, without_parentheses(node.expr))
    return to_text(node)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("1m + 2m * 3", "1m + (2m * 3)"),
        ("1m - 2m / 3", "1m - (2m / 3)"),
        ("1m - 2m % 3", "1m - (2m % 3)"),
        ("1m - 2m + 3m", "(1m - 2m) + 3m"),
        ("1m + 2m - 3m", "(1m + 2m) - 3m"),
        ("1m * 2 / 3 % 4", "((1m * 2) / 3) % 4"),
        ("1m / 2 * 3", "(1m / 2) * 3"),
        ("1m * 2 ^ 3", "1m * (2 ^ 3)"),
        ("2 ^ 3 ^ 4", "2 ^ (3 ^ 4)"),
        ("-step() ^ 2", "-(step() ^ 2)"),
        ("-step() * 2", "(-step()) * 2"),
        ("max_of(1m + 2m, 3m)", "max_of((1m + 2m), 3m)"),
    ],
)
def test_operators_of_durations_bind_alike(text: str, grouped: str) -> None:
    assert shape(text) == shape(grouped)


def shape(duration: str) -> object:
    tree = parse(f"a[{duration}]", LATEST)
    assert isinstance(tree, MatrixSelector)
    return _shape(tree.range)


def _shape(duration: Duration) -> object:
    if isinstance(duration, Number):
        return duration.value
    operands = tuple(_shape(operand) for operand in duration.operands)
    return operands[0] if duration.operator == "()" else (duration.operator, operands)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 524_289, "longer than 524288 characters"),
        ("(" * 100 + "a" + ")" * 100, "deeper than 100 levels"),
        ("-" * 100 + "a", "deeper than 100 levels"),
        (f"a[{'(' * 99}1m{')' * 99}]", "deeper than 100 levels"),
        (f"a[{'1m+' * 101}1m]", "more than 100 operators in a row"),
        ("(a) + " * 3 + "(" * 100 + "a" + ")" * 100, "deeper than 100 levels"),
        (f"a[(1m):{'(' * 99}1m{')' * 99}]", "deeper than 100 levels"),
    ],
    ids=["length", "parentheses", "signs", "durations", "chain of durations", "parentheses later", "durations later"],
)
def test_limits(text: str, message: str) -> None:
    with pytest.raises(PromQLError, match=message) as caught:
        parse(text, LATEST)
    assert caught.value.kind == "limit"


@pytest.mark.parametrize(
    "text",
    [
        *["a" * 524_288, "(" * 99 + "a" + ")" * 99, "-" * 99 + "a", f"a[{'(' * 98}1m{')' * 98}]"],
        *[f"a[{'1m+' * 100}1m]", " + ".join(["(a)"] * 500), " + ".join(["rate(a[(1m):(1m)])"] * 200)],
    ],
    ids=["length", "parentheses", "signs", "durations", "chain of durations", "many", "many durations"],
)
def test_within_limits(text: str) -> None:
    assert parse(text, LATEST)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a @ 9223372036854774784", True),
        ("a @ 9223372036854775807", False),
        ("a @ -9223372036854774784", True),
        ("a @ -9223372036854775807", False),
        ("a @ NaN", False),
        ("a @ -5", True),
        ("a offset 9223372036", True),
        ("a offset 9223372037", False),
        ("a offset -9223372037", False),
        ("a offset 0.0000000001 offset 5m", True),
        ("a offset 0.000000001 offset 5m", False),
        ("a offset NaN offset 5m", False),
        ("a[0.001]", True),
    ],
)
def test_times_that_an_int64_can_hold(text: str, good: bool) -> None:
    if good:
        assert parse(text)
    else:
        with pytest.raises(PromQLError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("a[step()]", (3, 12)),
        ("a offset step()", (3, 6)),
        ("a[range()]", (3, 12)),
        ("a offset range()", (3, 12)),
        ("a[max_of(1m, 2m)]", (3, 13)),
        ("a offset max_of(1m, 2m)", (3, 13)),
        ("a offset min_of(1m, 2m)", (3, 13)),
        ("a[min_of(1m, 2m)]", (3, 13)),
        ("a anchored", (3, 7)),
        ("a + fill(1) b", (3, 10)),
    ],
)
def test_is_known_behind_its_flag_since(text: str, since: tuple[int, int]) -> None:
    assert parse(text, Profile(since, FEATURES))
    with pytest.raises(PromQLError):
        parse(text, Profile((since[0], since[1] - 1), FEATURES))


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("'a" + "b" * 30 + "' c", "unexpected 'c'", 34),
        ("a " + "b" * 30, f"unexpected '{'b' * 20}'", 2),
        ("a + !b", "unexpected character after '!': 'b'", 4),
        ("aa + !bc", "unexpected character after '!': 'b'", 5),
        ("aa + 1234567890.1234.5", "bad number or duration syntax: '1234567890.1'", 5),
        ("a + fill(1) fill_left(2) b", "unknown function with name 'fill_left'", 12),
        ("1234567890.1234.5", "bad number or duration syntax: '1234567890.1'", 0),
        ("aa[5m bb]", "unexpected 'bb' in subquery or range, expected ']'", 6),
        ("abc[", "unclosed left bracket", 3),
        ("abc[5m] + \t@", "unexpected '@'", 11),
        ("(a)[5m+1m]", "ranges only allowed", 3),
        ("a[#]", "unexpected character in duration expression: '#'", 2),
        ("a[5m #]", "unclosed left bracket", 1),
        ("a[5m;]", "unexpected character in duration expression: ';'", 4),
        ('"a\\qb"', "unknown escape sequence '\\\\q' (write", 0),
        ("a[5m] b[5m]", "unexpected 'b'", 6),
        ("sum by (a", "unclosed left parenthesis", 7),
        ("sum by ('')(a)", "invalid label name for grouping: ''", 8),
        ("sum by ('\\xff')(a)", "invalid label name for grouping: '\\udcff'", 8),
        ("a + fill(x) b", "unexpected 'x' in fill value, expected number or duration", 9),
        ("a @ start(5)", "expected ')'", 10),
        ("'\ud800'", "invalid UTF-8 rune", 0),
        ("a + '\udfff'", "invalid UTF-8 rune", 4),
        ("ab + '\ufffd'", "invalid UTF-8 rune", 5),
        ("{a=~'('}", "error parsing regexp: missing closing )", 1),
        ("a{b='c'", "unclosed left brace", 1),
        ("clamp(a, b, 1)", "expected type scalar in call to function 'clamp', got instant vector", 9),
    ],
)
def test_says_what_and_where(text: str, message: str, position: int) -> None:
    with pytest.raises(PromQLError) as caught:
        parse(text, LATEST)
    assert message in caught.value.message
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "what", "position"),
    [
        ("rate(x[5m] > 0.05", "parenthesis", 4),
        ("sum(rate(x[5m]) > 1", "parenthesis", 3),
        ("sum(rate(x[5m] > 1)", "parenthesis", 3),
        ("sum by (job (rate(x[5m])) > 1", "parenthesis", 7),
        ("a / (b + c", "parenthesis", 4),
        ("a + (b +", "parenthesis", 4),
        ("max(a) + (min(b) > 1", "parenthesis", 9),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])) > 1", "parenthesis", 18),
        ("a{b='c' > 1", "brace", 1),
        ("sum(a{b='c') > 1", "brace", 5),
        ("rate(x[5m) > 1", "bracket", 6),
        ("rate(x[5m > 1", "bracket", 6),
        ("rate(x[5m) / rate(y[5m])", "bracket", 6),
    ],
)
def test_says_which_bracket_is_not_closed(text: str, what: str, position: int) -> None:
    with pytest.raises(PromQLError) as caught:
        parse(text, LATEST)
    assert (caught.value.message, caught.value.position) == (f"unclosed left {what}", position)


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [("a b (c", "unexpected 'b'", 2), ("sum(a)) > 1", "unexpected ')'", 6), ("foo(a) + (b", "unknown function", 0)],
)
def test_an_earlier_fault_comes_first(text: str, message: str, position: int) -> None:
    with pytest.raises(PromQLError) as caught:
        parse(text, LATEST)
    assert message in caught.value.message
    assert caught.value.position == position


def test_a_comment_in_brackets_and_much_else_is_passed_over() -> None:
    tree = parse("rate(a[5m # why\n]) # end\n", LATEST)
    assert to_text(tree) == "rate(a[5m])"


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [("a + fill(-1) b", -1, -1), ("a + fill_left(+2) b", 2, None), ("a + fill_right(3) fill_left(4) b", 4, 3)],
)
def test_fill_modifiers_say_which_side(text: str, left: float | None, right: float | None) -> None:
    tree = parse(text, LATEST)
    assert isinstance(tree, Binary)
    assert (tree.matching.fill_left, tree.matching.fill_right) == (left, right)


@pytest.mark.parametrize("text", ["a + fill", "a + fill + b", "a + fill_left # why?\n", "a + fill{b='c'}"])
def test_without_a_parenthesis_fill_is_a_metric(text: str) -> None:
    tree = parse(text, LATEST)
    assert isinstance(tree, Binary)
    assert {node.name for node in walk(tree) if isinstance(node, VectorSelector)} >= {"a"}
    assert tree.matching.fill_left is None


def test_a_comment_before_the_parenthesis_makes_fill_a_function() -> None:
    with pytest.raises(PromQLError, match="unknown function with name 'fill'"):
        parse("a + fill # x\n (1) b", LATEST)


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("up", "up"),
        ("up{a='b'}", "up"),
        ("{__name__='up', a='b'}", "up"),
        ("{a='b', 'up'}", "up"),
        ("{a='b', __name__=~'up'}", ""),
        ("{__name__!='down', a='b'}", ""),
        ("{__a__='up'}", ""),
    ],
)
def test_the_metric_wherever_it_is_written(text: str, metric: str) -> None:
    tree = parse(text)
    assert isinstance(tree, VectorSelector)
    assert tree.metric == metric


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("-a", {Unary: "-a"}),
        ("1 + -(b)", {Unary: "-(b)", Binary: "1 + -(b)", Paren: "(b)"}),
        ("a [1h:5m] offset 1m", {Subquery: "a [1h:5m] offset 1m"}),
        ("topk(3, b)  ", {Aggregation: "topk(3, b)", Number: "3", VectorSelector: "b"}),
        ("-rate(a[5m])", {MatrixSelector: "a[5m]", Call: "rate(a[5m])"}),
        ("rate(a[5m+1m])", {MatrixSelector: "a[5m+1m]"}),
        ("sum(a) by (b)", {Aggregation: "sum(a) by (b)"}),
        ("time ( )", {Call: "time ( )"}),
        ("label_join(a, 'b', `c`)", {String: "`c`"}),
    ],
)
def test_positions_cut_out_the_text_of_a_node(text: str, spans: dict[type, str]) -> None:
    nodes = {type(node): text[node.start : node.end] for node in walk(parse(text))}
    assert {kind: nodes[kind] for kind in spans} == spans


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("SUM(a) BY ()", "sum(a)"),
        ("sum(a) without ()", "sum without () (a)"),
        ("sum by (b, 'c d') (a)", 'sum by (b, "c d") (a)'),
        ("1e15 + 999999999999999 + 0.5 + -Inf", "1000000000000000.0 + 999999999999999 + 0.5 + -Inf"),
        ("5m + 1.5", "5m + 1.5"),
        ("0x1e + 1", "30 + 1"),
        ("a @ END()", "a @ end()"),
        ("a @ +5", "a @ 5.0"),
        ("a offset -(5m) + b", "a offset -(5m) + b"),
        ("a{b='\ue000'}", 'a{b="\ue000"}'),
        ("a offset -90s @ 5", "a @ 5.0 offset -1m30s"),
        ("a + ignoring () b", "a + b"),
        ("a + on () b", "a + on () b"),
        ("a / ignoring (x) group_right (y, z) b", "a / ignoring (x) group_right (y, z) b"),
        ("a[(1m):(2m)]", "a[(1m):(2m)]"),
    ],
)
def test_prints(text: str, printed: str) -> None:
    assert to_text(parse(text, LATEST)) == printed


@pytest.mark.parametrize(("seconds", "printed"), [(120.0, "2m"), (-0.5, "-500ms"), (0.0001, "0.0001"), (0.0, "0s")])
def test_a_duration_is_printed_as_one_unless_rounding_would_change_it(seconds: float, printed: str) -> None:
    assert duration_text(Number(seconds, 0, 0, is_duration=True)) == printed


def test_error_positions_across_lines() -> None:
    for text, where in [("\nfoo(a)", (2, 1)), ("foo(a)", (1, 1)), ("\n\n foo(a)", (3, 2))]:
        with pytest.raises(PromQLError) as caught:
            parse(text)
        assert (caught.value.line, caught.value.column) == where
