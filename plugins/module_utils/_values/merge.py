# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm values and the like: YAML files in, one mapping out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._files import UnreadableError, read_text

with suppress(ImportError):  # Ansible brings it
    import yaml


class ValuesError(Exception):
    """A file cannot be used; the message names it."""


def load(path: str) -> dict[str, Any]:
    """Read one file; an empty one holds an empty mapping."""
    try:
        text = read_text(Path(path))
    except UnreadableError as error:
        raise ValuesError(f"the file {path} cannot be read: {error.message}; {error.hint}") from error
    try:
        content = yaml.safe_load(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a thousand brackets
        raise ValuesError(f"the file {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ValuesError(f"the file {path} is not YAML: {_reason(error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValuesError(f"the file {path} holds a {type(content).__name__}, not a mapping")
    return content


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `over` upon `base` as Helm does: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    return f"{getattr(error, 'problem', error)} in line {mark.line + 1}, column {mark.column + 1}"
