# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are the rules of a file what Prometheus evaluates, without errors?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._findings import Finding
from .._prometheus import LoadedRule, RuleGroup
from .._promql.literals import parse_duration
from .._yaml.tree import YamlError, duplicates, first_document, plain
from .freshness import clock, is_stale, shown_age
from .result import CheckResult


@dataclass(frozen=True, slots=True)
class WantedRule:
    """One rule of a rule file. ``expr`` is to be in Prometheus' formatting before it is compared."""

    file: str
    group: str
    name: str
    expr: str
    seconds: float
    record: str = ""
    """What it records; "" for an alert."""

    @property
    def label(self) -> str:
        return f"{self.group}/{self.name}"


class RuleFileError(ValueError):
    """The document is neither a rule file nor a PrometheusRule."""


def load_rules(file: str, text: str) -> list[WantedRule]:
    """The rules that a file holds."""
    try:
        root = first_document(text)
    except YamlError as error:
        raise RuleFileError(
            f"{file}:{error.line}:{error.column} is not YAML: {error.message}; correct the file"
        ) from error
    for key in duplicates(root):
        raise RuleFileError(f"{file}:{key.line}:{key.column} key {key.value!r} is written twice; keep one of them")
    return read_rules(file, None if root is None else plain(root))


def read_rules(file: str, document: Any) -> list[WantedRule]:
    """The rules of a rule file or of a PrometheusRule manifest."""
    body = document.get("spec", document) if isinstance(document, Mapping) else None
    groups = body.get("groups") if isinstance(body, Mapping) else None
    if not isinstance(groups, list) or not groups:
        raise RuleFileError(f"{file} has no rule groups: it must be a rule file or a PrometheusRule manifest")
    try:
        return [read_rule(file, group["name"], rule) for group in groups for rule in group.get("rules") or []]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"{file} is not a valid rule file: its groups and rules are not as they must be"
        raise RuleFileError(f"{message}; see what alert_rules_validate says of it") from error


def read_rule(file: str, group: str, rule: Mapping[str, Any]) -> WantedRule:
    name = rule.get("alert") or rule["record"]
    seconds = parse_duration(str(rule.get("for", "0s")))
    return WantedRule(file, group, name, str(rule["expr"]), seconds, rule.get("record") or "")


def check_rules(
    wanted: Sequence[WantedRule], groups: Sequence[RuleGroup], alertmanagers: Sequence[str], now: float
) -> CheckResult:
    """Every wanted rule is loaded as written and evaluated without an error, and alerts have somewhere to go.

    Every group, also of others, is evaluated now; `now` is Prometheus' clock, in seconds since the epoch.
    """
    loaded = [rule for group in groups for rule in group.rules]
    late = [group for group in groups if is_late(group, now)]
    late_names = {group.name for group in late}
    findings = [*not_evaluated(late, groups, now), *(too_slow(group) for group in groups if is_slow(group))]
    passed = 0
    for rule in wanted:
        found = judge(rule, [other for other in loaded if (other.group, other.name) == (rule.group, rule.name)])
        if found:
            findings.append(found)
        elif rule.group not in late_names:
            passed += 1
    ours = {(rule.group, rule.name) for rule in wanted}
    findings += [evaluation_error(rule) for rule in loaded if rule.error and (rule.group, rule.name) not in ours]
    if alertmanagers:
        passed += 1
    else:
        findings.append(
            Finding(
                "alerts/no-alertmanager",
                "error",
                "Prometheus has no active Alertmanager: no alert will reach anybody",
                "Check that its pod is ready and that Prometheus' alerting.alertmanagers names its service",
            )
        )
    facts = {"alertmanagers": list(alertmanagers), "loaded": len(loaded)}
    return CheckResult(len(wanted) + 1, passed, findings, facts)


def judge(rule: WantedRule, candidates: Sequence[LoadedRule]) -> Finding | None:
    if not candidates:
        return _about(
            rule,
            "alerts/not-loaded",
            "Prometheus has not loaded this rule",
            "Check that the PrometheusRule exists, that the rule selector is open, and the operator's log",
        )
    same = [other for other in candidates if other.expr == rule.expr and other.seconds == rule.seconds]
    if not same:
        return _about(
            rule,
            "alerts/differs",
            f"Prometheus evaluates another expression or duration: {candidates[0].expr} for {candidates[0].seconds:g}s",
            "Apply the rule file again; Prometheus reloads within a minute or two",
        )
    broken = next((other for other in same if other.error), None)
    if broken:
        return evaluation_error(broken)
    if all(other.health != "ok" for other in same):
        return _about(
            rule, "alerts/not-evaluated", "this rule has not been evaluated yet", "Wait for its group's interval"
        )
    return None


def is_late(group: RuleGroup, now: float) -> bool:
    """A group without an evaluation is new: its rules say so themselves."""
    return group.last_evaluation is not None and is_stale(
        now - group.last_evaluation, max(group.interval, group.duration)
    )


def is_slow(group: RuleGroup) -> bool:
    return group.duration > group.interval


def not_evaluated(late: Sequence[RuleGroup], groups: Sequence[RuleGroup], now: float) -> list[Finding]:
    """Groups that are evaluated no more: one finding when it is all of them."""
    if len(late) > 1 and len(late) == len(groups):
        message = f"Prometheus evaluates no rule any more: none of its {len(late)} groups since {_newest(late, now)}"
        return [_late("Prometheus", message)]
    return [
        _late(
            group.name,
            f"its rules were last evaluated at {_newest([group], now)}; its interval is {group.interval:g} s",
        )
        for group in late
    ]


def _late(where: str, message: str) -> Finding:
    hint = "Read Prometheus' own log and look at its load: no alert of these rules begins or ends"
    return Finding("alerts/evaluation-late", "error", message, hint, object=where)


def _newest(groups: Sequence[RuleGroup], now: float) -> str:
    moment = max(group.last_evaluation or 0.0 for group in groups)
    return f"{clock(moment)}, {shown_age(now - moment)} ago"


def too_slow(group: RuleGroup) -> Finding:
    message = f"evaluating its rules took {group.duration:.1f} s, its interval is {group.interval:g} s"
    hint = "Split the group, record what its expressions have in common, or raise its interval"
    return Finding("alerts/evaluation-slow", "warning", message, hint, object=group.name)


def evaluation_error(rule: LoadedRule) -> Finding:
    return Finding(
        "alerts/evaluation-error",
        "error",
        f"the rule cannot be evaluated: {rule.error}",
        "Correct the expression: its data differ from what it expects",
        object=f"{rule.group}/{rule.name}",
    )


def _about(rule: WantedRule, finding_id: str, message: str, hint: str) -> Finding:
    return Finding(finding_id, "error", message, hint, file=rule.file, object=rule.label)
