# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of JSON Schema that charts use for their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
MAX_STEPS = 200_000
_MAX_DEPTH = 60
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}


class Validator:
    """Yields (path, message) for what a value breaks. What is not known of the language is passed over."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.steps = 0

    def check(self, value: Any, schema: Any = None, path: Path = ()) -> Iterator[tuple[Path, str]]:
        schema = self.resolve(self.root if schema is None else schema)
        self.steps += 1
        if not isinstance(schema, dict) or self.steps > MAX_STEPS or len(path) > _MAX_DEPTH:
            return
        wanted = schema.get("type")
        names = [name for name in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(name, str)]
        if names and not any(_is(value, name) for name in names):
            yield path, f"must be {' or '.join(names)}, not {kind(value)}"
            return
        options = schema.get("enum")
        if isinstance(options, list) and value not in options:
            yield path, f"must be one of {', '.join(map(str, options))}"
        yield from _limits(value, schema, path)
        for part in schema.get("allOf") or []:
            yield from self.check(value, part, path)
        for key in ("anyOf", "oneOf"):
            yield from self._any(value, schema.get(key), path)
        if isinstance(value, dict):
            yield from self._object(value, schema, path)
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            for index, item in enumerate(value):
                yield from self.check(item, schema["items"], (*path, f"[{index}]"))

    def _any(self, value: Any, options: Any, path: Path) -> Iterator[tuple[Path, str]]:
        """None of the alternatives fits: the one with the fewest objections is named."""
        if isinstance(options, list) and options:
            problems = sorted((list(self.check(value, option, path)) for option in options), key=len)
            yield from problems[0]

    def _object(self, value: dict[Any, Any], schema: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        patterns = schema.get("patternProperties")
        for name in schema.get("required") or []:
            if name not in value:
                yield path, f"{name!r} is missing"
        other = schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in properties:
                yield from self.check(item, properties[key], (*path, str(key)))
            elif not patterns and other is False:
                yield (*path, str(key)), "the chart's schema allows no such key"
            elif not patterns and isinstance(other, dict):
                yield from self.check(item, other, (*path, str(key)))

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


def kind(value: Any) -> str:
    for name in ("null", "boolean", "integer", "number", "string", "array", "object"):
        if _is(value, name):
            return name
    return "string"  # a date and the like


def _is(value: Any, name: str) -> bool:
    if name not in _TYPES:
        return True
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name]) or (name == "integer" and isinstance(value, float) and value.is_integer())


def _limits(value: Any, schema: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int | float) and value < low:
            yield path, f"must be at least {low}"
        if isinstance(high, int | float) and value > high:
            yield path, f"must be at most {high}"
    pattern = schema.get("pattern")
    if isinstance(value, str) and isinstance(pattern, str):
        try:
            fits = re.search(pattern, value) is not None
        except re.error:
            fits = True
        if not fits:
            yield path, f"must match {pattern}"
