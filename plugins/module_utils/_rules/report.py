# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collects findings; one place that knows how a finding about a rule looks."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._findings import Finding, Severity
from .model import Group, Place, Rule


@dataclass(slots=True)
class Report:
    file: str = ""
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        identity: str,
        severity: Severity,
        message: str,
        *,
        hint: str = "",
        place: Place = (0, 0),
        object_: str = "",
    ) -> None:
        line, column = place
        self.findings.append(
            Finding(identity, severity, message, hint, file=self.file, line=line, column=column, object=object_)
        )

    def rule(
        self, rule: Rule, identity: str, severity: Severity, message: str, *, hint: str = "", place: Place | None = None
    ) -> None:
        where = place or rule.place("expr")
        self.findings.append(
            Finding(
                identity,
                severity,
                message,
                hint,
                file=rule.group.file.path,
                line=where[0],
                column=where[1],
                object=rule.object,
            )
        )

    def group(self, group: Group, identity: str, severity: Severity, message: str, *, hint: str = "") -> None:
        self.findings.append(
            Finding(
                identity,
                severity,
                message,
                hint,
                file=group.file.path,
                line=group.line,
                column=group.column,
                object=group.name,
            )
        )
