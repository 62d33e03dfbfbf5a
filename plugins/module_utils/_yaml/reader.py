# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed access to the nodes of a YAML file: what is wrong becomes a finding, and reading goes on without harm."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from .._findings import Report
from .tree import Mapping, Node, Scalar, Sequence, YamlError, duplicates, first_document

Wrong = Callable[[str, "Node | None"], None]


def is_null(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.is_null)


def kind_of(node: Node) -> str:
    if isinstance(node, Scalar):
        return "null" if node.is_null else "text" if node.is_text else "number or truth value"
    return "list" if isinstance(node, Sequence) else "mapping"


class Reader:
    """Reads one file. Findings are errors with the id and the hint, where nothing better is known."""

    def __init__(self, report: Report, identity: str, hint: str) -> None:
        self.report = report
        self.identity = identity
        self.hint = hint
        self.object = ""
        """What findings are about."""

    def error(self, message: str, node: Node | None = None, hint: str = "", identity: str = "") -> None:
        place = (node.line, node.column) if node is not None else (0, 0)
        self.report.add(
            identity or self.identity, "error", message, hint=hint or self.hint, place=place, object_=self.object
        )

    def wrong_type(self, node: Node, what: str, expected: str) -> None:
        self.error(f"{what} must be a {expected}, not a {kind_of(node)}", node)

    # -- the file

    def root(self, text: str, what: str) -> Mapping | None:
        """The first document of the text, a mapping; None where it is something else, which is reported."""
        try:
            node = first_document(text)
        except YamlError as error:
            place = (error.line, error.column)
            self.report.add(self.identity, "error", f"not YAML: {error.message}", hint="correct the file", place=place)
            return None
        if not isinstance(node, Mapping):
            self.error(f"{what}, not {'empty' if node is None or is_null(node) else f'a {kind_of(node)}'}", node)
            return None
        for key in duplicates(node):
            self.error(f"key {key.value!r} is written twice", key, "keep one of them")
        return node

    # -- mappings

    def known_keys(self, node: Mapping, known: Collection[str]) -> None:
        for name, (key, _value) in node.items().items():
            if name not in known:
                self.error(f"unknown key {name!r}: known are {', '.join(known)}", key)

    def entries(self, node: Node | None, what: str) -> list[tuple[str, Node]]:
        """The keys and values of a mapping; none of what is not there."""
        if isinstance(node, Mapping):
            return [(name, value) for name, (_key, value) in node.items().items()]
        if node is not None and not is_null(node):
            self.wrong_type(node, what, "mapping")
        return []

    # -- lists

    def items(self, node: Node | None, what: str) -> list[Node]:
        """The items of a list; none of what is not there."""
        if isinstance(node, Sequence):
            return node.items
        if node is not None and not is_null(node):
            self.wrong_type(node, what, "list")
        return []

    def mappings(self, node: Mapping, key: str) -> Iterator[Mapping]:
        for number, item in enumerate(self.items(node.get(key), key)):
            if isinstance(item, Mapping):
                yield item
            else:
                self.wrong_type(item, f"{key}[{number}]", "mapping")

    def texts(self, node: Node | None, what: str) -> list[str]:
        found = self.items(node, what)
        texts = [item.value for item in found if isinstance(item, Scalar)]
        if len(texts) < len(found):
            self.error(f"{what} must be a list of texts", node)
            return []
        return texts

    # -- scalars

    def text(self, node: Mapping, key: str, default: str = "") -> str:
        """The text under the key, the default where there is none."""
        value = node.get(key)
        if value is None or is_null(value):
            return default
        if isinstance(value, Scalar):
            return value.value
        self.wrong_type(value, key, "text")
        return default

    def flag(self, node: Mapping, key: str) -> bool:
        value = node.get(key)
        if value is None or (isinstance(value, Scalar) and value.value in {"true", "false"}):
            return isinstance(value, Scalar) and value.value == "true"
        self.error(f"{key} must be true or false", value)
        return False
