# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the routing that Alertmanager runs lead every alert to somebody?"""

from __future__ import annotations

from collections.abc import Iterable

from .._alertmanager.configuration import Routing, load
from .._alertmanager.routing import LabelSet, match
from .._findings import Finding, Report, Severity
from .._prometheus import LoadedRule
from .result import CheckResult

FOR_NOBODY = frozenset({"none", "info"})
"""Severities of alerts that need not reach anybody."""
PAGING = frozenset({"critical", "page"})
_SHOWN = 3


def check_routing(configuration: str, rules: Iterable[LoadedRule]) -> CheckResult:
    """Each alert of the rules, by the labels that they set, reaches a receiver with an integration.

    Labels that only the series have may lead it anywhere: then one receiver that it may reach is enough.
    """
    report = Report()
    routing = load("Alertmanager", configuration, report)
    if routing is None:
        cause = f"the routing that Alertmanager runs cannot be read: {report.findings[0].message}"
        return CheckResult(1, 0, [Finding("alerts/routing-unknown", "warning", cause, "See amtool config show")])
    alerting = [rule for rule in rules if rule.kind == "alerting"]
    silent: dict[tuple[Severity, tuple[str, ...]], list[str]] = {}
    for rule in alerting:
        severity = rule.labels.get("severity", "")
        receivers = reached(routing, rule)
        if severity not in FOR_NOBODY and not any(routing.receivers[name].has_integration for name in receivers):
            key: tuple[Severity, tuple[str, ...]] = ("error" if severity in PAGING else "warning", receivers)
            silent.setdefault(key, []).append(rule.name)
    findings = [_reaches_nobody(*key, names) for key, names in silent.items()]
    passed = len(alerting) - sum(map(len, silent.values()))
    return CheckResult(len(alerting), passed, findings, {"receivers": sorted(routing.receivers)})


def reached(routing: Routing, rule: LoadedRule) -> tuple[str, ...]:
    """The receivers that an alert of the rule reaches, certainly or perhaps."""
    own = {name: None if "{{" in value else value for name, value in rule.labels.items()}
    return tuple(sorted(set(match(routing.root, LabelSet({**own, "alertname": rule.name}, True)).receivers)))


def _reaches_nobody(severity: Severity, receivers: tuple[str, ...], alerts: list[str]) -> Finding:
    names = list(dict.fromkeys(alerts))
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    urgent = "critical " if severity == "error" else ""
    reach = "alert reaches" if len(alerts) == 1 else "alerts reach"
    return Finding(
        "alerts/no-integration",
        severity,
        f"{len(alerts)} {urgent}{reach} nobody ({shown}): no integration",
        "Give the receiver an entry in prometheus_receivers; a site that nobody is to be notified of waives it",
        object=f"receiver {', '.join(receivers)}",
    )
