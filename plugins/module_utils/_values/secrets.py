# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in clear, by the name of their key or by what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._yaml.tree import Mapping, Node, Scalar, Sequence
from .uses import Path

_PASSWORD = re.compile(r"(?i)(?:password|passwd)$")
_NAME = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key|private_?key|access_?key|credentials?)$")
_LOOKS = re.compile(r"://[^/\s:@]+:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----")
_ELSEWHERE = re.compile(r"\{\{|\$__|\$\{|\$\(|^<.*>$|^!")


def in_clear(root: Mapping) -> Iterator[tuple[Path, Scalar]]:
    """Where each one stands, lists included; what an alias repeats is told once."""
    pending: list[tuple[Path, Node]] = [((), root)]
    seen: set[int] = set()
    while pending:
        path, node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            inner = [(f"[{index}]", item, item) for index, item in enumerate(node.items)]
        elif isinstance(node, Mapping):
            inner = [(name, key, value) for name, (key, value) in node.items().items()]
        else:
            continue
        for name, place, value in inner:
            if isinstance(value, Scalar):
                called = _variable(node) if name == "value" else name
                if isinstance(place, Scalar) and _is_secret(called, value):
                    yield (*path, name), place
            else:
                pending.append(((*path, name), value))


def _variable(node: Node) -> str:
    """Of an environment variable, which is a pair of name and value."""
    name = node.get("name") if isinstance(node, Mapping) else None
    return name.value if isinstance(name, Scalar) else ""


def _is_secret(name: str, value: Scalar) -> bool:
    text = value.value
    if not value.is_text:
        return value.is_number and _PASSWORD.search(name) is not None
    if not text or _ELSEWHERE.search(text) or name.lower().startswith("existing"):
        return False
    return _NAME.search(name) is not None or _LOOKS.search(text) is not None
