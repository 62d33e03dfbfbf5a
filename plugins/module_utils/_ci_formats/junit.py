# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from .._findings import Finding, Severity, failed

_SUITE = "ias.observability.validate"


def junit(findings: Sequence[Finding], fail_on: Severity) -> str:
    """One test case a finding, failed where it fails the build; without findings, one that passed."""
    failures = sum(failed([finding], fail_on) for finding in findings)
    tests = str(max(1, len(findings)))
    suite = Xml.Element("testsuite", name=_SUITE, tests=tests, failures=str(failures), errors="0")
    for finding in findings:
        case = Xml.SubElement(suite, "testcase", classname=finding.file or _SUITE, name=_name(finding))
        if finding.file:
            case.set("file", finding.file)
        if finding.line:
            case.set("line", str(finding.line))
        if failed([finding], fail_on):
            failure = Xml.SubElement(case, "failure", type=finding.severity, message=finding.message)
            failure.text = str(finding)
        else:
            Xml.SubElement(case, "system-out").text = f"{finding.severity}: {finding}"
    if not findings:
        Xml.SubElement(suite, "testcase", classname=_SUITE, name="no findings")
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _name(finding: Finding) -> str:
    """Different for each finding: a report of many cases of one name counts only one."""
    place = f"{finding.line}:{finding.column}" if finding.line else ""
    return " ".join(part for part in (finding.id, finding.object, place) if part)
