# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: for one finding, for a reason, until a date."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._waivers import apply, load

TODAY = datetime.date(2026, 11, 23)
FINDINGS = [
    Finding("rules/a", "error", "m", file="x/f.yaml", object="g/A"),
    Finding("rules/a", "error", "m", file="x/f.yaml", object="g/B"),
    Finding("rules/b", "warning", "m", file="x/f.yaml", object="g/A"),
]


def outcome(text: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    report = RuleReport()
    waivers = load("w", text, report)
    assert report.findings == []
    left, waived = apply(FINDINGS, waivers, TODAY, "w")
    return [(f.id, f.object) for f in left], [(f.id, f.object) for f in waived]


def test_waives_what_it_names() -> None:
    left, waived = outcome("waivers: [{id: rules/a, object: g/A, reason: r, until: 2026-11-23}]")
    assert waived == [("rules/a", "g/A")]
    assert left == [("rules/a", "g/B"), ("rules/b", "g/A")]


def test_patterns() -> None:
    assert outcome("waivers: [{id: 'rules/*', file: '*/f.yaml', reason: r, until: 2027-01-01}]")[0] == []


def test_expired_waiver_is_an_error_and_waives_nothing() -> None:
    left, waived = outcome("waivers: [{id: rules/a, object: g/A, reason: r, until: 2026-11-22}]")
    assert waived == []
    assert left == [*((f.id, f.object) for f in FINDINGS), ("waivers/expired", "g/A")]


def test_waiver_without_a_finding_is_told() -> None:
    assert outcome("waivers: [{id: rules/z, reason: r, until: 2027-01-01}]")[0][-1] == ("waivers/unused", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("waivers: [", "not YAML"),
        ("", "a list `waivers`"),
        ("waivers: 5", "waivers must be a list, not a number or truth value"),
        ("waivers: [5]", "waivers[0] must be a mapping"),
        ("waivers: [{id: a, until: 2027-01-01}]", "'reason' is missing"),
        ("waivers: [{id: a, reason: b}]", "'until' is missing"),
        ("waivers: [{id: a, reason: b, until: soon}]", "no date"),
        ("waivers: [{id: a, reason: b, until: 2027-01-01, who: me}]", "unknown key 'who'"),
    ],
)
def test_incomplete_waivers(text: str, message: str) -> None:
    report = RuleReport()
    assert load("w", text, report) == []
    assert [finding.id for finding in report.findings] == ["waivers/file"]
    assert message in report.findings[0].message


@pytest.mark.parametrize("pattern", ["'*'", "waivers/*", "waivers/expired", "'w*'"])
def test_what_is_wrong_with_a_waiver_is_never_waived(pattern: str) -> None:
    everything = f"- {{id: {pattern}, reason: c, until: 2027-01-31}}\n"
    expired = "- {id: rules/a, reason: c, until: 2026-11-22}\n"
    for text in (expired + everything, everything + expired):
        report = RuleReport()
        left, waived = apply(FINDINGS, load("w.yaml", f"waivers:\n{text}", report), TODAY, "w.yaml")
        assert report.findings == []
        assert "waivers/expired" in [finding.id for finding in left]
        assert not [finding for finding in waived if finding.id.startswith("waivers/")]
