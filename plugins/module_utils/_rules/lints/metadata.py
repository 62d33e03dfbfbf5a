# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`metadata/*`: what a person who is woken up by the alert needs to find in it."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..context import SEVERITIES
from ..model import Rule
from ..report import RuleReport

_MESSAGE = ("description", "message")


def check(rule: Rule, report: RuleReport) -> None:
    labels = rule.group.all_labels(rule)
    severity = labels.get("severity", "")
    if not severity:
        report.rule(
            rule,
            "metadata/severity",
            "warning",
            "the alert has no label `severity`: routing cannot tell how urgent it is",
            hint=f"one of {', '.join(SEVERITIES)}",
            place=rule.place("labels"),
        )
    elif "{{" not in severity and severity not in SEVERITIES:
        report.rule(
            rule,
            "metadata/severity",
            "warning",
            f"severity {severity!r} is none of {', '.join(SEVERITIES)}",
            place=rule.place("labels.severity"),
        )
    if not rule.annotations.get("summary"):
        report.rule(
            rule,
            "metadata/summary",
            "info",
            "the alert has no annotation `summary`",
            hint="one sentence that says what is broken",
            place=(rule.line, rule.column),
        )
    if not any(rule.annotations.get(key) for key in _MESSAGE):
        report.rule(
            rule,
            "metadata/description",
            "info",
            "the alert has no annotation `description`",
            hint="what is wrong, how bad, and since when; with the labels and the value",
            place=(rule.line, rule.column),
        )
    _runbook(rule, report)


def _runbook(rule: Rule, report: RuleReport) -> None:
    url = rule.annotations.get("runbook_url", "")
    if not url:
        report.rule(
            rule,
            "metadata/runbook",
            "info",
            "the alert has no annotation `runbook_url`",
            hint="a link to what to do about it",
            place=(rule.line, rule.column),
        )
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if "{{" not in url and (parts.scheme not in {"http", "https"} or not parts.netloc):
        report.rule(
            rule,
            "metadata/runbook",
            "warning",
            f"runbook_url {url!r} is no link",
            hint="write it with https://",
            place=rule.place("annotations.runbook_url"),
        )
