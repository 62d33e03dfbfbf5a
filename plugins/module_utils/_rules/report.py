# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collects findings; one place that knows how a finding about a rule looks."""

from __future__ import annotations

from .._findings import Finding, Report, Severity
from .model import Group, Place, Rule


class RuleReport(Report):
    """Knows how a finding about a rule, or a group, looks."""

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
