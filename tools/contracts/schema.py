# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML against its JSON Schema: what is wrong, with the line that it stands on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import jsonschema

from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import (
    Mapping,
    Node,
    Sequence,
    YamlError,
    first_document,
)
from tools import yaml_text


def check(source: Path, schema: Path, name: str) -> Iterator[str]:
    """`name:line:column: where: what is wrong`, for each thing that is."""
    content = source.read_text()
    try:
        tree = first_document(content)
    except YamlError as unreadable:
        yield f"{name}:{unreadable.line}:{unreadable.column}: not YAML: {unreadable}"
        return
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text()))
    for error in validator.iter_errors(yaml_text.load(content)):
        for worst in _causes(error):
            path = list(worst.absolute_path)
            line, column = place(tree, [*path, *_named(worst)])
            yield f"{name}:{line}:{column}: {'.'.join(map(str, path)) or 'the file'}: {_said(worst)}"


def _causes(error: jsonschema.ValidationError) -> list[jsonschema.ValidationError]:
    """Of alternatives, what is wrong with the one that fits best."""
    best = jsonschema.exceptions.best_match([error])
    return [error if best is None else best]


def _known(error: jsonschema.ValidationError) -> list[str]:
    return list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []


def _named(error: jsonschema.ValidationError) -> list[str]:
    """The key that the message is about, where it is about one."""
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        return [key for key in error.instance if key not in _known(error)][:1]
    return [str(error.instance)] if "propertyNames" in error.absolute_schema_path else []


def _said(error: jsonschema.ValidationError) -> str:
    if error.validator == "additionalProperties":
        return f"unknown key {', '.join(map(repr, _named(error)))}; known are {', '.join(_known(error))}"
    if error.validator == "not":
        return "this does not belong here"
    meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    if error.validator == "oneOf" and meaning:
        return f"it must be {meaning}"
    return f"{error.message}{f' ({meaning})' if meaning else ''}"


def place(node: Node | None, path: Iterable[str | int]) -> tuple[int, int]:
    """Line and column of what the path leads to: of its key in a mapping; as far as the path goes."""
    found = (node.line, node.column) if node is not None else (1, 1)
    for step in path:
        if isinstance(node, Mapping) and (entry := node.items().get(str(step))) is not None:
            key, node = entry
            found = (key.line, key.column)
        elif (node := node_at(node, [step])) is not None:
            found = (node.line, node.column)
        else:
            break
    return found


def node_at(node: Node | None, path: Iterable[str | int]) -> Node | None:
    """What the path leads to, if anything."""
    for step in path:
        if isinstance(node, Mapping):
            node = node.get(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node
