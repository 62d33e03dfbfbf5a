# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns of users: what they match, and that no pattern and no text takes long."""

from __future__ import annotations

import random
import re
import time
from contextlib import suppress

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import patterns
from ansible_collections.ias.observability.plugins.module_utils._promql.patterns import accepts
from ansible_collections.ias.observability.plugins.module_utils._promql.re2 import RegexError, matches_empty


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "", True),
        ("api|web", "web", True),
        ("api|web", "webs", False),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?i)stra\u017fe", "STRASSE", False),
        ("(?i)\u017f", "S", True),
        ("(?i)[k]", "\u212a", True),
        ("(?i:A)b", "ab", True),
        ("(?i:A)b", "aB", False),
        ("a(?i)b|c", "C", True),
        ("(a(?i)b)c", "aBC", False),
        (r"\d+", "٣", False),
        (r"\w\W\s\S\D", "_- x-", True),
        (r"[\d\-x]+", "1-x", True),
        (r"[^\d]", "a", True),
        (r"[[:alpha:]]+[[:^digit:]]", "ab-", True),
        ("[]a]+", "]a", True),
        ("[^]a]", "]", False),
        ("[a-]", "-", True),
        (r"\pL\p{Lu}\P{L}\p{^Nd}", "äÄ1x", True),
        (r"\x41\x{1F600}\101\n\a", "A\U0001f600A\n\a", True),
        (r"\Qa.b*\E+", "a.b**", True),
        (r"\Qa.b", "axb", False),
        (r"\Aa\z", "a", True),
        (r"a\b.\Bb", "a.b", False),
        (r"a\b.\bb", "a.b", True),
        ("(?m)^a$\n^b$", "a\nb", True),
        ("^a$\n^b$", "a\nb", False),
        ("a{2,3}", "aaaa", False),
        ("a{2,3}", "aaa", True),
        ("a{2,}", "aaaaaa", True),
        ("a{0}b", "b", True),
        ("x{,2}", "x{,2}", True),
        ("(?U)a+?b", "aab", True),
        ("(|a)*b", "aab", True),
        ("(?:)*", "", True),
    ],
)
def test_all_of_a_text(pattern: str, text: str, *, matches: bool) -> None:
    assert patterns.compile(pattern).fullmatch(text) is matches


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        ("b", "abc", ["b"]),
        ("(a)|(b)", "b", ["b", None, "b"]),
        ("(a+)(a*)", "xaaa", ["aaa", "aaa", ""]),
        ("(a+?)(a*)", "xaaa", ["aaa", "a", "aa"]),
        ("a|ab", "ab", ["a"]),
        ("(?:(a)|b)*", "ab", ["ab", "a"]),
        ("$", "ab", [""]),
        ("(?i)(B)", "ab", ["b", "b"]),
    ],
)
def test_the_first_place(pattern: str, text: str, groups: list[str | None]) -> None:
    compiled = patterns.compile(pattern)
    match = compiled.search(text)
    assert match is not None
    assert [match[group] for group in range(compiled.groups + 1)] == groups


def test_named_groups() -> None:
    compiled = patterns.compile("(?P<text>.*) (?<value>[0-9]+)")
    match = compiled.search("a b 12")
    assert match is not None
    assert (dict(compiled.groupindex), match["value"], match["text"]) == ({"text": 1, "value": 2}, "12", "a b")
    assert compiled.search("a") is None


def _pattern(random_: random.Random, depth: int) -> str:
    if not depth or random_.random() < 0.35:
        return random_.choice(["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\d", r"\s", "^", "$", "[a-c_]", "A", "\n"])
    if random_.random() < 0.4:
        return _pattern(random_, depth - 1) + _pattern(random_, depth - 1)
    inner = _pattern(random_, depth - 1)
    if random_.random() < 0.4:
        return f"({inner}|{_pattern(random_, depth - 1)})"
    # Perl and RE2 differ in what repeats nothing
    return (
        inner
        if matches_empty(inner)
        else f"({inner})" + random_.choice(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}"])
    )


def test_as_python_where_both_mean_the_same() -> None:
    random_ = random.Random(7)
    for _round in range(1500):
        pattern = random_.choice(["", "(?i)", "(?s)", "(?m)"]) + _pattern(random_, 4)
        ours = patterns.compile(pattern)
        theirs = re.compile(pattern if pattern.startswith("(?m)") else pattern.replace("$", r"\Z"), re.ASCII)
        for _text in range(4):
            text = "".join(random_.choices("abcA_ .\n1", k=random_.randrange(8)))
            assert ours.fullmatch(text) is (theirs.fullmatch(text) is not None), (pattern, text)
            found, expected = ours.search(text), theirs.search(text)
            groups = None if found is None else [found[group] for group in range(ours.groups + 1)]
            assert groups == (None if expected is None else [expected[0], *expected.groups()]), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+b?)+", "a" * 5_000 + "!"),
        (r"(\S+)+!", "x" * 5_000),
        ("(a|a)*(a|aa)+$", "a" * 5_000 + "b"),
        ("(.*)*(.*)*(.*)*x", "y" * 5_000),
        ("(((a?){30}){30})", "a" * 5_000),
        ("(a?){500}a{500}", "a" * 499),
        ("[ab]{0,1000}c", "ab" * 5_000),
        ("(x+x+)+y", "x" * 50_000),
        ("(?i)" + "(a|b|ab)*" * 20 + "c", "ab" * 2_000),
        (".*a.{12}", "ab" * 20_000),
        ("(a|b)*a(a|b){14}", "".join(random.Random(1).choices("ab", k=20_000))),
    ],
)
def test_no_pattern_takes_long(pattern: str, text: str) -> None:
    """Either an answer, or none: both within a bound on the steps, whatever the pattern."""
    before = time.process_time()
    for _again in range(2):
        accepts(pattern, text)
        with suppress(RegexError):
            patterns.compile(pattern).search(text)
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    "pattern", ["(", "a**", "(?=a)", r"\1", "a{1001}", r"(a{100}){11}", "((a{10}){10}){10}b{999}" * 9]
)
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError):
        patterns.compile(pattern)
    assert accepts(pattern, "a") is None


def test_long_lists_of_names_are_judged() -> None:
    names = [f"namespace-{number}" for number in range(500)]
    assert accepts("|".join(names), names[-1]) is True
    assert accepts("|".join(names), "namespace") is False


def test_scripts_are_not_known() -> None:
    assert accepts(r"\p{Greek}", "ж") is None
