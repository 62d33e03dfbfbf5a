# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML to plain data with Helm's rules, which are neither PyYAML's nor those of YAML 1.2.

Helm reads with go-yaml v2 and passes the result through JSON: no numbers of base 60, but `1e6`, `0o17` and `y`;
a date is a text; every key becomes a text; every number is a float of 64 bits.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from .tree import MERGE, Mapping, Node, Scalar, Sequence, YamlError

Plain: TypeAlias = "bool | int | float | str | None"

_CORE = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "null": (type(None),),
    "timestamp": (str,),
}
_INFINITE = tuple(sign + name for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF"))
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((*_INFINITE, ".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]{0,19}|0)|0[xX]([0-9a-fA-F]+))")
_SIGN_IN_BINARY = re.compile(r"0b([-+])([01]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")


def plain(root: Node, *, strict: bool = True) -> Any:
    """The node as Helm has it. YamlError for what Helm refuses, and for a key that is written twice.

    Helm takes the last of two equal keys without a word; where it is not `strict`, so does this.
    """
    return _Reader(strict).data(root)


def scalar(node: Scalar) -> Plain:
    """What Helm makes of a scalar."""
    value = _value(node)
    if isinstance(value, float) and math.isnan(value):
        raise YamlError(f"{node.value} is no number that Helm takes", node.line, node.column)
    return value


def key(node: Scalar) -> str:
    """The text that Helm makes of a key."""
    value = _value(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) and not (isinstance(value, int) and value.bit_length() > 63):
        return str(value)
    raise YamlError(
        f"the key {node.value!r} is {'null' if value is None else 'a number'}: write it in quotes", *_at(node)
    )


def type_of(node: Node) -> str:
    """The kind of value, in words; YamlError as `scalar`."""
    if isinstance(node, Mapping):
        return "mapping"
    if isinstance(node, Sequence):
        return "list"
    value = scalar(node)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "truth value"
    return "text" if isinstance(value, str) else "number"


class _Reader:
    """What is written once is converted once, however often an alias stands for it."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.converted: dict[int, Any] = {}

    def data(self, node: Node) -> Any:
        if isinstance(node, Scalar):
            return scalar(node)
        if id(node) not in self.converted:
            self.converted[id(node)] = (
                [self.data(item) for item in node.items] if isinstance(node, Sequence) else self._mapping(node)
            )
        return self.converted[id(node)]

    def _mapping(self, node: Mapping) -> dict[str, Any]:
        """In the order of the text: a merge replaces what is written above it, as in go-yaml."""
        data: dict[str, Any] = {}
        own: set[str] = set()
        for place, value in node.entries:
            if place.value == MERGE and not place.style:
                for merged in _merged(place, value):
                    data |= self.data(merged)
                continue
            name = key(place)
            if self.strict and name in own:
                raise YamlError(f"key {place.value!r} is written twice", *_at(place))
            own.add(name)
            data[name] = self.data(value)
        return data


def _merged(place: Scalar, value: Node) -> Iterator[Mapping]:
    """The mappings of a merge key, the most important last."""
    for mapping in reversed(value.items if isinstance(value, Sequence) else [value]):
        if not isinstance(mapping, Mapping):
            raise YamlError(f"{MERGE} takes a mapping or a list of mappings", *_at(place))
        yield mapping


def _value(node: Scalar) -> Plain:
    kind = node.tag.removeprefix(_CORE)
    if kind == "binary":
        return _binary(node)
    if kind not in _TYPES and (node.tag or node.style):
        return node.value
    value = _resolved(node.value)
    if kind and (not isinstance(value, _TYPES[kind]) or (kind in {"int", "float"} and isinstance(value, bool))):
        raise YamlError(f"{node.value!r} is not of type {kind}", *_at(node))
    if kind == "timestamp" and not _DATE.fullmatch(node.value):
        raise YamlError(f"{node.value!r} is not of type {kind}", *_at(node))
    return float(value) if kind == "float" and isinstance(value, int) else value


def _resolved(text: str) -> Plain:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return float(text.replace("_", "")) if _FRACTION.fullmatch(text) else text
    if text[0] not in "+-0123456789":
        return text
    digits = text.replace("_", "")
    number: int | float | None = _integer(digits)
    if number is None and _FLOAT.fullmatch(digits):
        number = float(digits)
    return text if number is None or math.isinf(number) else number


def _integer(digits: str) -> int | None:
    """None for what is no integer, or one that needs more than 64 bits."""
    found = _INTEGER.fullmatch(digits)
    if found is None:
        found = _SIGN_IN_BINARY.fullmatch(digits)
        return int(found[1] + found[2], 2) if found else None
    for group, base in enumerate((2, 8, 10, 16), 2):
        if found[group]:
            number = int(found[1] + found[group], base)
    inside = -(1 << 63) <= number < 1 << 63 if found[1] else number < 1 << 64
    return number if inside else None


def _binary(node: Scalar) -> str:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", node.value), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise YamlError("not base64", *_at(node)) from None


def _at(node: Scalar) -> tuple[int, int]:
    return node.line, node.column
