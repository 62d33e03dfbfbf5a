# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does anything fire?"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from .._findings import Finding, Severity, by_severity
from .._prometheus import ActiveAlert, LoadedRule
from .result import CheckResult

NO_ALARM = "none"
"""The severity of what fires by design: a watchdog, helpers of inhibition."""
NOT_NAMED = frozenset({"alertname", "severity", "owner"})


def check_firing(rules: Iterable[LoadedRule]) -> CheckResult:
    """No alerting rule fires, but for those with severity none. What is pending, or fires as information, is told."""
    alerting = [rule for rule in rules if rule.kind == "alerting"]
    alerts = [alert for rule in alerting for alert in rule.alerts if alert.labels.get("severity") != NO_ALARM]
    findings = by_severity(_about(alert) for alert in alerts)
    loud = {alert.labels.get("alertname") for alert in alerts if _severity(alert) == "error"}
    passed = sum(rule.name not in loud for rule in alerting)
    return CheckResult(len(alerting), passed, findings)


def _severity(alert: ActiveAlert) -> Severity:
    return "error" if alert.state == "firing" and alert.labels.get("severity") != "info" else "info"


def _about(alert: ActiveAlert) -> Finding:
    severity = alert.labels.get("severity") or "no severity"
    summary = alert.annotations.get("summary") or alert.annotations.get("message") or ""
    does = "fires" if alert.state == "firing" else "is pending"
    runbook = alert.annotations.get("runbook_url", "")
    return Finding(
        "alerts/firing" if alert.state == "firing" else "alerts/pending",
        _severity(alert),
        f"{does} since {_clock(alert.since)}, {severity}{summary and f': {summary}'}",
        f"{runbook and f'Its runbook: {runbook}. '}Where the site is known for it, waive it with a reason",
        object=identity(alert),
        evidence={"labels": dict(alert.labels), "description": alert.annotations.get("description", "")},
    )


def identity(alert: ActiveAlert) -> str:
    """Its name, and the labels that tell it from its like."""
    named = (f"{name}={value}" for name, value in sorted(alert.labels.items()) if name not in NOT_NAMED)
    return " ".join([alert.labels.get("alertname", ""), *named])


def _clock(moment: float | None) -> str:
    if moment is None:
        return "a time that Prometheus does not say"
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
