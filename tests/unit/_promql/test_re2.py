# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RE2 is not Python's `re`: what it refuses, what it accepts, what matches the empty string."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql.re2 import RegexError, matches_empty

# pattern, message and position; the messages are those of Go's regexp/syntax
REFUSED = [
    ("a**", "invalid nested repetition operator: `**`", 2),
    ("xa*{2}", "invalid nested repetition operator: `*{2}`", 3),
    ("a{2}{3}", "invalid nested repetition operator", 4),
    ("a*?+", "invalid nested repetition operator", 3),
    ("*a", "missing argument to repetition operator: `*`", 0),
    ("+", "missing argument to repetition operator: `+`", 0),
    ("(|*)", "missing argument to repetition operator: `*`", 2),
    ("(?i)*", "missing argument to repetition operator: `*`", 4),
    ("a|?b", "missing argument to repetition operator: `?`", 2),
    ("a*|*", "missing argument to repetition operator: `*`", 3),
    ("a{1001}", "invalid repeat count: `{1001}`", 1),
    ("a{1001,}", "invalid repeat count: `{1001,}`", 1),
    ("a{1,1001}", "invalid repeat count: `{1,1001}`", 1),
    ("a{2,1}", "invalid repeat count: `{2,1}`", 1),
    ("a{10000000000}", "invalid repeat count: `{10000000000}`", 1),
    ("a{0,10000000000}", "invalid repeat count: `{0,10000000000}`", 1),
    ("(a{100}){11}", "invalid repeat count: `{11}`", 8),
    ("((x{10}){10}){11}", "invalid repeat count: `{11}`", 13),
    ("(a{2,}){501}", "invalid repeat count: `{501}`", 7),
    ("(a{501}){2}", "invalid repeat count: `{2}`", 8),
    ("((a{500}){0,}){3}", "invalid repeat count: `{3}`", 14),
    ("(a{2}){501,}", "invalid repeat count: `{501,}`", 6),
    ("(a{0}){1001}", "invalid repeat count: `{1001}`", 6),
    ("(a{500}b{3}){3}", "invalid repeat count: `{3}`", 12),
    ("(?:a{3}|b{500}){3}", "invalid repeat count: `{3}`", 15),
    ("(a", "missing closing ): `(a`", 2),
    ("(a|(b)", "missing closing ): `(a|(b)`", 6),
    ("a)", "unexpected ): `a)`", 1),
    ("[", "missing closing ]: `[`", 0),
    ("[^", "missing closing ]: `[^`", 0),
    ("[]", "missing closing ]: `[]`", 0),
    ("[a-", "missing closing ]: `[a-`", 0),
    ("b" * 21 + "[a-", "missing closing ]: `[a-`", 21),
    ("[[:alpha:", "missing closing ]: `[[:alpha:`", 0),
    ("[b-a]", "invalid character class range: `b-a`", 1),
    ("xx[b-a]", "invalid character class range: `b-a`", 3),
    ("[b-\\a]", "invalid character class range: `b-\\a`", 1),
    ("[a-\\d]", "invalid escape sequence: `\\d`", 3),
    ("[[:foo:]]", "invalid character class range: `[:foo:]`", 1),
    ("[[:^foo:]]x", "invalid character class range: `[:^foo:]`", 1),
    ("\\1", "invalid escape sequence: `\\1`", 0),
    ("\\8", "invalid escape sequence: `\\8`", 0),
    ("ab\\q", "invalid escape sequence: `\\q`", 2),
    ("\\C", "invalid escape sequence: `\\C`", 0),
    ("\\x4", "invalid escape sequence", 0),
    ("\\x{110000}", "invalid escape sequence", 0),
    ("\\pX", "invalid character class range: `\\pX`", 0),
    ("\\p{Klingon}", "invalid character class range: `\\p{Klingon}`", 0),
    ("\\p^L", "invalid character class range: `\\p^`", 0),
    ("\\p", "invalid character class range: `\\p`", 0),
    ("a\\p{L", "invalid character class range: `\\p`", 1),
    ("[\\pX]", "invalid character class range: `\\pX`", 1),
    ("a\\", "trailing backslash at end of expression", 1),
    ("[\\", "trailing backslash at end of expression", 1),
    ("(?x)", "invalid or unsupported Perl syntax", 0),
    ("(?-)", "invalid or unsupported Perl syntax: `(?-)`", 0),
    ("a(?=b)", "invalid or unsupported Perl syntax", 1),
    ("(?P=a)", "invalid or unsupported Perl syntax", 0),
    ("(?<=a)", "invalid named capture", 0),
    ("(?P<a-b>c)", "invalid named capture", 0),
    ("(?<a", "invalid named capture: `(?<a`", 0),
    ("a\udcff", "invalid UTF-8", 1),
    ("\ud800", "invalid UTF-8", 0),
    ("\udfff", "invalid UTF-8", 0),
    ("(" * 1001 + ")" * 1001, "expression nests too deeply", 2000),
    ("(" * 600 + "a" + ")*" * 600, "expression nests too deeply", 1600),
    ("(a|" * 600 + "b" + ")" * 600, "expression nests too deeply", 2300),
]


@pytest.mark.parametrize(("pattern", "message", "position"), REFUSED, ids=range(len(REFUSED)))
def test_refuses(pattern: str, message: str, position: int) -> None:
    with pytest.raises(RegexError) as caught:
        matches_empty(pattern)
    assert message in caught.value.message
    assert caught.value.position == position


def test_what_is_wrong_is_shown_in_part() -> None:
    with pytest.raises(RegexError, match=r"^missing closing \]: `\[a{19}`$"):
        matches_empty("b[" + "a" * 30)
    with pytest.raises(RegexError, match=r"^invalid escape sequence: `\\x\{110000000`$"):
        matches_empty("\\x{" + "110000000" + "0" * 20 + "}")


@pytest.mark.parametrize(
    ("low", "high"),
    [
        *[("\\006", "\\a"), ("\\a", "\\010"), ("\\010", "\\t"), ("\\t", "\\n"), ("\\n", "\\v"), ("\\v", "\\f")],
        *[("\\f", "\\r"), ("\\r", "\\x0e"), ("@", "\\x41"), ("A", "\\x{42}"), ("\\101", "B"), ("+", "-"), ("\\.", "/")],
        *[("\ud7ff", "\ue000"), ("y", "\\x{10FFFF}"), ("\\0", "\\1" + "0")],
    ],
)
def test_order_in_a_range_is_that_of_the_code_points(low: str, high: str) -> None:
    assert matches_empty(f"[{low}-{high}]") is False
    with pytest.raises(RegexError, match="invalid character class range"):
        matches_empty(f"[{high}-{low}]")


@pytest.mark.parametrize(
    ("part", "size", "repeat"),
    [
        *[
            ("a", 1, 1000),
            ("ab", 2, 1000),
            ("a*", 3, 1000),
            ("(?:ab)*", 4, 1000),
            ("a+", 2, 1000),
            ("a?", 2, 1000),
            ("(ab)", 4, 1000),
        ],
        *[
            ("(?P<n>ab)", 4, 1000),
            ("ab|cd", 5, 1000),
            ("ab|cd|ef", 8, 1000),
            ("", 1, 1000),
            ("a{0}", 1, 1000),
            ("ab{0,}", 4, 1000),
        ],
        *[("a{1,3}", 5, 333), ("a{2,}", 3, 500), ("(?:ab){3,}", 7, 333), ("(?:ab){3}", 6, 333), ("ab?", 3, 1000)],
    ],
)
def test_the_program_is_as_large_as_in_go(part: str, size: int, repeat: int) -> None:
    """128 MiB at 40 bytes an instruction; found with promtool, which takes the one and refuses the other."""
    times = 3_355_443 // (repeat * size)
    repeated = f"(?:{part}){{{repeat}}}"
    assert isinstance(matches_empty(repeated * times), bool)
    with pytest.raises(RegexError, match="expression too large"):
        matches_empty(repeated * (times + 1))


def test_long_patterns_are_judged_as_short_ones() -> None:
    for length in (199, 200, 201, 5000):
        assert matches_empty("a" * length) is False
        assert matches_empty("a*" * length) is True


@pytest.mark.parametrize(
    "nested", ["(?:" * 1100 + "a" + ")" * 1100, "(a|" * 400 + "b" + ")" * 400, "(" * 998 + "a" + ")" * 998]
)
def test_nests_as_deep_as_in_go(nested: str) -> None:
    assert matches_empty(nested) is False


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "a+?b",
        "[]a]",
        "[^]-]b",
        "[a-z\\d\\pN[:alpha:][:^digit:]-]",
        "\\.\\-\\_\\/",
        "\\123\\07\\x41\\x{1F600}",
        "(?i)a(?-s:b)(?P<name>c)(?<name>d)",
        "{1",
        "a{,3}",
        "a{01}",
        "\\Qa*(\\E",
        "\\Q*",
        "\\p{Greek}\\PL\\p{^Lu}",
        "\\b",
        "(a{10}){100}",
        "a{1000}",
        "(a{2,}){500}",
        "((a{2}){0}){501}b",
        "(a{500}b{3}){2}",
        "(?:a{3}|b{500}){2}",
        "[[:]",
        "[a-]",
        "[[:alpha:]-]",
        *("x" * shift + "[[:alpha:]]y" for shift in range(4)),
        "[[:^alpha:]x]",
        "[\\d-z]",
        "\\bx",
        "x\\Qa*\\E+",
        "a*\\Qb",
        "a*(b)*(?i)c*d",
        "\\Q\\Ea",
        "a{2}b{3}?",
        "(a|)b",
        "é",
    ],
)
def test_accepts_what_needs_a_character(pattern: str) -> None:
    assert matches_empty(pattern) is False


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a*",
        "a?",
        "(a|)",
        "a{0}",
        "a{0,5}",
        "^$",
        "\\A\\z",
        "\\B",
        "(?:)",
        "|a",
        ".*",
        "[ab]*",
        "[ab]?(c|)",
        "(a*)+",
        "\\Q\\E",
    ],
)
def test_knows_what_matches_the_empty_string(pattern: str) -> None:
    assert matches_empty(pattern) is True
