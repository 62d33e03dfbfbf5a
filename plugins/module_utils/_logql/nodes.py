# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The syntax tree of LogQL. `start` is an offset into the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class Matcher:
    name: str
    operator: str
    value: str
    start: int = field(compare=False)


@dataclass(slots=True)
class Stage:
    """One step of a pipeline: `kind` is its keyword, or "line" and "label" for filters."""

    kind: str
    start: int = field(compare=False)
    values: tuple[str, ...] = ()
    """Patterns, templates or expressions."""
    labels: tuple[str, ...] = ()
    """Labels that a filter reads, or that a parser or formatter sets, or that drop and keep name."""


@dataclass(slots=True)
class LogQuery:
    matchers: list[Matcher]
    start: int = field(compare=False)
    stages: list[Stage] = field(default_factory=list)
    unwrap: str = ""


@dataclass(slots=True)
class RangeAggregation:
    operator: str
    query: LogQuery
    range_seconds: float
    start: int = field(compare=False)
    parameter: float | None = None
    offset_seconds: float = 0.0
    grouping: Grouping | None = None


@dataclass(slots=True)
class Grouping:
    without: bool
    labels: tuple[str, ...]


@dataclass(slots=True)
class VectorAggregation:
    operator: str
    expr: Metric
    start: int = field(compare=False)
    parameter: int | None = None
    grouping: Grouping | None = None


@dataclass(slots=True)
class Binary:
    operator: str
    left: Metric
    right: Metric
    start: int = field(compare=False)
    return_bool: bool = False
    on: bool = False
    labels: tuple[str, ...] = ()
    group: str = ""
    include: tuple[str, ...] = ()

    @property
    def is_literal(self) -> bool:
        return _is_literal(self.left) and _is_literal(self.right)


@dataclass(slots=True)
class Literal:
    value: float
    start: int = field(compare=False)


@dataclass(slots=True)
class Vector:
    value: float
    start: int = field(compare=False)


@dataclass(slots=True)
class LabelReplace:
    expr: Metric
    target: str
    replacement: str
    source: str
    regex: str
    start: int = field(compare=False)


@dataclass(slots=True)
class Variants:
    """variants(metric, …) of (log range)"""

    metrics: tuple[Metric, ...]
    query: LogQuery
    start: int = field(compare=False)


Metric: TypeAlias = RangeAggregation | VectorAggregation | Binary | Literal | Vector | LabelReplace
Query: TypeAlias = LogQuery | Metric | Variants


def _is_literal(node: Metric) -> bool:
    return isinstance(node, Literal) or (isinstance(node, Binary) and node.is_literal)


def walk(query: Query) -> Iterator[Query]:
    """The query and all below it, parents first."""
    stack: list[Query] = [query]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Binary):
            stack += [node.right, node.left]
        elif isinstance(node, VectorAggregation | LabelReplace):
            stack.append(node.expr)
        elif isinstance(node, RangeAggregation):
            stack.append(node.query)
        elif isinstance(node, Variants):
            stack += [*reversed(node.metrics), node.query]
