# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules as they were read: every field with the place where it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .._promql import Profile
from .._promql.nodes import Expr
from .._yaml.tree import Scalar
from .templates import Template

Place = tuple[int, int]
"""Line and column, counted from one; (0, 0) where there is none."""


@dataclass(slots=True)
class Rule:
    kind: Literal["alert", "record"]
    name: str
    expr: str
    group: Group
    line: int
    column: int
    tree: Expr | None = None
    """The expression; None when this Prometheus would refuse it."""
    for_seconds: float = 0.0
    keep_firing_for: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    """Parsed templates of an alert by "labels.NAME" and "annotations.NAME"."""
    scalars: dict[str, Scalar] = field(default_factory=dict)
    """Where fields are written, by the same keys and by field name."""

    @property
    def is_alert(self) -> bool:
        return self.kind == "alert"

    @property
    def object(self) -> str:
        return f"{self.group.name}/{self.name}"

    def place(self, *keys: str) -> Place:
        """Where the first of these fields that is written is; else where the rule begins."""
        for key in keys:
            scalar = self.scalars.get(key)
            if scalar is not None:
                return scalar.line, scalar.column
        return self.line, self.column

    def place_in_expr(self, position: int) -> Place:
        """Where a character of the expression is in the file."""
        scalar = self.scalars.get("expr")
        if scalar is None:
            return self.line, self.column
        row = self.expr.count("\n", 0, position)
        offset = position - self.expr.rfind("\n", 0, position) - 1
        if scalar.style == "|":
            return scalar.line + 1 + row, self.group.file.indentation(scalar.line + 1) + offset + 1
        if scalar.style == ">" or row:
            return scalar.line, scalar.column
        return scalar.line, scalar.column + offset + (scalar.style != "")


@dataclass(slots=True)
class Group:
    name: str
    file: RuleFile
    line: int
    column: int
    interval: float = 0.0
    """Seconds; 0 when the server's own interval holds."""
    labels: dict[str, str] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    def all_labels(self, rule: Rule) -> dict[str, str]:
        """The labels that the rule sets, its group's included."""
        return {**self.labels, **rule.labels} if self.labels else rule.labels


@dataclass(slots=True)
class RuleFile:
    path: str
    text: str = ""
    profile: Profile = field(default_factory=Profile)
    """The Prometheus that reads the expressions."""
    manifest: str = ""
    """The name of the PrometheusRule; "" for a plain rule file."""
    groups: list[Group] = field(default_factory=list)
    _lines: list[str] | None = None

    @property
    def rules(self) -> list[Rule]:
        """Those of all groups, in order."""
        return [rule for group in self.groups for rule in group.rules]

    def indentation(self, line: int) -> int:
        if self._lines is None:
            self._lines = self.text.splitlines()
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return len(text) - len(text.lstrip(" "))
