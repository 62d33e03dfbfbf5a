# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm values and the like: YAML files in, one mapping out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._files import UnreadableError, read_text
from .._yaml import helm
from .._yaml.tree import YamlError, documents


class ValuesError(Exception):
    """A file cannot be used; the message names it."""


def load(path: str) -> dict[str, Any]:
    """Read one file as Helm reads values; an empty one holds an empty mapping."""
    try:
        text = read_text(Path(path))
    except UnreadableError as error:
        raise ValuesError(f"the file {path} cannot be read: {error.message}; {error.hint}") from error
    try:
        roots = list(documents(text))
    except YamlError as error:
        raise ValuesError(f"the file {path} is not YAML: {error.message}{_place(error)}") from error
    if len(roots) > 1:
        raise ValuesError(f"the file {path} holds {len(roots)} YAML documents: join them")
    root = roots[0] if roots else None
    if root is None:
        return {}
    try:
        content = helm.plain(root)
    except YamlError as error:
        raise ValuesError(f"the file {path} cannot be used: {error.message}{_place(error)}") from error
    if content is not None and not isinstance(content, dict):
        raise ValuesError(f"the file {path} holds a {helm.type_of(root)}, not a mapping")
    return content or {}


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `over` upon `base` as Helm does: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _place(error: YamlError) -> str:
    return f" in line {error.line}, column {error.column}" if error.line else ""
