# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All layers together: sources in, findings and normalised rules out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .. import _rules
from .._findings import Finding, Plain
from .._promql import Profile
from . import (
    expressions,
    lint_burn_rate,
    lint_conditions,
    lint_series,
    lint_set,
    lint_templates,
    lint_units,
    metadata,
)
from .context import Context, Index, Settings
from .load import outline
from .model import Rule, RuleFile
from .report import Report
from .shares import look_at


@dataclass(frozen=True, slots=True)
class Source:
    """A text with rules and the name that findings give it."""

    path: str
    text: str


@dataclass(slots=True)
class Result:
    files: list[RuleFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def check(
    sources: Iterable[Source],
    profile: Profile,
    settings: Settings | None = None,
    contract: Source | None = None,
    alertmanager: Source | None = None,
) -> Result:
    """Every finding of every layer, ordered by place."""
    settings = settings or Settings()
    report = Report()
    promised = _rules.contract.load(contract.path, contract.text, report) if contract is not None else None
    files = [file for source in sources for file in outline(source.path, source.text, profile, report)]
    index = Index.of(files, promised)
    report.findings += look_at(index.rules, lambda rules: _each(rules, index, settings))
    lint_set.check_set(index, report)
    if alertmanager is not None:
        routing = _rules.routing_config.load(alertmanager.path, alertmanager.text, report)
        if routing is not None:
            _rules.lint_routing.check(routing, _rules.lint_routing.of_rules(index), settings, report)
    report.findings.sort(key=lambda finding: (finding.file, finding.line, finding.column, finding.id))
    return Result(files, report.findings)


def _each(rules: Iterable[Rule], index: Index, settings: Settings) -> list[Finding]:
    """What there is to say of each of the rules."""
    report, promised = Report(), index.contract
    for rule in rules:
        expressions.check(rule, report)
        if (tree := rule.tree) is not None:
            context = Context(rule, tree, index, settings, report)
            lint_series.check(context)
            if promised is not None:
                _rules.lint_contract.check(context, promised)
            if rule.is_alert:
                lint_conditions.check(context)
                lint_units.check(context)
                lint_burn_rate.check(context)
                lint_templates.check(context)
            else:
                lint_set.check_name(context)
        if rule.is_alert:
            metadata.check(rule, settings, report)
    return report.findings


def normalised(files: Iterable[RuleFile]) -> list[Plain]:
    """The rules as plain data, one for each rule, as Prometheus understands them."""
    return [
        {
            "file": file.path,
            "group": group.name,
            "kind": rule.kind,
            "name": rule.name,
            "expr": rule.expr.strip(),
            "for": rule.for_seconds,
            "keep_firing_for": rule.keep_firing_for,
            "labels": dict(group.all_labels(rule)),
            "annotations": dict(rule.annotations),
            "line": rule.line,
        }
        for file in files
        for group in file.groups
        for rule in group.rules
    ]
