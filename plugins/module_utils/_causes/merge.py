# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings of one cause are one finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .._findings import SEVERITIES, Finding
from .chain import Chain, Step, cause


class Explained(NamedTuple):
    """A finding, and what was looked at to explain it; without a broken link it stays as it is."""

    finding: Finding
    chain: Chain = ()


SYMPTOMS: Mapping[str, str] = {
    "alerts/differs": "{count} rules differ from their file",
    "alerts/evaluation-error": "{count} rules cannot be evaluated",
    "alerts/not-loaded": "{count} rules are missing",
    "contract/missing": "{count} metrics have no series",
    "dashboards/no-data": "{count} panels have no sample",
    "dashboards/query-failed": "{count} queries fail",
    "targets/down": "{count} targets are down",
    "targets/missing-job": "{count} jobs have no target",
    "targets/monitor": "{count} endpoints of monitors have no target",
}
"""What several findings of one id say together."""


def merged(explained: Iterable[Explained]) -> list[Finding]:
    """One finding for each cause, in the order of their first; what has no cause stays as it is."""
    groups: dict[tuple[str, str], list[Explained]] = {}
    findings: list[Finding | tuple[str, str]] = []
    for one in explained:
        found = cause(one.chain)
        if found is None:
            findings.append(_looked_at(one))
            continue
        key = (one.finding.id, found.text)
        if key not in groups:
            findings.append(key)
        groups.setdefault(key, []).append(one)
    return [entry if isinstance(entry, Finding) else _one(groups[entry]) for entry in findings]


def _looked_at(one: Explained) -> Finding:
    """Unexplained; what was looked at is evidence all the same."""
    if not one.chain:
        return one.finding
    return one.finding._replace(evidence={**one.finding.evidence, "looked_at": texts(one.chain)})


def _one(group: Sequence[Explained]) -> Finding:
    first, chain = group[0]
    found = cause(chain) or Step("")
    evidence: dict[str, object] = {**first.evidence, "looked_at": texts(chain)}
    severity = min((one.finding.severity for one in group), key=SEVERITIES.index)
    if len(group) > 1:
        symptom = SYMPTOMS.get(first.id, "{count} findings, such as: " + _braced(first.message))
        message = symptom.format(count=len(group))
        evidence["objects"] = [one.finding.object for one in group]
    else:
        message = first.message
    files = {one.finding.file for one in group}
    place = first if len(group) == 1 else first._replace(file=files.pop() if len(files) == 1 else "", line=0, column=0)
    return place._replace(
        severity=severity,
        message=f"{found.text}: {message}",
        hint=found.hint or first.hint,
        object=first.object if len(group) == 1 else "",
        evidence=evidence,
    )


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def texts(chain: Chain) -> list[str]:
    """A chain as lines, each with its mark."""
    marks = {"ok": "ok", "broken": "BROKEN", "unknown": "?"}
    return [f"{marks[step.state]}: {step.text}" for step in chain]
