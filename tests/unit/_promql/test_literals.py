# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers, durations and strings: values at the edges of what Go can hold."""

from __future__ import annotations

import math

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql.literals import (
    format_duration,
    parse_duration,
    parse_number,
    unquote,
)
from ansible_collections.ias.observability.plugins.module_utils._promql.printer import quote

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("1ms", 0.001),
        ("1s", 1),
        ("1m", MINUTE),
        ("1h", HOUR),
        ("1d", DAY),
        ("1w", 7 * DAY),
        ("1y", 365 * DAY),
        ("1y1w1d1h1m1s1ms", 373 * DAY + HOUR + MINUTE + 1.001),
        ("007s", 7),
        ("00000000000000000000001s", 1),
        ("9223372036854ms", 9223372036.854),  # 2^63 ns, nearly
    ],
)
def test_seconds_of_a_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "s", "1s1m", "1m1m", "1ms1s", "1s 1ms", "1x", "1m1", "1mx1s", "x1s", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid duration string"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9223372036855ms", "293y", "100000000000000000000000s", "292y1000000000000000s"])
def test_durations_beyond_an_int64_of_nanoseconds(text: str) -> None:
    with pytest.raises(ValueError, match="duration out of range"):
        parse_duration(text)


def test_what_is_wrong_is_shown_in_part() -> None:
    with pytest.raises(ValueError, match=f"not a valid duration string: '{'1' * 40}'$"):
        parse_duration("1" * 60)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0004, "0s"),
        (0.001, "1ms"),
        (1.5, "1s500ms"),
        (90, "1m30s"),
        (5400, "1h30m"),
        (90 * DAY, "90d"),
        (14 * DAY, "2w"),
        (15 * DAY, "15d"),
        (14 * DAY + 1, "14d1s"),
        (365 * DAY, "1y"),
        (366 * DAY, "366d"),
        (730 * DAY, "2y"),
        (-300, "-5m"),
        (math.inf, "inf"),
    ],
)
def test_durations_are_written_as_prometheus_does(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Inf", math.inf),
        ("0", 0),
        ("1_000.5", 1000.5),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("1E-3", 0.001),
        ("017", 15),
        ("0_17", 15),
        ("08", 8),
        ("01.5", 1.5),
        ("0777777777777777777777", 2.0**63),
        ("01000000000000000000000", 1e21),  # no int64: read as decimal
        ("0" * 100 + "7", 7),
        ("0x" + "0" * 100 + "7", 7),
        ("0x1F", 31),
        ("0X_1f", 31),
        ("0x1_0", 16),
        ("0x7fffffffffffffff", 2.0**63),
        ("0x1f1e", 0x1F1E),
    ],
)
def test_value_of_a_number(text: str, value: float) -> None:
    assert parse_number(text) == value
    assert isinstance(parse_number(text), float)


def test_not_a_number() -> None:
    assert math.isnan(parse_number("NaN"))


@pytest.mark.parametrize("text", ["0x8000000000000000", "0x" + "f" * 100, "1e309"])
def test_numbers_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match=f"^number out of range: '{text[:40]}'$"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1__0", "_1", "1_", "1e", "0x", "0x_", "0x1__0", "1.5_", "1" * 60 + "_"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=f"^bad number syntax: '{text[:40]}'$"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "following", "good"),
    [
        ("0x1e", "", False),  # an exponent without digits, to Go's lexer
        ("0x1e", " ", True),
        ("0x1e", "+", False),
        ("0x1e", ".", False),
        ("0x1e0", "", True),
        ("0x_e", "", True),
        ("0x1_e0", "", False),
        ("0x1f_E0", "", False),
        ("0x1e_e", "", False),
        ("0x1e1_e", " ", False),
        ("0x11e", "", True),
        ("0x1ee", "", False),
    ],
)
def test_what_looks_like_an_exponent_in_a_hexadecimal_number(text: str, following: str, good: bool) -> None:
    if good:
        assert parse_number(text, following) == int(text, 16)
    else:
        with pytest.raises(ValueError, match="bad number syntax"):
            parse_number(text, following)


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("`a\\n`", "a\\n"),
        ('"plain"', "plain"),
        (r'"\a\b\f\n\r\t\v\\\""', '\a\b\f\n\r\t\v\\"'),
        (r"'\''", "'"),
        (r'"\101\x41\u0041\U00000041"', "AAAA"),
        (r'"\x7f\177"', "\x7f\x7f"),
        (r'"\xc3\xa9 \303\251"', "é é"),
        (r'"\x80"', "\udc80"),
        (r'"\377"', "\udcff"),
        (r'"\ud7ff\ue000\U0010ffff"', "\ud7ff\ue000\U0010ffff"),
        (r'"a\tb\tc"', "a\tb\tc"),
    ],
)
def test_value_of_a_string(token: str, value: str) -> None:
    assert unquote(token) == value


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (r'"a\dx"', r"unknown escape sequence '\\\\d' \("),
        (r'"\x4"', r"unknown escape sequence '\\\\x'"),
        (r'"\'"', r"unknown escape sequence \"\\\\'\"$"),
        (r"""'\"'""", r"""unknown escape sequence '\\\\"'$"""),
        (r'"\400"', r"'\\\\400' is not a byte"),
        (r'"\ud800"', "invalid Unicode code point"),
        (r'"\udfff"', "invalid Unicode code point"),
        (r'"\U00110000"', "invalid Unicode code point"),
    ],
)
def test_escapes_that_go_refuses(token: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unquote(token)


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ('\\ " \n \t \r', r'"\\ \" \n \t \r"'),
        ("\x00\x1f\x7f\ufffd", r'"\u0000\u001f\u007f\ufffd"'),
        ("\x20é\x80", '"\x20é\x80"'),
        ("\udc80\udcff", r'"\x80\xff"'),
    ],
)
def test_a_value_is_quoted_and_read_again(value: str, token: str) -> None:
    assert quote(value) == token
    assert unquote(token) == value
