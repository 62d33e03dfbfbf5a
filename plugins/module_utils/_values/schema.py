# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values against a chart's JSON Schema, judged by the library `jsonschema`.

A schema is somebody else's input. Nothing that it refers to is fetched, a pattern that could take forever is left to
Helm, and what it asks for is bounded in steps. Messages hold no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MISSING = "jsonschema"
with suppress(ImportError):  # reported by the module, where a chart has a schema
    import jsonschema
    import referencing

    MISSING = ""

Path = tuple[str, ...]
MAX_STEPS = 50_000
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_IS_LEFT = frozenset({"additionalProperties", "unevaluatedProperties"})
"""They speak of the keys that no pattern matches."""
_NAMED = frozenset({"properties", "patternProperties"})
_MAX_TEXT = 256
"""Characters that a pattern is tried on. A name of Kubernetes is shorter."""
_NOT_IN_PATTERNS = re.compile(r"\(\?(?!:)|\\[1-9pP]|\)[*+{]")
"""What RE2 has not, and what is repeated as a group: that takes Python exponential time."""
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_MESSAGES = {
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match {}",
    "format": "must be of the format {}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "uniqueItems": "must not have an item twice",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
    "oneOf": "fits more than one of the alternatives of the chart's schema",
    "not": "is what the chart's schema excludes",
}


class _TooManyStepsError(Exception):
    pass


class Validator:
    """Yields (path, message) for what a value breaks."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root

    def check(self, value: Any) -> Iterator[tuple[Path, str]]:
        if _has_long_key(value):
            return
        try:
            found = list(_validator(self.root).iter_errors(value))
        except (_TooManyStepsError, RecursionError):
            yield (), "cannot be judged: the chart's schema refers to itself without end, or asks for too much"
        except referencing.exceptions.Unresolvable:
            yield (), "cannot be judged: the chart's schema refers to a part that it does not have"
        except Exception as error:  # a schema may be anything: the library fails in any way then
            yield (), f"cannot be judged: the chart's schema is no JSON Schema ({type(error).__name__})"
        else:
            for one in found:
                yield from _explained(one)

    def resolve(self, schema: Any) -> Any:
        """What a local `$ref` stands for."""
        for _step in range(20):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or (reference != "#" and not reference.startswith("#/")):
                return schema
            node: Any = self.root
            for part in reference.split("/")[1:]:
                node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
            schema = node
        return None

    def at(self, path: Path) -> Mapping[str, Any]:
        """The schema of a value; an empty one where nothing is said."""
        node: Any = self.root
        for part in path:
            node = self.resolve(node)
            properties = node.get("properties") if isinstance(node, dict) else None
            node = properties.get(part) if isinstance(properties, dict) else None
        node = self.resolve(node)
        return node if isinstance(node, dict) else {}


def _validator(root: Mapping[str, Any]) -> Any:
    """The library's validator of the schema's draft, with every keyword counted."""
    draft = jsonschema.validators.validator_for(root, default=jsonschema.Draft202012Validator)
    left = [MAX_STEPS]

    def counted(judge: Any) -> Any:
        def keyword(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise _TooManyStepsError
            return judge(*arguments)

        return keyword

    judges = {name: counted(judge) for name, judge in (draft.VALIDATORS | _JUDGES).items() if name in draft.VALIDATORS}
    extend: Any = jsonschema.validators.extend
    return extend(draft, judges)(_safe(root), registry=referencing.Registry())


def _unique(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """In linear time, which the library's own takes for plain items only."""
    is_array = wanted and validator.is_type(instance, "array")
    if is_array and len({_frozen(item) for item in instance}) < len(instance):
        yield jsonschema.ValidationError("")


def _pattern(validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and len(instance) <= _MAX_TEXT and not re.search(pattern, instance):
        yield jsonschema.ValidationError("")


_JUDGES = {"uniqueItems": _unique, "pattern": _pattern}
"""In place of the library's, which take time without end."""


def _is_quick(pattern: str) -> bool:
    """Whether Python's engine, which backtracks, is done soon on a short text."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    bare = _ESCAPED.sub("x", pattern)
    return (
        not _NOT_IN_PATTERNS.search(pattern)
        and len(re.findall(r"[*+{]", bare)) <= 2
        and bare.count("?") <= 6
        and bare.count("|") <= 50
        and bare.count("(") <= 4
    )


def _has_long_key(value: Any) -> bool:
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if any(len(key) > _MAX_TEXT for key in node):
                return True
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return False


def _frozen(item: Any) -> Any:
    if isinstance(item, dict):
        return ("object", frozenset((key, _frozen(value)) for key, value in item.items()))
    if isinstance(item, list):
        return ("array", *map(_frozen, item))
    return (isinstance(item, bool), item)


def _safe(node: Any) -> Any:
    """The schema without what would be fetched, and without patterns that could take forever."""
    if isinstance(node, list):
        return [_safe(item) for item in node]
    if not isinstance(node, dict):
        return node
    patterns = node.get("patternProperties")
    unsafe = {each for each in patterns if not _is_quick(each)} if isinstance(patterns, dict) else set()
    kept = {}
    for key, value in node.items():
        if key in _REFERENCES and isinstance(value, str) and not value.startswith("#"):
            continue
        if key == "pattern" and isinstance(value, str) and not _is_quick(value):
            continue
        if key in _IS_LEFT and unsafe:
            continue
        kept[key] = _safe(value)
        if key in _NAMED and isinstance(value, dict):  # the library loses the place of a plain False
            kept[key] = {name: {"not": {}} if part is False else part for name, part in kept[key].items()}
    if unsafe:
        kept["patternProperties"] = {
            key: value for key, value in kept["patternProperties"].items() if key not in unsafe
        }
    return kept


def _explained(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """Of alternatives that all fail, the one that comes closest."""
    best: Any = jsonschema.exceptions.best_match([error]) or error
    path = tuple(f"[{part}]" if isinstance(part, int) else str(part) for part in best.absolute_path)
    limit, schema = best.validator_value, best.schema
    if best.validator in _IS_LEFT:
        declared = schema.get("properties", {}) if isinstance(schema, dict) else {}
        patterns = schema.get("patternProperties", {}) if isinstance(schema, dict) else {}
        for key in best.instance:
            if key not in declared and not any(re.search(each, key) for each in patterns):
                yield (*path, str(key)), "the chart's schema allows no such key"
    elif best.validator == "required":
        yield path, best.message.replace(" is a required property", " is missing")
    elif best.validator == "type":
        yield path, f"must be {' or '.join([limit] if isinstance(limit, str) else limit)}, not {kind(best.instance)}"
    elif best.validator == "enum":
        yield path, f"must be one of {', '.join(map(str, limit))}"
    elif best.context:
        yield path, "fits none of the alternatives of the chart's schema"
    elif best.validator is None:
        yield path, "the chart's schema allows no such value"
    else:
        message = _MESSAGES.get(str(best.validator), f"breaks {best.validator} of the chart's schema")
        yield path, message.format(limit)


def kind(value: Any) -> str:
    """The name of a value's type in JSON Schema."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return next(name for type_, name in names.items() if isinstance(value, type_))
