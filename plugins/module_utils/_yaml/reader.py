# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a contract's nodes: each helper says what is wrong, and goes on with a value that does no harm."""

from __future__ import annotations

from collections.abc import Callable

from .tree import Mapping, Node, Scalar, Sequence

Wrong = Callable[[str, "Node | None"], None]


def known_keys(node: Mapping, known: tuple[str, ...], wrong: Wrong) -> None:
    for name, (key, _value) in node.items().items():
        if name not in known:
            wrong(f"unknown key {name!r}: known are {', '.join(known)}", key)


def entries(node: Node | None, what: str, wrong: Wrong) -> list[tuple[str, Node]]:
    if isinstance(node, Mapping):
        return [(name, value) for name, (_key, value) in node.items().items()]
    if node is not None:
        wrong(f"{what} is not a mapping", node)
    return []


def texts(node: Node | None, wrong: Wrong) -> list[str]:
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return []
    if isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items):
        return [item.value for item in node.items if isinstance(item, Scalar)]
    wrong("a list of texts is needed here", node)
    return []


def text(node: Mapping, key: str, default: str, wrong: Wrong) -> str:
    found = node.get(key)
    if found is None or (isinstance(found, Scalar) and not found.is_null):
        return default if found is None else found.value
    wrong(f"{key} is a text", found)
    return default


def flag(node: Mapping, key: str, wrong: Wrong) -> bool:
    found = node.get(key)
    if found is None or (isinstance(found, Scalar) and found.value in {"true", "false"}):
        return isinstance(found, Scalar) and found.value == "true"
    wrong(f"{key} is true or false", found)
    return False
