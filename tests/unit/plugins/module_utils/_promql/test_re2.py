# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RE2 is not Python's `re`: what it refuses, what it accepts, what matches the empty string."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql.re2 import RegexError, matches_empty


@pytest.mark.parametrize(
    "pattern",
    [
        "a**",
        "a*+",
        "a{2}{3}",
        "*a",
        "(|*)",
        "(?i)*",
        "a{1001}",
        "a{2,1}",
        "(a{100}){11}",
        "((x{10}){10}){11}",
        "(a",
        "a)",
        "[a",
        "[b-a]",
        "[a-\\d]",
        "[[:foo:]]",
        "\\1",
        "\\8",
        "\\q",
        "\\C",
        "\\x4",
        "\\x{110000}",
        "\\pX",
        "\\p{Klingon}",
        "\\p^L",
        "a\\",
        "(?x)",
        "(?-)",
        "(?=a)",
        "(?<=a)",
        "(?P<a-b>c)",
        "(?P=a)",
        "\udcff",
        "(" * 1001 + ")" * 1001,
        "(?:a{1000}){1}" * 4000,
    ],
)
def test_refuses(pattern: str) -> None:
    with pytest.raises(RegexError):
        matches_empty(pattern)


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
        "(a|)b",
        "é",
    ],
)
def test_accepts_what_needs_a_character(pattern: str) -> None:
    assert matches_empty(pattern) is False


@pytest.mark.parametrize(
    "pattern", ["", "a*", "a?", "(a|)", "a{0}", "a{0,5}", "^$", "\\A\\z", "\\B", "(?:)", "|a", ".*", "(a*)+", "\\Q\\E"]
)
def test_knows_what_matches_the_empty_string(pattern: str) -> None:
    assert matches_empty(pattern) is True
