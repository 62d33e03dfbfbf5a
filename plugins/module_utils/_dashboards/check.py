# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All of it: texts of dashboards in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._findings import Finding
from .._sources import Source as Text
from . import layout, queries
from . import references as names
from .load import load
from .model import read
from .queries import Reader
from .references import Source
from .report import DashboardReport


def check(texts: Iterable[Text], reader: Reader, sources: Sequence[Source] | None = None) -> tuple[list[Finding], int]:
    """Every finding, by file and place, and how many queries were read. `sources` None: not known."""
    findings: list[Finding] = []
    asked = 0
    uids: dict[str, str] = {}
    for one in texts:
        raw, problems = load(one.path, one.text)
        findings += problems
        if raw is None:
            continue
        dashboard = read(one.path, raw)
        report = DashboardReport(dashboard, one.text)
        first = uids.setdefault(dashboard.uid, one.path) if dashboard.uid else one.path
        if first != one.path:
            report.add(
                "dashboards/duplicate-uid",
                "error",
                f"uid {dashboard.uid} is also that of {first}",
                hint="give it a uid of its own",
                path=("uid",),
            )
        layout.check(dashboard, report)
        names.check(dashboard, sources, report)
        queries.check(dashboard, reader, report)
        findings += report.findings
        asked += sum(bool(target.query) for panel in dashboard.panels for target in panel.targets)
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column, finding.id)), asked
