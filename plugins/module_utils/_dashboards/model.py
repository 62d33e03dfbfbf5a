# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A dashboard as it was read. Whatever is of the wrong type is read as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from .._grafana_model.json_values import mapping, mappings, text
from .._grafana_model.variables import REFERENCE, current_values, fixed_values
from .json_positions import Path

Language = Literal["promql", "logql", "traceql", "other"]
_LANGUAGES: Mapping[str, Language] = {"prometheus": "promql", "loki": "logql", "tempo": "traceql"}
NO_SOURCE = frozenset({"", "-- Mixed --", "default"})
_IS_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
_IS_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
ADHOC = frozenset({"adhoc", "groupby"})


@dataclass(frozen=True)
class Variable:
    name: str
    type: str
    path: Path
    raw: Mapping[str, Any]

    @property
    def is_multi(self) -> bool:
        return bool(self.raw.get("multi") or self.raw.get("includeAll"))

    @cached_property
    def values(self) -> list[str]:
        """Some values that it can have, as far as the file says."""
        is_fixed = self.type in {"custom", "interval", "constant", "textbox"}
        return fixed_values({**self.raw, "type": self.type}) if is_fixed else current_values(self.raw)

    @cached_property
    def amount(self) -> str:
        """One of its values where all of them are numbers, or all durations; else empty."""
        kinds = (_IS_NUMBER, _IS_DURATION)
        is_amount = any(all(kind.fullmatch(value) for value in self.values) for kind in kinds)
        return self.values[0] if self.values and is_amount else ""

    @cached_property
    def duration(self) -> str:
        """The first of its values that is a duration, or empty."""
        return next((value for value in self.values if _IS_DURATION.fullmatch(value)), "")


@dataclass(frozen=True, slots=True)
class Target:
    ref: str
    language: Language
    query: str
    path: Path
    query_path: Path
    raw: Mapping[str, Any]
    source: str
    """The uid or name of its data source as it is written; empty for the default one."""


@dataclass(slots=True)
class Panel:
    id: Any
    title: str
    type: str
    path: Path
    raw: Mapping[str, Any]
    targets: list[Target] = field(default_factory=list)
    row: Path = ()
    """Of the collapsed row that it is in."""

    @property
    def is_row(self) -> bool:
        return self.type == "row"

    @property
    def name(self) -> str:
        return self.title or f"panel {self.id}"


@dataclass(slots=True)
class Dashboard:
    file: str
    raw: Mapping[str, Any]
    uid: str
    panels: list[Panel]
    variables: dict[str, Variable]


def read(file: str, raw: Mapping[str, Any]) -> Dashboard:
    listed = mapping(raw.get("templating")).get("list")
    variables = {
        text(item.get("name")): Variable(
            text(item.get("name")), text(item.get("type")), ("templating", "list", at), item
        )
        for at, item in mappings(listed)
        if text(item.get("name"))
    }
    panels: list[Panel] = []
    for path, row, item in _panels(raw):
        panel = Panel(item.get("id"), text(item.get("title")), text(item.get("type")), path, item, row=row)
        panel.targets = [
            _target(panel, (*path, "targets", at), at, target, variables)
            for at, target in mappings(item.get("targets"))
        ]
        panels.append(panel)
    return Dashboard(file, raw, text(raw.get("uid")), panels, variables)


def _panels(raw: Mapping[str, Any]) -> Iterator[tuple[Path, Path, Mapping[str, Any]]]:
    for at, panel in mappings(raw.get("panels")):
        path: Path = ("panels", at)
        yield path, (), panel
        if panel.get("type") == "row":
            for inner_at, inner in mappings(panel.get("panels")):
                yield (*path, "panels", inner_at), path, inner
    for row_at, row in mappings(raw.get("rows")):  # before Grafana 5
        for at, panel in mappings(row.get("panels")):
            yield ("rows", row_at, "panels", at), ("rows", row_at), panel


def _target(panel: Panel, path: Path, at: int, raw: Mapping[str, Any], variables: Mapping[str, Variable]) -> Target:
    uid, kind = "", ""
    for reference in (raw.get("datasource"), panel.raw.get("datasource")):
        own = text(mapping(reference).get("uid")) or text(reference)
        if not uid and own not in NO_SOURCE:
            uid = own
        kind = kind or text(mapping(reference).get("type"))
    kind = _type_of_variable(uid, variables) or kind
    key = next((key for key in ("expr", "query", "rawSql") if text(raw.get(key))), "expr")
    language = _LANGUAGES.get(kind, "other")
    if not kind and "expr" in raw:
        language = "promql"
    ref = text(raw.get("refId")) or chr(ord("A") + at % 26)
    return Target(ref, language, text(raw.get(key)), path, (*path, key), raw, uid)


def _type_of_variable(uid: str, variables: Mapping[str, Variable]) -> str:
    found = REFERENCE.fullmatch(uid)
    variable = variables.get(found[1] or found[2] or found[4]) if found else None
    return text(variable.raw.get("query")) if variable is not None and variable.type == "datasource" else ""
