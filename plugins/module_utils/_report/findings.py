# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of several validators as one list, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._findings import Finding, Severity, by_severity, counted, failed
from .proofs import read_finding
from .text import wrap


def read_results(results: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """The findings of modules' registered results, each once: the same file may have been read by two modules."""
    findings = (finding for result in results for finding in _read(result))
    return list({(finding.id, finding.where, finding.message): finding for finding in findings}.values())


def _read(result: Mapping[str, Any]) -> Iterator[Finding]:
    """One without findings was not run to its end."""
    if "results" in result:
        yield from read_results(result["results"])
    elif "findings" in result:
        yield from map(read_finding, result["findings"])
    elif not result.get("skipped"):
        reason = str(result.get("msg") or "a validator ended without a result")
        yield Finding("validate/not-run", "error", reason, "correct what it says, and run it again")


def worst(findings: Sequence[Finding], fail_on: Severity, most: int) -> list[str]:
    """At most so many findings that are as severe as `fail_on`, in short lines; then how many there are in all."""
    severe = by_severity(finding for finding in findings if failed([finding], fail_on))
    lines = [line for finding in severe[:most] for line in wrap(f"{finding.severity}: {finding}", bullet="* ")]
    more = [f"... and {len(severe) - most} more"] if len(severe) > most else []
    return [*lines, *more, f"findings: {counted(findings)}"]
