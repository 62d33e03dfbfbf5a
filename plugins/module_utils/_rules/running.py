# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rules a site needs: those that ask for a service that it runs, or for none of the contract's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._contract.running import Running
from .._promql import PromQLError, parse
from .._promql.nodes import Expr

Plain = dict[str, Any]


class Formula(NamedTuple):
    """What a rule computes, and the name that it records; "" for an alert."""

    record: str
    expr: str


def needed(formulas: Iterable[Formula], running: Running) -> list[bool]:
    """For each rule whether the site needs it. Records that are left out take with them what rests on them alone."""
    rules = [(formula.record, _parsed(formula.expr)) for formula in formulas]
    fed = [True] * len(rules)
    while True:
        recorded: dict[str, bool] = {}
        for (record, _tree), is_fed in zip(rules, fed, strict=True):
            if record:
                recorded[record] = recorded.get(record, False) or is_fed
        found = [tree is None or running.is_fed(tree, recorded.get) for _record, tree in rules]
        if found == fed:
            return fed
        fed = found


def needed_groups(files: Sequence[Sequence[Mapping[str, Any]]], running: Running) -> list[list[Plain]]:
    """The groups of each rule file with the rules that the site needs; groups that lose all of theirs are left out."""
    rules = [rule for groups in files for group in groups for rule in group.get("rules") or []]
    answers = iter(needed((Formula(rule.get("record") or "", str(rule.get("expr", ""))) for rule in rules), running))
    kept = [
        [({**group, "rules": [rule for rule in group.get("rules") or [] if next(answers)]}, group) for group in groups]
        for groups in files
    ]
    return [[group for group, before in groups if group["rules"] or not before.get("rules")] for groups in kept]


def _parsed(expr: str) -> Expr | None:
    """None for what is no PromQL: Prometheus says what is wrong with it."""
    try:
        return parse(expr)
    except PromQLError:
        return None
