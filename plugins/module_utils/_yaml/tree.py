# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML to a tree that knows where everything is written.

Built from the parser's events, without recursion: nodes of the YAML libraries' own composer lose duplicate keys
and its C half overflows the stack on a few hundred kilobytes of "[". An alias is the node it stands for: what all
aliases come to is bounded here, so that every reader can go through the tree as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

with suppress(ImportError):  # the module names the missing library
    import yaml

MAX_DEPTH = 60
MAX_NODES = 1_000_000
MAX_REPEATED = 100_000
"""How many nodes aliases may stand for, all together: every reader goes through them as if they were written."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_NUMBER = re.compile(r"[-+]?(?:0[xob][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)")
_BOOLEANS = frozenset({"true", "false", "yes", "no", "on", "off"})
_STYLES = frozenset("'\"|>")
MERGE = "<<"


class YamlError(ValueError):
    """The text is not YAML, or more of it than is read; `line` and `column` count from one."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(slots=True)
class Scalar:
    value: str
    line: int
    column: int
    style: str
    """"" for a plain scalar, else the character it begins with."""
    tag: str = ""
    """As written, in its long form."""

    @property
    def is_null(self) -> bool:
        return not self.style and self.value in _NULLS

    @property
    def is_number(self) -> bool:
        return not self.style and _NUMBER.fullmatch(self.value) is not None

    @property
    def is_text(self) -> bool:
        """False where a YAML reader makes a number, a truth value or null of it."""
        return bool(self.style) or not (
            self.value in _NULLS or self.value.lower() in _BOOLEANS or _NUMBER.fullmatch(self.value)
        )


@dataclass(slots=True)
class Sequence:
    items: list[Node] = field(default_factory=list)
    line: int = 0
    column: int = 0


@dataclass(slots=True)
class Mapping:
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    line: int = 0
    column: int = 0
    duplicates: list[Scalar] = field(default_factory=list)
    """Keys that are written again; the first one counts."""
    merged: dict[str, tuple[Scalar, Node]] | None = None

    def items(self) -> dict[str, tuple[Scalar, Node]]:
        """Key → (where, value), merge keys resolved: own keys win, then the first merged mapping."""
        if self.merged is None:
            own = {key.value: (key, value) for key, value in self.entries}
            self.merged = own if MERGE not in own and not self.duplicates else self._merge()
        return self.merged

    def _merge(self) -> dict[str, tuple[Scalar, Node]]:
        merged: dict[str, tuple[Scalar, Node]] = {}
        for key, value in self.entries:
            if key.value == MERGE:
                for mapping in value.items if isinstance(value, Sequence) else [value]:
                    for name, pair in mapping.items().items() if isinstance(mapping, Mapping) else ():
                        merged.setdefault(name, pair)
        merged.update({key.value: (key, value) for key, value in reversed(self.entries) if key.value != MERGE})
        return merged

    def get(self, key: str) -> Node | None:
        found = (self.merged or self.items()).get(key)
        return None if found is None else found[1]


Node: TypeAlias = Scalar | Sequence | Mapping


def duplicates(root: Node | None) -> Iterator[Scalar]:
    """Every key that is written again, anywhere; what an alias repeats is looked at once."""
    pending: list[Node | None] = [root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            pending += node.items
        elif isinstance(node, Mapping):
            yield from node.duplicates
            pending += [value for _key, value in node.entries]


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    node: Sequence | Mapping
    anchor: str | None
    add: Callable[[Node], None]
    """Takes what is read next."""
    before: int
    """How many nodes came before it."""
    height: int = 1
    """How many levels it has."""


class _Anchor(NamedTuple):
    """A node that aliases stand for, with all that is below it."""

    node: Node
    size: int = 1
    height: int = 0


class _Pairs:
    """Takes the keys and values of a mapping in turns."""

    __slots__ = ("entries", "key", "mapping", "seen")

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.entries = mapping.entries
        self.key: Scalar | None = None
        # what the mapping holds already, as long as no key says otherwise
        self.seen: dict[str, tuple[Scalar, Node]] = {}
        mapping.merged = self.seen

    def add(self, node: Node) -> None:
        key = self.key
        if key is None:
            if not isinstance(node, Scalar):
                raise YamlError("a mapping key must be a scalar", node.line, node.column)
            self.key = node
            return
        self.key = None
        name, pair = key.value, (key, node)
        self.entries.append(pair)
        if name == MERGE:
            self.mapping.merged = None
        elif self.seen.setdefault(name, pair) is not pair:
            self.mapping.merged = None
            self.mapping.duplicates.append(key)


def documents(text: str) -> Iterator[Node | None]:
    """The documents of the text, in order; None for an empty one. YamlError for what cannot be read."""
    try:
        yield from _documents(getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text))
    except yaml.MarkedYAMLError as error:
        line, column = _place(error.problem_mark or error.context_mark)
        raise YamlError(" ".join(filter(None, (error.context, error.problem))), line, column) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise YamlError(str(error).splitlines()[0]) from None


def first_document(text: str) -> Node | None:
    """The first document of the text, None where it is empty. YamlError for what cannot be read."""
    return next(documents(text), None)


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


def _documents(loader: Any) -> Iterator[Node | None]:
    reader = _Reader()
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                yield reader.read(loader.get_event)
    finally:
        loader.dispose()


class _Reader:
    """Reads the documents of one text. Counts are of the text; aliases count as what they stand for."""

    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.anchors: dict[str, _Anchor] = {}
        self.nodes = 0
        self.repeated = 0

    def read(self, next_event: Callable[[], Any]) -> Node | None:
        """The next document, whose start has been read."""
        self.anchors = {}
        root: list[Node] = []
        add = root.append
        scalar, mapping_end, sequence_end = yaml.ScalarEvent, yaml.MappingEndEvent, yaml.SequenceEndEvent
        while True:
            event = next_event()
            kind = type(event)
            if kind is scalar:
                mark, style = event.start_mark, event.style
                style = style if style in _STYLES else ""
                node = Scalar(event.value, mark.line + 1, mark.column + 1, style, event.tag or "")
                if event.anchor:
                    self.anchors[event.anchor] = _Anchor(node)
                self.nodes += 1
                add(node)
            elif kind is mapping_end or kind is sequence_end:
                self._close()
                add = self.stack[-1].add if self.stack else root.append
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                opened = self._open(event)
                add(opened.node)
                self.stack.append(opened)
                add = opened.add
            elif kind is yaml.AliasEvent:
                add(self._alias(event))
            else:
                return root[0] if root else None
            if self.nodes > MAX_NODES:
                raise YamlError(f"has more than {MAX_NODES} nodes", *_place(event.start_mark))

    def _open(self, event: Any) -> _Open:
        line, column = _place(event.start_mark)
        if len(self.stack) >= MAX_DEPTH:
            raise YamlError(f"nests deeper than {MAX_DEPTH} levels", line, column)
        before = self.nodes
        self.nodes += 1
        if isinstance(event, yaml.MappingStartEvent):
            mapping = Mapping([], line, column)
            return _Open(mapping, event.anchor, _Pairs(mapping).add, before)
        sequence = Sequence([], line, column)
        return _Open(sequence, event.anchor, sequence.items.append, before)

    def _close(self) -> None:
        closed = self.stack.pop()
        if self.stack:
            self._raise(closed.height + 1)
        if closed.anchor:
            self.anchors[closed.anchor] = _Anchor(closed.node, self.nodes - closed.before, closed.height)

    def _raise(self, height: int) -> None:
        """The innermost open collection has at least so many levels."""
        self.stack[-1].height = max(self.stack[-1].height, height)

    def _alias(self, event: Any) -> Node:
        anchor = self.anchors.get(event.anchor)
        place = _place(event.start_mark)
        if anchor is None:
            raise YamlError(f"found undefined alias {event.anchor!r}", *place)
        self.nodes += anchor.size
        self.repeated += anchor.size
        if self.repeated > MAX_REPEATED:
            raise YamlError(f"its aliases stand for more than {MAX_REPEATED} nodes", *place)
        if len(self.stack) + anchor.height > MAX_DEPTH:
            raise YamlError(f"nests deeper than {MAX_DEPTH} levels", *place)
        self._raise(anchor.height + 1)
        return anchor.node


def plain(node: Node, converted: dict[int, Any] | None = None) -> Any:
    """The node as plain data; what is written once is converted once, however often an alias stands for it."""
    converted = {} if converted is None else converted
    if id(node) not in converted:
        if isinstance(node, Mapping):
            converted[id(node)] = {name: plain(value, converted) for name, (_key, value) in node.items().items()}
        elif isinstance(node, Sequence):
            converted[id(node)] = [plain(item, converted) for item in node.items]
        else:
            converted[id(node)] = _scalar(node)
    return converted[id(node)]


def _scalar(node: Scalar) -> Any:
    if node.is_text:
        return node.value
    try:
        return yaml.safe_load(node.value)
    except (yaml.YAMLError, ValueError):
        return node.value
