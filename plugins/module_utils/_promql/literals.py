# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers, durations and strings of PromQL: text to value."""

from __future__ import annotations

import math
import re
from functools import lru_cache

_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_ORDER = {unit: position for position, unit in enumerate(_UNITS)}
_PART = re.compile(r"([0-9]+)(ms|[ywdhms])")
_LONGEST_MS = (1 << 63) // 1_000_000
_INT64_MAX = (1 << 63) - 1

_OCTAL = re.compile(r"0[0-7]*(?:_[0-7]+)*")
_DECIMAL = re.compile(
    r"(?:[0-9]+(?:_[0-9]+)*(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?"
)
_HEX = re.compile(r"0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*")
# The lexer of Prometheus takes an "e" of a hexadecimal number for an exponent where it looks for one.
_HEX_EXPONENT = re.compile(r"0[xX]_?[0-9a-fA-F][eE]")
_HEX_TORN = re.compile(r"[0-9a-fA-F]_[eE]")

_ESCAPE = re.compile(r"\\(?:([abfnrtv\\'\"])|([0-7]{3})|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_CONTROL = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MAX_BYTE, _MAX_RUNE = 0xFF, 0x10FFFF
_USUAL_LENGTH = 20
"""The few numbers and durations that rules are made of are remembered, up to this many characters."""


def parse_duration(text: str) -> float:
    """Seconds of a duration such as 1h30m. ValueError says what is wrong."""
    return _usual_duration(text) if len(text) < _USUAL_LENGTH else _duration(text)


def _duration(text: str) -> float:
    if text == "0":
        return 0.0
    total, end, last = 0, 0, -1
    for part in _PART.finditer(text):
        order = _ORDER[part[2]]
        if part.start() != end or order <= last:
            break
        last, end = order, part.end()
        # twenty digits are out of range in every unit; more would only cost time
        total += int(part[1].lstrip("0")[:20] or 0) * _UNITS[part[2]]
        if total > _LONGEST_MS:
            raise ValueError("duration out of range")
    if end != len(text) or not text:
        raise ValueError(f"not a valid duration string: {text[:40]!r}")
    return total / 1000


_usual_duration = lru_cache(maxsize=1024)(_duration)


def format_duration(seconds: float) -> str:
    """The way Prometheus writes it: 90d, 1h30m, 500ms."""
    if not math.isfinite(seconds):
        return f"{seconds}"
    millis = round(abs(seconds) * 1000)
    if millis == 0:
        return "0s"
    text = "-" if seconds < 0 else ""
    for unit, size in _UNITS.items():
        if unit in {"y", "w"} and millis % size:
            continue
        count, millis = divmod(millis, size)
        if count:
            text += f"{count}{unit}"
    return text


def parse_number(text: str, following: str = "") -> float:
    """The value of a number token; `following` is the character behind it. ValueError says what is wrong."""
    return _usual_number(text, following) if len(text) < _USUAL_LENGTH else _number(text, following)


def _number(text: str, following: str) -> float:
    word = text.lower()
    if word in {"inf", "nan"}:
        return float(word)
    if _HEX.fullmatch(text):
        if _HEX_TORN.search(text) or _ends_in_exponent(text, following):
            raise ValueError(f"bad number syntax: {text[:40]!r}")
        value = int(text, 16)
        if value > _INT64_MAX:
            raise ValueError(f"number out of range: {text[:40]!r}")
        return float(value)
    if _OCTAL.fullmatch(text) and (value := int(text.replace("_", ""), 8)) <= _INT64_MAX:
        return float(value)
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"bad number syntax: {text[:40]!r}")
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"number out of range: {text[:40]!r}")
    return number


_usual_number = lru_cache(maxsize=1024)(_number)


def _ends_in_exponent(text: str, following: str) -> bool:
    """Whether Prometheus' lexer takes a hexadecimal digit for an exponent, and misses what must follow one."""
    exponent = _HEX_EXPONENT.match(text)
    return exponent is not None and (text + following)[exponent.end() :][:1] in "+-._eE"


def unquote(token: str) -> str:
    """The value of a quoted string. ValueError says what is wrong."""
    body = token[1:-1]
    if token[0] == "`" or "\\" not in body:
        return body
    parts: list[str] = []
    done = 0
    while (at := body.find("\\", done)) >= 0:
        match = _ESCAPE.match(body, at)
        if match is None:
            raise ValueError(f"unknown escape sequence {body[at : at + 2]!r} (write a backslash as \\\\)")
        parts.append(body[done:at])
        parts.append(_escaped(match, token[0]))
        done = match.end()
    parts.append(body[done:])
    text = "".join(parts)
    # bytes written as \xNN or \NNN make up UTF-8 together
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _escaped(match: re.Match[str], quote: str) -> str:
    char, octal, byte, short, long = match.groups()
    if char is not None:
        if char in "'\"" and char != quote:
            raise ValueError(f"unknown escape sequence {match[0]!r}")
        return _CONTROL.get(char, char)
    if octal is not None or byte is not None:
        value = int(octal, 8) if octal is not None else int(byte, 16)
        if value > _MAX_BYTE:
            raise ValueError(f"escape sequence {match[0]!r} is not a byte")
        return chr(value) if value < 0x80 else chr(0xDC00 + value)
    value = int(short or long, 16)
    if value > _MAX_RUNE or 0xD800 <= value < 0xE000:
        raise ValueError(f"escape sequence {match[0]!r} is an invalid Unicode code point")
    return chr(value)
