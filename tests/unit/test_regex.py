# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regular expressions: the same matches as Python's, without its time."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._regex import BUDGET, Budget, RegexError, compiled


def search(pattern: str, text: str, flags: str = "") -> list[str | None] | None:
    return compiled(pattern, flags).search(text, Budget())


ATOMS = st.sampled_from(["a", "b", "c", ".", r"\w", r"\d", "[ab]", "[^a]", "[a-c.]", r"\.", "^", "$", r"\b", "-"])
REPEATS = st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{1,}", "{0,2}?"])


def repeated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A group is only repeated where it takes something: empty rounds of a loop mean another thing to each engine."""
    return st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(inner, inner).map("|".join).map("({})".format),
        inner.map("(?:{})".format),
        st.tuples(inner, REPEATS).map(lambda pair: f"(a{pair[0]}b){pair[1]}"),
    )


PATTERNS = st.recursive(
    st.tuples(ATOMS, REPEATS).map(lambda pair: pair[0] if pair[0] in {"^", "$", r"\b"} else "".join(pair)), repeated
)


@settings(max_examples=1000, deadline=None)
@given(PATTERNS, st.text("abc.1- \n", max_size=12))
def test_matches_as_python_does(pattern: str, text: str) -> None:
    found = re.compile(pattern.replace("$", r"\Z"), re.ASCII).search(text)
    assert search(pattern, text) == (None if found is None else [found[0], *found.groups()])


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "found"),
    [
        ("API", "i", "my-api", ["api"]),
        ("^b$", "m", "a\nb\nc", ["b"]),
        ("^b$", "", "a\nb\nc", None),
        ("a.b", "s", "a\nb", ["a\nb"]),
        ("a.b", "", "a\nb", None),
        (r"(?<text>\w+)-(?P<value>\d+)", "", "x-12", ["x-12", "x", "12"]),
        (r"a\/b\x2d\u00e9", "", "a/b-é", ["a/b-é"]),
        ("a{,3}", "", "a{,3}", ["a{,3}"]),
        ("[]a]+[[&|~]", "", "x]a[", ["]a["]),
        ("(a)|b", "", "b", ["b", None]),
        ("", "", "", [""]),
    ],
)
def test_what_javascript_and_re2_write(pattern: str, flags: str, text: str, found: list[str | None] | None) -> None:
    assert search(pattern, text, flags) == found


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=a)", "'(?=a' (character 1) is not understood here"),
        ("(?<!a)b", "'(?<!' (character 1)"),
        (r"(a)\1", r"(character 4) is not understood here"),
        (r"\p{L}", r"(character 1)"),
        ("(", "a bracket is not closed"),
        ("a)", "a bracket is closed that is not open (character 2)"),
        ("[a", "'[a' (character 1)"),
        ("[z-a]", "bad character range"),
        ("*", "nothing stands before '*'"),
        ("a{2,1}", "'{2,1}' is no range"),
        ("a{999999999}", "more than 2000 steps"),
        ("(?:){999999999}", "more than 2000 steps"),
        ("((a{100}){100}){100}", "more than 2000 steps"),
        ("(" * 100 + ")" * 100, "nests deeper than 50 levels"),
        ("a|" * 1_000_000, "more than 2000 characters"),
        ("a\\", "(character 2)"),
    ],
)
def test_what_is_not_understood_is_said_at_once(pattern: str, message: str) -> None:
    start = time.process_time()
    with pytest.raises(RegexError, match=re.escape(message)):
        compiled(pattern)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(\S+)+!$", "a" * 37),
        ("(a+b?)+c", "a" * 5000),
        ("(a|a)*$", "a" * 5000 + "b"),
        ("(.*)*x", "a" * 5000),
        (".*a" * 20, "a" * 3000 + "b"),
        ("(a?){100}a{100}$", "a" * 2000),
        ("((a*)*)*b", "a" * 5000),
    ],
)
def test_what_would_take_others_for_ever(pattern: str, text: str) -> None:
    start = time.process_time()
    with suppress(RegexError):  # it says so where the budget ends
        search(pattern, text)
    assert time.process_time() - start < 5


def test_one_budget_for_many_texts() -> None:
    pattern, budget = compiled("(a|b|ab)*c"), Budget()
    pattern.search("ab" * 50, budget)
    texts = BUDGET // (BUDGET - budget.left)
    for _ in range(texts - 1):
        pattern.search("ab" * 50, budget)
    with pytest.raises(RegexError, match="too long"):
        pattern.search("ab" * 50, budget)
