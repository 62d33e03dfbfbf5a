# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of TraceQL's field expressions, and which operator takes which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["any", "int", "float", "string", "bool", "duration", "status", "kind", "nil"]

NUMERIC: frozenset[str] = frozenset({"int", "float", "duration"})
_EQUALITY = frozenset({"=", "!="})
_ORDER = frozenset({"=", "!=", ">", ">=", "<", "<="})
_OPERATORS: dict[str, frozenset[str]] = {
    **dict.fromkeys(NUMERIC, _ORDER | {"+", "-", "*", "/", "%", "^"}),
    "string": _ORDER | {"=~", "!~"},
    "bool": _EQUALITY | {"&&", "||"},
    "status": _EQUALITY,
    "kind": _EQUALITY,
    "nil": _EQUALITY,
}
BOOLEAN_OPERATORS = _ORDER | {"=~", "!~", "&&", "||"}

CONSTANTS: dict[str, Type] = {
    "true": "bool",
    "false": "bool",
    "nil": "nil",
    **dict.fromkeys(("ok", "error", "unset"), "status"),
    **dict.fromkeys(("unspecified", "internal", "server", "client", "producer", "consumer"), "kind"),
}
INTRINSICS: dict[str, Type] = {
    "duration": "duration",
    "childCount": "int",
    "name": "string",
    "status": "status",
    "statusMessage": "string",
    "kind": "kind",
    "parent": "nil",
    "rootName": "string",
    "rootServiceName": "string",
    "traceDuration": "duration",
    "nestedSetLeft": "int",
    "nestedSetRight": "int",
    "nestedSetParent": "int",
    "trace:duration": "duration",
    "trace:rootName": "string",
    "trace:rootService": "string",
    "trace:id": "string",
    "span:duration": "duration",
    "span:name": "string",
    "span:kind": "kind",
    "span:status": "status",
    "span:statusMessage": "string",
    "span:id": "string",
    "span:parentID": "string",
    "span:childCount": "int",
    "event:name": "string",
    "event:timeSinceStart": "duration",
    "link:traceID": "string",
    "link:spanID": "string",
    "instrumentation:name": "any",
    "instrumentation:version": "any",
}
UNSUPPORTED_INTRINSICS = frozenset({"parent", "childCount"})
NEVER_NIL = frozenset({"resource.service.name"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field expression: its type, whether it looks at the span, its text when it is a plain field or string."""

    type: Type
    of_span: bool = False
    text: str = ""
    constant: str | None = None
    """The value of a string."""


def match(left: Type, right: Type) -> bool:
    if "any" in {left, right} or "nil" in {left, right} or left == right:
        return True
    return left in NUMERIC and right in NUMERIC


def takes(operator: str, operand: Type) -> bool:
    return operand == "any" or operator in _OPERATORS[operand]


def result(operator: str, left: Type, right: Type) -> Type:
    if operator in BOOLEAN_OPERATORS:
        return "bool"
    return right if left == "any" else left
