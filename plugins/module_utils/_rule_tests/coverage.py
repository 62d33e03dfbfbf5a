# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which alerts promtool's test files try: each one firing and silent, by each branch of its `or`s.

Nothing is evaluated: promtool says whether a test passes. A firing case counts for the branches that can be what
fires in it; a silent one for those whose selectors have input, so that their condition keeps them silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .._findings import Plain
from .._promql.literals import format_duration
from .._promql.nodes import Binary, Expr, strip_parens, walk
from .._promql.printer import to_text
from .._rules.context import ALWAYS_FIRING, Index
from .._rules.label_flow import Flows, can
from .._rules.model import Rule
from .._rules.report import RuleReport
from .load import Case, Test
from .possible_values import PossibleValues

ALERT_NAME = "alertname"
MAX_BRANCHES = 64


@dataclass(slots=True)
class Branch:
    """A condition under which the alert fires: all of `parts` have a result, the first gives the labels."""

    parts: tuple[Expr, ...]
    firing: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    """Where the cases are, as file:line."""

    @property
    def text(self) -> str:
        return " and ".join(to_text(part) for part in self.parts)


@dataclass(slots=True)
class Coverage:
    """The cases of one alert."""

    rule: Rule
    branches: list[Branch]
    firing: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def can_be_silent(self) -> bool:
        """Nothing can keep a watchdog silent."""
        return self.rule.name not in ALWAYS_FIRING

    @property
    def is_complete(self) -> bool:
        if not self.can_be_silent:
            return bool(self.firing)
        return bool(self.firing and self.silent) and all(branch.firing and branch.silent for branch in self.branches)

    def as_dict(self) -> Plain:
        return {
            "file": self.rule.group.file.path,
            "line": self.rule.line,
            "group": self.rule.group.name,
            "alert": self.rule.name,
            "complete": self.is_complete,
            "firing": self.firing,
            "silent": self.silent,
            "branches": [
                {"expr": branch.text, "firing": branch.firing, "silent": branch.silent} for branch in self.branches
            ],
        }


def cover(index: Index, tests: Iterable[Test], report: RuleReport) -> list[Coverage]:
    """The coverage of every alert of the index; what is missing is reported as coverage/*."""
    covered = [Coverage(rule, branches(rule.tree)) for rule in index.rules if rule.is_alert and rule.tree is not None]
    known = {rule.name for rule in index.rules if rule.is_alert}
    by_name: dict[str, list[Coverage]] = {}
    for coverage in covered:
        by_name.setdefault(coverage.rule.name, []).append(coverage)
    for test in tests:
        values_at: dict[float, PossibleValues] = {}
        for case in test.cases:
            if case.alert not in known:
                _unknown(test, case, known, report)
            values = values_at.get(case.seconds) or PossibleValues(test.series, index, case.seconds)
            values_at[case.seconds] = values
            for coverage in by_name.get(case.alert, []):
                _count(coverage, test, case, values, index)
    for coverage in covered:
        _missing(coverage, report)
    return covered


def branches(tree: Expr | None) -> list[Branch]:
    """The operands of the outer `or`s, also below `and` and `unless`."""
    if tree is None:
        return []
    found = [Branch(parts) for parts in _disjuncts(tree, ())]
    return found if len(found) <= MAX_BRANCHES else [Branch((tree,))]


def _disjuncts(tree: Expr, conditions: tuple[Expr, ...]) -> Iterator[tuple[Expr, ...]]:
    pending = [(tree, conditions)]
    while pending:
        node, others = pending.pop()
        node = strip_parens(node)
        if isinstance(node, Binary) and node.operator == "or":
            pending += [(node.right, others), (node.left, others)]
        elif isinstance(node, Binary) and node.operator == "and":
            pending.append((node.left, (node.right, *others)))
        elif isinstance(node, Binary) and node.operator == "unless":
            pending.append((node.left, others))
        else:
            yield (node, *others)


def _count(coverage: Coverage, test: Test, case: Case, values: PossibleValues, index: Index) -> None:
    where = f"{test.file}:{case.line}"
    own = coverage.rule.group.all_labels(coverage.rule)
    expected = [labels for labels in case.expected if _is_of(labels, own)]
    (coverage.firing if expected else coverage.silent).append(where)
    flows = Flows(list(walk(coverage.rule.tree)), index.flow) if expected and coverage.rule.tree is not None else None
    for branch in coverage.branches:
        if flows is None:
            if all(values.has_input(part) for part in branch.parts):
                branch.silent.append(where)
        elif all(values.fires(part) for part in branch.parts):
            flow = flows.of(branch.parts[0])
            if any(all(can(flow, name) for name in labels if name not in own) for labels in _without_name(expected)):
                branch.firing.append(where)


def _is_of(labels: dict[str, str], own: dict[str, str]) -> bool:
    """An expected alert can come from the rule: several rules may share a name and differ in their severity."""
    return all(labels.get(name, "") == value for name, value in own.items() if "{{" not in value)


def _without_name(expected: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in labels.items() if name != ALERT_NAME} for labels in expected]


def _unknown(test: Test, case: Case, known: set[str], report: RuleReport) -> None:
    report.file = test.file
    report.add(
        "coverage/unknown-alert",
        "error",
        f"no rule is an alert {case.alert!r}: a case that expects nothing of it always passes",
        hint=f"known are {', '.join(sorted(known)[:10]) or 'none'}",
        place=(case.line, case.column),
        object_=test.name,
    )


def _missing(coverage: Coverage, report: RuleReport) -> None:
    rule = coverage.rule
    if not coverage.firing:
        _add(rule, "firing", "no test makes the alert fire", _advice(rule, fires=True), report)
    if not coverage.silent and coverage.can_be_silent:
        _add(rule, "silent", "no test shows that the alert stays silent", _advice(rule, fires=False), report)
    if len(coverage.branches) == 1 and not (coverage.firing and coverage.silent):
        return
    for branch in coverage.branches:
        if coverage.firing and not branch.firing:
            _add(rule, "branch", f"no test makes the alert fire by `{branch.text}`", _SERIES, report)
        if coverage.silent and not branch.silent:
            _add(rule, "branch", f"in no silent test does `{branch.text}` find what it looks at", _SERIES, report)


_SERIES = "add input_series that this branch selects, present at eval_time"


def _advice(rule: Rule, *, fires: bool) -> str:
    held = f" for {format_duration(rule.for_seconds)}" if rule.for_seconds else ""
    if fires:
        return f"add a case just beyond the threshold{held}, with exp_alerts"
    return "add a case just within the threshold, without exp_alerts"


def _add(rule: Rule, what: str, message: str, hint: str, report: RuleReport) -> None:
    report.rule(rule, f"coverage/{what}", "error", message, hint=hint, place=(rule.line, rule.column))
