# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of proofs, as the reports need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._findings import SEVERITIES, Finding


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof that was run: what it proves, and how it ended."""

    name: str
    title: str
    passed: int
    checked: int
    findings: tuple[Finding, ...]
    facts: str
    """What it found beside its numbers, as one line."""
    seconds: float = 0.0
    """How long it took; 0 where nobody knows."""

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def ok(self) -> bool:
        return not self.errors


@dataclass(frozen=True, slots=True)
class PastRun:
    """An earlier run, as report.json keeps it."""

    started: str
    """ISO 8601 in UTC."""
    passed: int
    """Proofs, not checks."""
    failed: int
    seconds: float = 0.0
    """Of its longest proof; 0 where nobody knows."""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one report tells."""

    proofs: tuple[Proof, ...]
    started: str = ""
    """ISO 8601 in UTC; "" where nobody knows."""
    cluster: str = ""
    services: tuple[str, ...] = ()
    """The rows of the matrix of services and proofs."""
    versions: tuple[tuple[str, str], ...] = ()
    """Name and version of what took part."""
    history: tuple[PastRun, ...] = ()
    """Earlier runs, the oldest first."""

    @property
    def failed(self) -> list[Proof]:
        return [proof for proof in self.proofs if not proof.ok]

    @property
    def seconds(self) -> float:
        """Of its longest proof: they run beside each other."""
        return max((proof.seconds for proof in self.proofs), default=0.0)


def read_proof(name: str, title: str, result: Mapping[str, Any]) -> Proof:
    """A module's registered result. One that failed without a finding failed all the same."""
    listed = result.get("findings")
    findings = tuple(read_finding(entry) for entry in listed or ())
    broken = listed is None or (result.get("failed") and not any(entry.severity == "error" for entry in findings))
    if broken:
        reason = "it was not run" if result.get("skipped") else result.get("msg") or "it ended without a result"
        findings += (Finding("report/no-result", "error", str(reason)),)
    summary = result.get("summary") or {}
    seconds = float(result.get("seconds") or 0.0)
    return Proof(name, title, summary.get("passed", 0), summary.get("checked", 0), findings, facts_of(result), seconds)


def read_finding(entry: Mapping[str, Any]) -> Finding:
    """The fields that a report shows; a finding of another version of a module may lack some."""
    return Finding(
        str(entry.get("id") or ""),
        next((severity for severity in SEVERITIES if severity == entry.get("severity")), "error"),
        str(entry.get("message") or ""),
        str(entry.get("hint") or ""),
        file=str(entry.get("file") or ""),
        line=int(entry.get("line") or 0),
        column=int(entry.get("column") or 0),
        object=str(entry.get("object") or ""),
        evidence=dict(entry.get("evidence") or {}),
    )


def facts_of(result: Mapping[str, Any]) -> str:
    """What a proof found beside its numbers."""
    facts = []
    if jobs := result.get("jobs"):
        facts.append(f"{len(jobs)} jobs")
    if silent := result.get("silent"):
        facts.append(f"wrote nothing: {', '.join(silent)}")
    if (lines := result.get("all_nodes")) and "p50" in lines:
        waits = ", ".join(f"{name} {lines[name]}" for name in ("p50", "p95", "max"))
        facts.append(f"{lines['written']} lines written, {lines['read']} read, seconds until then: {waits}")
    if budget := result.get("outage_budget"):
        facts.append(f"Loki may be away for {budget['seconds']} s before lines of {budget['container']} are lost")
    if (trace := result.get("trace")) and trace.get("id"):
        facts.append(f"trace {trace['id']} through {', '.join(sorted(trace['spans']))}")
    if "panels" in result:
        facts.append(f"{result['panels']} panels on {result['dashboards']} dashboards")
    if empty := result.get("may_be_empty"):
        facts.append(f"may be empty: {', '.join(entry['panel'] for entry in empty)}")
    if "loaded" in result:
        facts.append(f"{result['loaded']} rules loaded in all")
    return "; ".join(facts)


def one_line(finding: Finding) -> str:
    where = f"{finding.object}: " if finding.object else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{where}{finding.message}{hint}"


def errors_by_service(proof: Proof, services: Sequence[str]) -> dict[str, int]:
    """How many errors name each service, in their object or their message; under "" those that name none."""
    counts = dict.fromkeys((*services, ""), 0)
    for error in proof.errors:
        for service in _words(f"{error.object} {error.message}") & set(services) or {""}:
            counts[service] += 1
    return counts


def _words(text: str) -> set[str]:
    """Names in a text, each also without the endings that Kubernetes adds to the names of pods."""
    names = {name.strip(".,:;()'\"") for name in text.replace("/", " ").split()}
    return names | {name.rsplit("-", parts)[0] for name in names for parts in (1, 2)}
