# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site is known for is let through, and told."""

from __future__ import annotations

from dataclasses import replace

from .._checks.result import CheckResult
from .._waivers import waive

WAIVERS_ARGS = {"waivers": {"type": "path"}}


def without_waived(result: CheckResult, path: str | None) -> CheckResult:
    """The result without what the file of waivers covers.

    A waiver that covers nothing is no finding here: what it waives may come and go, or be of another proof.
    """
    if not path:
        return replace(result, facts={**result.facts, "waived": []})
    left, waived = waive(result.findings, path)
    found = [finding for finding in left if finding.id != "waivers/unused"]
    objects = {finding.object for finding in waived if finding.severity == "error"}
    passed = min(result.checked, result.passed + len(objects))
    facts = {**result.facts, "waived": [finding.as_dict() for finding in waived]}
    return CheckResult(result.checked, passed, found, facts)
