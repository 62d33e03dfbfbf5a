# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Syntax check of regular expressions as RE2 (Go's regexp/syntax, Perl flags) sees them.

Python's `re` accepts other things, so matchers cannot be checked with it. The checker walks the pattern once
with a stack of open groups; all it keeps of a sub-expression is whether it matches the empty string, how often
it may be repeated at most and how large its program gets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

MAX_REPEAT = 1000
MAX_HEIGHT = 1000
MAX_SIZE = (128 << 20) // 40

_LITERALS = re.compile(r"[A-Za-z0-9_/:;,<>=@#%&!~\"'` \-]+")
COUNT = re.compile(r"\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}")
FLAGS = re.compile(r"\(\?(?:[imsU]*|[imsU]*-[imsU]+)([:)])")
CAPTURE = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_ESCAPE = re.compile(
    r"\\(?:[afnrtv]|0[0-7]{0,2}|[1-7][0-7]{1,2}|x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]+\}|[\x00-/:-@\[-`{-\x7f])", re.DOTALL
)
_UNICODE_CLASS = re.compile(r"\\[pP](?:\{\^?([^}]*)\}|([^{]))", re.DOTALL)
_POSIX_NAMES = frozenset(
    {
        *("alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph"),
        *("lower", "print", "punct", "space", "upper", "word", "xdigit"),
    }
)
_CLASS_ESCAPES = frozenset("dDsSwW")
_SIMPLE_ESCAPES = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}

_UNICODE = """
    Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki
    Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee
    Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan
    Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi
    Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani
    Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari
    New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian
    Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong
    Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian
    Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le
    Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai
    Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square
"""
UNICODE_NAMES = frozenset(_UNICODE.split())


class RegexError(ValueError):
    """The pattern is not RE2; `position` is an offset into it."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


@dataclass(slots=True)
class _Item:
    """What is kept of a parsed sub-expression."""

    empty: bool
    repeats: int = 1
    size: int = 1
    height: int = 1


_LITERAL = _Item(empty=False)
_EMPTY = _Item(empty=True)


@dataclass(slots=True)
class _Group:
    """An open parenthesis: finished alternatives and the items of the current one."""

    capture: bool = False
    alternatives: list[_Item] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)

    def end_alternative(self) -> None:
        items = self.items
        if len(items) == 1:
            self.alternatives.append(items[0])
        else:
            self.alternatives.append(
                _Item(
                    empty=all(item.empty for item in items),
                    repeats=max((item.repeats for item in items), default=1),
                    size=max(1, sum(item.size for item in items)),
                    height=1 + max((item.height for item in items), default=0),
                )
            )
        self.items = []

    def close(self) -> _Item:
        self.end_alternative()
        parts = self.alternatives
        item = parts[0]
        if len(parts) > 1:
            item = _Item(
                empty=any(part.empty for part in parts),
                repeats=max(part.repeats for part in parts),
                size=sum(part.size for part in parts) + len(parts) - 1,
                height=1 + max(part.height for part in parts),
            )
        if self.capture:
            item = _Item(item.empty, item.repeats, item.size + 2, item.height + 1)
        return item


def matches_empty(pattern: str) -> bool:
    """True when the (anchored) pattern matches the empty string. RegexError when it is not RE2."""
    return _remembered(pattern) if len(pattern) < 200 else _Checker(pattern).run()


@lru_cache(maxsize=4096)
def _remembered(pattern: str) -> bool:
    return _Checker(pattern).run()


class _Checker:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = [_Group()]
        self.last_posix_end = pattern.rfind(":]")
        self.repeated = False
        """The item before was a repetition: another one right behind it is an error."""
        self.readers: dict[str, Callable[[], None]] = {
            "(": self._open,
            ")": self._close,
            "|": self._bar,
            "[": self._class,
            "{": self._count,
            "\\": self._backslash,
            "*": self._star,
            "+": self._plus,
            "?": self._quest,
            "^": self._assertion,
            "$": self._assertion,
        }

    def run(self) -> bool:
        pattern = self.pattern
        if not pattern.isascii():
            self._check_text()
        end = len(pattern)
        while self.at < end:
            literals = _LITERALS.match(pattern, self.at)
            if literals is not None:
                self._literals(literals.end() - self.at)
                continue
            reader = self.readers.get(pattern[self.at])
            if reader is None:
                self._literals(1)
            else:
                reader()
        if len(self.groups) != 1:
            raise RegexError(f"missing closing ): `{pattern}`", end)
        return self._limited(self.groups[0].close()).empty

    def _check_text(self) -> None:
        for index, char in enumerate(self.pattern):
            if 0xD800 <= ord(char) < 0xE000:
                raise RegexError("invalid UTF-8", index)

    def _literals(self, count: int) -> None:
        items = self.groups[-1].items
        if count > 1:
            items.append(_Item(empty=False, size=count - 1))
        items.append(_LITERAL)
        self.at += count
        self.repeated = False

    def _push(self, item: _Item, length: int) -> None:
        self.groups[-1].items.append(item)
        self.at += length
        self.repeated = False

    def _assertion(self) -> None:
        self._push(_EMPTY, 1)

    def _open(self) -> None:
        pattern, at = self.pattern, self.at
        self.repeated = False
        if not pattern.startswith("(?", at):
            self.groups.append(_Group(capture=True))
            self.at += 1
            return
        capture = CAPTURE.match(pattern, at)
        if capture is not None:
            self.groups.append(_Group(capture=True))
            self.at = capture.end()
            return
        flags = FLAGS.match(pattern, at)
        if flags is None:
            what = "named capture" if pattern.startswith(("(?<", "(?P<"), at) else "or unsupported Perl syntax"
            raise RegexError(f"invalid {what}: `{pattern[at : at + 4]}`", at)
        if flags[1] == ":":
            self.groups.append(_Group())
        self.at = flags.end()

    def _close(self) -> None:
        if len(self.groups) == 1:
            raise RegexError(f"unexpected ): `{self.pattern}`", self.at)
        item = self.groups.pop().close()
        self._push(self._limited(item), 1)

    def _bar(self) -> None:
        self.groups[-1].end_alternative()
        self.at += 1
        self.repeated = False

    def _star(self) -> None:
        self._repeat(0, -1, 1, counted=False)

    def _plus(self) -> None:
        self._repeat(1, -1, 1, counted=False)

    def _quest(self) -> None:
        self._repeat(0, 1, 1, counted=False)

    def _count(self) -> None:
        match = COUNT.match(self.pattern, self.at)
        if match is None:
            self._literals(1)
            return
        low, comma, high = match.groups()
        length = len(match[0])
        # ten digits are far beyond the limit already, and a number of any length must not cost time
        minimum = int(low[:10])
        maximum = int(high[:10]) if high else (-1 if comma else minimum)
        if minimum > MAX_REPEAT or maximum > MAX_REPEAT or 0 <= maximum < minimum:
            raise RegexError(f"invalid repeat count: `{match[0]}`", self.at)
        self._repeat(minimum, maximum, length, counted=True)

    def _repeat(self, low: int, high: int, length: int, *, counted: bool) -> None:
        pattern, at = self.pattern, self.at
        end = at + length
        if pattern.startswith("?", end):
            end += 1
        if self.repeated:
            raise RegexError(f"invalid nested repetition operator: `{pattern[at - 1 : end]}`", at)
        items = self.groups[-1].items
        if not items:
            raise RegexError(f"missing argument to repetition operator: `{pattern[at:end]}`", at)
        item = items.pop()
        repeats = item.repeats
        if counted:
            times = high if high >= 0 else low
            repeats = times * max(item.repeats, 1) if times else max(item.repeats * (high < 0), 0)
            if max(low, high) >= 2 and repeats > MAX_REPEAT:
                raise RegexError(f"invalid repeat count: `{pattern[at:end]}`", at)
        item = _Item(item.empty or low == 0, repeats, _repeated_size(item.size, low, high), item.height + 1)
        items.append(self._limited(item))
        self.at = end
        self.repeated = True

    def _limited(self, item: _Item) -> _Item:
        if item.size > MAX_SIZE:
            raise RegexError("expression too large", self.at)
        if item.height > MAX_HEIGHT:
            raise RegexError("expression nests too deeply", self.at)
        return item

    def _backslash(self) -> None:
        pattern, at = self.pattern, self.at
        following = pattern[at + 1 : at + 2]
        if following in {"A", "z", "B"}:
            self._push(_EMPTY, 2)
        elif following == "b":
            self._push(_LITERAL, 2)  # an empty text has no word boundary
        elif following == "Q":
            self._quoted()
        elif following in _CLASS_ESCAPES:
            self._push(_LITERAL, 2)
        elif following in {"p", "P"}:
            self._push(_LITERAL, unicode_class(pattern, at)[1])
        else:
            self._push(_LITERAL, escape(pattern, at)[1])

    def _quoted(self) -> None:
        start = self.at + 2
        end = self.pattern.find("\\E", start)
        stop = len(self.pattern) if end < 0 else end
        if stop > start:
            self.at = start
            self._literals(stop - start)
        self.at = stop if end < 0 else end + 2
        self.repeated = False

    def _class(self) -> None:
        pattern, start = self.pattern, self.at
        at = start + 1
        if pattern.startswith("^", at):
            at += 1
        first = True
        while first or not pattern.startswith("]", at):
            if at >= len(pattern):
                raise RegexError(f"missing closing ]: `{pattern[start : start + 20]}`", start)
            first = False
            at = self._class_item(at, start)
        self._push(_LITERAL, at + 1 - start)

    def _class_item(self, at: int, start: int) -> int:
        """The end of the class member at `at`: a named class, an escape class, a character or a range."""
        pattern = self.pattern
        if pattern.startswith("[:", at) and self.last_posix_end >= at + 2:
            end = pattern.index(":]", at + 2)
            if pattern[at + 2 : end].removeprefix("^") not in _POSIX_NAMES:
                raise RegexError(f"invalid character class range: `{pattern[at : end + 2]}`", at)
            return end + 2
        if pattern.startswith(("\\p", "\\P"), at):
            return at + unicode_class(pattern, at)[1]
        if pattern[at] == "\\" and pattern[at + 1 : at + 2] in _CLASS_ESCAPES:
            return at + 2
        low, end = self._class_char(at, start)
        if pattern.startswith("-", end) and end + 1 < len(pattern) and pattern[end + 1] != "]":
            high, stop = self._class_char(end + 1, start)
            if high < low:
                raise RegexError(f"invalid character class range: `{pattern[at:stop]}`", at)
            return stop
        return end

    def _class_char(self, at: int, start: int) -> tuple[int, int]:
        pattern = self.pattern
        if at >= len(pattern):
            raise RegexError(f"missing closing ]: `{pattern[start : start + 20]}`", start)
        if pattern[at] == "\\":
            value, length = escape(pattern, at)
            return value, at + length
        return ord(pattern[at]), at + 1


def _repeated_size(size: int, low: int, high: int) -> int:
    if high < 0:
        return 2 + size if low == 0 else 1 + low * size
    return max(1, high * size + high - low)


def unicode_class(pattern: str, at: int) -> tuple[str, int]:
    """Name and length of the class of Unicode, as \\pL or \\p{^Greek}, at the offset."""
    match = _UNICODE_CLASS.match(pattern, at)
    name = "" if match is None else match[1] if match[1] is not None else match[2]
    if match is None or name not in UNICODE_NAMES:
        written = pattern[at : at + 2] if match is None else match[0]
        raise RegexError(f"invalid character class range: `{written}`", at)
    return name, len(match[0])


def escape(pattern: str, at: int) -> tuple[int, int]:
    """Code point and length of the escape sequence at the offset."""
    match = _ESCAPE.match(pattern, at)
    if match is None:
        if at + 1 >= len(pattern):
            raise RegexError("trailing backslash at end of expression", at)
        raise RegexError(f"invalid escape sequence: `{pattern[at : at + 2]}`", at)
    text = match[0]
    char = text[1]
    if char == "x":
        value = int(text[2:].strip("{}"), 16)
        if value > 0x10FFFF:
            raise RegexError(f"invalid escape sequence: `{text[:12]}`", at)
    elif char.isdigit():
        value = int(text[1:], 8)
    else:
        value = _SIMPLE_ESCAPES.get(char, ord(char))
    return value, len(text)
