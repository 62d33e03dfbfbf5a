# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All layers together: sources in, findings and normalised rules out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .._contract import load as contracts
from .._findings import Finding, Plain, by_place
from .._promql import Profile
from .._sources import Source
from .context import DEFAULT_SCRAPE_INTERVAL, Index
from .lint import lint_rules
from .load import parse_rules
from .model import RuleFile
from .report import RuleReport


@dataclass(frozen=True, slots=True)
class Result:
    files: list[RuleFile]
    index: Index
    findings: list[Finding]


def check(
    sources: Iterable[Source],
    profile: Profile,
    contract: Source | None = None,
    scrape_interval: float = DEFAULT_SCRAPE_INTERVAL,
) -> Result:
    """Every finding of every layer, ordered by place."""
    report = RuleReport()
    described = contracts.load(contract.path, contract.text, report) if contract is not None else None
    files = [file for source in sources for file in parse_rules(source.path, source.text, profile, report)]
    index = Index.of(files, described)
    report.findings += lint_rules(index.rules, index, scrape_interval)
    return Result(files, index, by_place(report.findings))


def normalised(files: Iterable[RuleFile]) -> list[Plain]:
    """The rules as plain data, one for each rule, as Prometheus understands them."""
    return [
        {
            "file": file.path,
            "group": rule.group.name,
            "kind": rule.kind,
            "name": rule.name,
            "expr": rule.expr.strip(),
            "for": rule.for_seconds,
            "keep_firing_for": rule.keep_firing_for,
            "labels": dict(rule.group.all_labels(rule)),
            "annotations": dict(rule.annotations),
            "line": rule.line,
        }
        for file in files
        for rule in file.rules
    ]
