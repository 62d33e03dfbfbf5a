# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to say of one rule: layers (a) to (c) and its metadata."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _rules
from .._findings import Finding
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
from .model import Rule
from .report import Report

BATCH = 200
"""Rules. Enough to stay with the same code for a while, few enough to keep little of them at a time."""

_OF_ALERTS = (lint_conditions.check, lint_units.check, lint_burn_rate.check, lint_templates.check)


def look(rules: Sequence[Rule], index: Index, settings: Settings) -> list[Finding]:
    """What there is to say of each of the rules, which are of the index; what it says of one needs no other's.

    Lint by lint over a batch of rules, not rule by rule: the same code again and again is a fifth faster.
    """
    report = Report()
    for start in range(0, len(rules), BATCH):
        batch = rules[start : start + BATCH]
        trees = [(rule, rule.tree) for rule in batch]
        for rule in batch:
            expressions.check(rule, report)
        for rule in batch:
            if rule.is_alert:
                expressions.check_templates(rule, report)
                metadata.check(rule, settings, report)
        _lint([Context(rule, tree, index, settings, report) for rule, tree in trees if tree is not None])
    return report.findings


def _lint(contexts: Sequence[Context]) -> None:
    for context in contexts:
        lint_series.check(context)
    for context in contexts:
        if context.index.contract is not None:
            _rules.lint_contract.check(context, context.index.contract)
    for lint in _OF_ALERTS:
        for context in contexts:
            if context.rule.is_alert:
                lint(context)
    for context in contexts:
        if not context.rule.is_alert:
            lint_set.check_name(context)
