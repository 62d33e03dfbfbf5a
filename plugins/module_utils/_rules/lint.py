# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every lint of rules, in one list."""

from __future__ import annotations

from collections.abc import Sequence

from .._findings import Finding
from . import (
    lint_burn_rate,
    lint_conditions,
    lint_contract,
    lint_series,
    lint_set,
    lint_templates,
    lint_units,
    metadata,
)
from .context import Context, Index, Settings
from .model import Rule
from .report import Report

_OF_EVERY_RULE = (lint_series.check, lint_contract.check)
_OF_ALERTS = (lint_conditions.check, lint_units.check, lint_burn_rate.check, lint_templates.check)
_OF_RECORDS = (lint_set.check_name,)


def lint_rules(rules: Sequence[Rule], index: Index, settings: Settings) -> list[Finding]:
    """What there is to say of each of the rules, and of all rules of the index together."""
    report = Report()
    for rule in rules:
        if rule.is_alert:
            metadata.check(rule, settings, report)
        if rule.tree is not None:
            context = Context(rule, rule.tree, index, settings, report)
            for lint in (*_OF_EVERY_RULE, *(_OF_ALERTS if rule.is_alert else _OF_RECORDS)):
                lint(context)
    return report.findings + lint_set.check_set(index)
