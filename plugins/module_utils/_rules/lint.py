# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every lint of rules, in one list."""

from __future__ import annotations

from collections.abc import Sequence

from .._findings import Finding
from .context import DEFAULT_SCRAPE_INTERVAL, Context, Index
from .lints import (
    absence,
    burn_rate,
    conditions,
    contract,
    counters,
    histograms,
    matching,
    metadata,
    periods,
    ranges,
    ratios,
    recording_rules,
    selectors,
    templates,
    units,
)
from .model import Rule
from .report import RuleReport

_OF_EXPRESSIONS = (
    *(selectors.check, ranges.check, histograms.check, counters.check, ratios.check, matching.check, contract.check),
)
_OF_ALERTS = (
    *(conditions.check, absence.check, counters.check_alert, ratios.check_alert, units.check, periods.check),
    *(burn_rate.check, contract.check_alert, templates.check),
)
_OF_RECORDS = (recording_rules.check_name, counters.check_record)


def lint_expression(context: Context) -> None:
    """What holds for every expression, whether it stands in a rule or in a dashboard."""
    for lint in _OF_EXPRESSIONS:
        lint(context)


def lint_rules(rules: Sequence[Rule], index: Index, scrape_interval: float = DEFAULT_SCRAPE_INTERVAL) -> list[Finding]:
    """What is found about each of the rules, and about all rules of the index together."""
    report = RuleReport()
    for rule in rules:
        if rule.is_alert:
            metadata.check(rule, report)
        if rule.tree is not None:
            context = Context(rule, rule.tree, index, report, scrape_interval)
            lint_expression(context)
            for lint in _OF_ALERTS if rule.is_alert else _OF_RECORDS:
                lint(context)
    return report.findings + recording_rules.lint_recording_rules(index)
