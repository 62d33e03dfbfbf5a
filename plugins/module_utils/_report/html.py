# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape

from .._findings import Finding, by_severity
from .data import with_this_run
from .proofs import PastRun, Proof, Run, errors_by_service
from .style import STYLE
from .text import shown

MAX_FINDINGS = 2000
"""Findings of one proof on the page; report.json has all of them."""
MAX_EVIDENCE = 10_000
"""Characters of one article."""
MAX_OPEN = 10
"""Objects; a longer list is folded."""


def page(run: Run) -> str:
    """The whole page. Every text of a service is escaped: log lines may hold HTML."""
    failed = run.failed
    title = f"{len(failed)} of {len(run.proofs)} proofs failed" if failed else f"All {len(run.proofs)} proofs passed"
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
        *_verdict(run, title),
        *_proofs(run),
        *(part for proof in failed for part in _failed(proof)),
        *_matrix(run),
        *_warnings(run.proofs),
        *_history(with_this_run(run)),
        *_versions(run),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _verdict(run: Run, title: str) -> Iterator[str]:
    where = ", ".join(filter(None, (run.cluster, _moment(run.started))))
    yield f'<header class="verdict {"bad" if run.failed else "good"}"><h1>{escape(title)}</h1>'
    if where:
        yield f'<p class="quiet">{escape(where)}</p>'
    for proof in run.failed:
        first = by_severity(proof.findings)[0]
        yield f'<p><a href="#{escape(proof.name)}">{escape(proof.title)}</a>: {escape(_with_object(first))}</p>'
    yield "</header>"


def _failed(proof: Proof) -> Iterator[str]:
    yield f'<section id="{escape(proof.name)}"><h2>{escape(proof.title)}: {proof.passed} of {proof.checked} passed</h2>'
    yield from _articles(proof.errors)
    yield "</section>"


def _articles(findings: Sequence[Finding]) -> Iterator[str]:
    """Findings that say the same of several objects are one article."""
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for finding in findings[:MAX_FINDINGS]:
        groups.setdefault((finding.id, finding.severity, finding.message, finding.hint), []).append(finding)
    for (identity, severity, message, hint), group in groups.items():
        mild = ' class="mild"' if severity != "error" else ""
        count = f" ({len(group)} times)" if len(group) > 1 else ""
        yield f"<article{mild}><h3>{escape(message)}{count}</h3>"
        yield from _objects([finding.object for finding in group if finding.object])
        if hint:
            yield f"<p>Next step: {escape(hint)}</p>"
        yield from _evidence(group)
        yield f'<p class="quiet"><code>{escape(identity)}</code></p></article>'
    if (more := len(findings) - MAX_FINDINGS) > 0:
        yield f"<p>{more} more are in report.json.</p>"


def _objects(names: Sequence[str]) -> Iterator[str]:
    if len(names) == 1:
        yield f"<p>Object: <code>{escape(names[0])}</code></p>"
    elif names:
        items = "".join(f"<li><code>{escape(name)}</code></li>" for name in names)
        state = " open" if len(names) <= MAX_OPEN else ""
        yield f"<details{state}><summary>{len(names)} objects</summary><ul>{items}</ul></details>"


def _evidence(group: Sequence[Finding]) -> Iterator[str]:
    evidence = [{"object": finding.object, **finding.evidence} for finding in group if finding.evidence]
    if evidence:
        text = "\n".join(json.dumps(entry, indent=1, ensure_ascii=False, default=str) for entry in evidence)
        yield f"<details><summary>Evidence</summary><pre>{escape(text[:MAX_EVIDENCE])}</pre></details>"


def _proofs(run: Run) -> Iterator[str]:
    yield '<section><h2>Proofs</h2><div class="scroll" tabindex="0" role="region" aria-label="Proofs"><table>'
    headings = "".join(f'<th scope="col">{heading}</th>' for heading in ("Result", "Proof", "Passed", "Seconds"))
    yield f"<thead><tr>{headings}</tr></thead><tbody>"
    for proof in sorted(run.proofs, key=lambda entry: entry.ok):
        title = escape(proof.title) if proof.ok else f'<a href="#{escape(proof.name)}">{escape(proof.title)}</a>'
        facts = f'<div class="facts">{escape(proof.facts)}</div>' if proof.facts else ""
        yield (
            f'<tr><td>{_mark("ok" if proof.ok else "failed")}</td><th scope="row">{title}{facts}</th>'
            f'<td class="number">{proof.passed}/{proof.checked}</td>'
            f'<td class="number">{shown(proof.seconds)}</td></tr>'
        )
    yield "</tbody></table></div></section>"


def _matrix(run: Run) -> Iterator[str]:
    """How many errors of each proof name each service."""
    if not run.services:
        return
    counts = [errors_by_service(proof, run.services) for proof in run.proofs]
    yield "<section><h2>Errors by service</h2>"
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Errors by service"><table><thead><tr>'
    yield '<th scope="col">Service</th>'
    yield "".join(f'<th scope="col">{escape(proof.name)}</th>' for proof in run.proofs) + "</tr></thead><tbody>"
    for service in (*run.services, ""):
        cells = "".join(_count(errors[service]) for errors in counts)
        yield f'<tr><th scope="row">{escape(service or "no service is named")}</th>{cells}</tr>'
    yield "</tbody></table></div></section>"


def _count(errors: int) -> str:
    return f'<td class="{"failed" if errors else "quiet"}">{errors}</td>'


def _warnings(proofs: Sequence[Proof]) -> Iterator[str]:
    mild = [finding for proof in proofs for finding in proof.findings if finding.severity != "error"]
    if mild:
        yield f"<section><h2>Warnings and notes ({len(mild)})</h2>"
        yield from _articles(mild)
        yield "</section>"


def _history(runs: Sequence[PastRun]) -> Iterator[str]:
    if len(runs) > 1:
        yield '<section><h2>Earlier runs</h2><ol class="runs">'
        for run in runs:
            text = (f"{run.failed} failed" if run.failed else "passed") + (
                f", {run.seconds:.0f} s" if run.seconds else ""
            )
            state = "failed" if run.failed else "ok"
            moment = escape(_moment(run.started))
            yield f'<li><span class="quiet">{moment}</span> <span class="{state}">{text}</span></li>'
        yield "</ol></section>"


def _versions(run: Run) -> Iterator[str]:
    if run.versions:
        yield "<section><h2>Versions</h2><table><tbody>"
        for name, version in run.versions:
            yield f'<tr><th scope="row">{escape(name)}</th><td><code>{escape(version)}</code></td></tr>'
        yield "</tbody></table></section>"


def _moment(started: str) -> str:
    """2026-11-28T11:40:00+00:00 → 2026-11-28 11:40 UTC."""
    return f"{started[:10]} {started[11:16]} UTC" if started else ""


def _mark(state: str) -> str:
    return f'<span class="{state}">{"FAILED" if state == "failed" else state}</span>'


def _with_object(finding: Finding) -> str:
    return f"{finding.object}: {finding.message}" if finding.object else finding.message
