# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one result type of every validator and every proof."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
Plain = dict[str, object]
Evidence = Mapping[str, object]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_MOST_COMPARED = 1000
_NO_EVIDENCE: Evidence = MappingProxyType({})


class Finding(NamedTuple):
    """What is wrong, where, and what to do about it. ``id`` is stable and documented."""

    id: str
    severity: Severity
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    object: str = ""
    evidence: Evidence = _NO_EVIDENCE

    def as_dict(self) -> Plain:
        """All fields; `evidence` only where there is some, which few findings have and none of a validator's."""
        plain: Plain = {
            "id": self.id,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "object": self.object,
        }
        if self.evidence:
            plain["evidence"] = dict(self.evidence)
        return plain

    @property
    def where(self) -> str:
        """The place, as compilers write it: file:line:column, then the object."""
        place = (
            ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)]) if self.file else ""
        )
        return " ".join(part for part in (place, self.object) if part)

    @property
    def advice(self) -> str:
        """The message, and what to do."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{where}{self.advice} [{self.id}]"


@dataclass(slots=True)
class Report:
    """Collects what is found in one file after the other."""

    file: str = ""
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        identity: str,
        severity: Severity,
        message: str,
        *,
        hint: str = "",
        place: tuple[int, int] = (0, 0),
        object_: str = "",
    ) -> None:
        line, column = place
        self.findings.append(
            Finding(identity, severity, message, hint, file=self.file, line=line, column=column, object=object_)
        )


def did_you_mean(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """A hint at the known name that is nearly this one, or ""; of many names the first thousand are compared."""
    near = difflib.get_close_matches(name, islice(known, _MOST_COMPARED), 1, likeness)
    return f"did you mean {near[0]!r}?" if near else ""


def failed(findings: Iterable[Finding], fail_on: Severity = "error") -> bool:
    """Whether one of them is at least so severe."""
    severe = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return any(finding.severity in severe for finding in findings)


def summary(findings: Iterable[Finding]) -> dict[str, int]:
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding.severity] += 1
    return {str(severity): count for severity, count in counts.items()}


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first; otherwise in the order found."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def by_place(findings: Iterable[Finding]) -> list[Finding]:
    """As a reader goes through the files."""
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column, finding.id))


def counted(findings: Iterable[Finding]) -> str:
    """How many there are of each severity, as in `2 errors, 1 warning`."""
    counts = [
        f"{count} {severity}{'s' if count != 1 else ''}" for severity, count in summary(findings).items() if count
    ]
    return ", ".join(counts) or "nothing found"


def failure_message(what: str, findings: Iterable[Finding]) -> str:
    """One message with every finding in it, errors first."""
    ordered = by_severity(findings)
    return "\n".join([f"{what}: {counted(ordered)}", *(f"{finding.severity}: {finding}" for finding in ordered)])
