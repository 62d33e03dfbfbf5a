# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of log lines that a LogQL query rests upon, held against those that services declare."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from .._findings import did_you_mean
from .._logql.nodes import (
    Binary,
    LabelReplace,
    LogQuery,
    Query,
    RangeAggregation,
    Stage,
    VectorAggregation,
    walk,
)

# What the collector knows of a line (helm-values/alloy.yaml), and what Loki adds.
LABELS = frozenset({"cluster", "namespace", "node", "pod", "container", "app", "service_name", "job", "stream"})
OF_LOKI = frozenset({"detected_level", "__error__", "__error_details__"})
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|`[^`]*`', re.DOTALL)
_FIELD = re.compile(r"(?<![\w)\]])\.([A-Za-z_]\w*)")
_ROOT = re.compile(r'\[?"?([A-Za-z_]\w*)')  # of an expression into JSON: a.b[0], ["a"]
_READERS = {"json", "logfmt"}
_TEMPLATES = {"line_format", "label_format"}
_SETTERS = {"json", "logfmt", "regexp", "pattern", "label_format"}
_MOST_HINTS = 20
Used = tuple[str, Collection[str]]
"""A name that the query reads, and the fields that the query itself has extracted by then."""


def unknown(query: Query, declared: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each field that no service declares and the query has not extracted before, with what is wrong."""
    known = frozenset({*declared, *LABELS, *OF_LOKI})
    found: set[str] = set()
    for name, extracted in _used(query):
        if name not in known and name not in extracted and name not in found:
            found.add(name)
            hint = did_you_mean(name, sorted({*known, *extracted})) if len(found) <= _MOST_HINTS else ""
            yield name, f"no service logs a field {name!r}{f' ({hint})' if hint else ''}"


def _used(query: Query) -> Iterator[Used]:
    everything = frozenset(name for node in walk(query) for name in _extracted(node))
    for node in walk(query):
        if isinstance(node, LogQuery):
            yield from _in_pipeline(node)
        elif isinstance(node, Binary):
            yield from ((name, everything) for name in (*node.labels, *node.include))
        elif isinstance(node, LabelReplace) and node.source:
            yield node.source, everything
        elif isinstance(node, VectorAggregation | RangeAggregation) and node.grouping is not None:
            yield from ((name, everything) for name in node.grouping.labels)


def _in_pipeline(query: LogQuery) -> Iterator[Used]:
    """What stages read, each beside what those before it have extracted; that set grows with each stage."""
    extracted: set[str] = set()
    yield from ((matcher.name, extracted) for matcher in query.matchers)
    for stage in query.stages:
        yield from ((name, extracted) for name in _of_stage(stage))
        extracted.update(stage.labels if stage.kind in _SETTERS else ())
    if query.unwrap:
        yield query.unwrap, extracted


def _extracted(node: Query) -> Iterator[str]:
    if isinstance(node, LabelReplace):
        yield node.target
    elif isinstance(node, LogQuery):
        for stage in node.stages:
            yield from stage.labels if stage.kind in _SETTERS else ()


def _of_stage(stage: Stage) -> Iterator[str]:
    if stage.kind in {"label", "drop", "keep"}:
        yield from stage.labels
    elif stage.kind in _READERS:
        yield from (found[1] for value in stage.values if (found := _ROOT.match(value)))
    elif stage.kind in _TEMPLATES:
        for value in stage.values:
            for part in value.split("{{")[1:]:
                action, closed, _text = part.partition("}}")
                yield from _FIELD.findall(_TEXT.sub("", action)) if closed else ()
