# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of log lines that a LogQL query rests upon, held against those that services declare."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

from ansible_collections.ias.observability.plugins.module_utils._logql.nodes import (
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
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(r"(?<![\w)\]])\.([A-Za-z_]\w*)")
_ROOT = re.compile(r'\[?"?([A-Za-z_]\w*)')  # of an expression into JSON: a.b[0], ["a"]
_READERS = {"json", "logfmt"}
_TEMPLATES = {"line_format", "label_format"}
_SETTERS = {"json", "logfmt", "regexp", "pattern", "label_format"}
Used = tuple[str, int, frozenset[str]]
"""A name, where in the query what uses it starts, and what the query itself has made of fields by then."""


def unknown(query: Query, declared: Collection[str]) -> Iterator[tuple[str, int]]:
    """What is wrong and where, for each field that no service declares and the query has not made before."""
    known = frozenset({*declared, *LABELS, *OF_LOKI})
    told: set[str] = set()
    for name, start, made in _used(query):
        if name not in known | made | told:
            told.add(name)
            near = difflib.get_close_matches(name, sorted(known | made), 1)
            yield f"no service logs a field {name!r}{f' (did you mean {near[0]!r}?)' if near else ''}", start


def _used(query: Query) -> Iterator[Used]:
    everything = frozenset(name for node in walk(query) for name in _made(node))
    for node in walk(query):
        if isinstance(node, LogQuery):
            yield from _in_pipeline(node)
        elif isinstance(node, Binary):
            yield from ((name, node.start, everything) for name in (*node.labels, *node.include))
        elif isinstance(node, LabelReplace) and node.source:
            yield node.source, node.start, everything
        elif isinstance(node, VectorAggregation | RangeAggregation) and node.grouping is not None:
            yield from ((name, node.start, everything) for name in node.grouping.labels)


def _in_pipeline(query: LogQuery) -> Iterator[Used]:
    """What stages read, each beside what those before it have made."""
    made: frozenset[str] = frozenset()
    yield from ((matcher.name, matcher.start, made) for matcher in query.matchers)
    for stage in query.stages:
        yield from ((name, stage.start, made) for name in _of_stage(stage))
        made |= frozenset(stage.labels if stage.kind in _SETTERS else ())
    if query.unwrap:
        yield query.unwrap, query.start, made


def _made(node: Query) -> Iterator[str]:
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
            for action in _ACTION.findall(value):
                yield from _FIELD.findall(_TEXT.sub("", action))
