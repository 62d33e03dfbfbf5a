# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every lint of rules, in one list."""

from __future__ import annotations

from collections.abc import Sequence

from .._findings import Finding
from .context import Context, Index, Settings
from .lints import burn_rate, conditions, contract, metadata, recording_rules, series, templates, units
from .model import Rule
from .report import RuleReport

_OF_EVERY_RULE = (series.check, contract.check)
_OF_ALERTS = (conditions.check, units.check, burn_rate.check, templates.check)
_OF_RECORDS = (recording_rules.check_name,)


def lint_rules(rules: Sequence[Rule], index: Index, settings: Settings) -> list[Finding]:
    """What there is to say of each of the rules, and of all rules of the index together."""
    report = RuleReport()
    for rule in rules:
        if rule.is_alert:
            metadata.check(rule, settings, report)
        if rule.tree is not None:
            context = Context(rule, rule.tree, index, settings, report)
            for lint in (*_OF_EVERY_RULE, *(_OF_ALERTS if rule.is_alert else _OF_RECORDS)):
                lint(context)
    return report.findings + recording_rules.lint_recording_rules(index)
