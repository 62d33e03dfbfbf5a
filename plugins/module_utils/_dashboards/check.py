# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All of it: texts of dashboards in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._findings import Finding, by_place
from .._sources import Source as Text
from . import layout, queries, references
from .load import load
from .model import read
from .queries import Reader
from .references import Source
from .report import DashboardReport


def check(texts: Iterable[Text], reader: Reader, sources: Sequence[Source] | None = None) -> tuple[list[Finding], int]:
    """Every finding, by file and place, and how many queries were read. `sources` None: not known."""
    findings: list[Finding] = []
    queries_read = 0
    uids: dict[str, str] = {}
    for path, content in texts:
        document, problems = load(path, content, reader.contract)
        findings += problems
        if document is None:
            continue
        dashboard = read(document.file, document.raw)
        report = DashboardReport(dashboard, document.positions)
        first = uids.setdefault(dashboard.uid, path) if dashboard.uid else path
        if first != path:
            report.add(
                "dashboards/duplicate-uid",
                "error",
                f"uid {dashboard.uid} is also that of {first}",
                hint="give it a uid of its own",
                path=("uid",),
            )
        layout.check(dashboard, report)
        references.check(dashboard, sources, report)
        queries.check(dashboard, reader, report)
        findings += report.findings
        queries_read += sum(bool(target.query) for panel in dashboard.panels for target in panel.targets)
    return by_place(findings), queries_read
