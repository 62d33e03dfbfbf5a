# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings as workflow commands of GitHub, which it shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._findings import Finding, Severity, by_severity

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}
_IN_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_TEXT, ":": "%3A", ",": "%2C"}


def github(findings: Iterable[Finding]) -> str:
    """One command a line, errors first: GitHub shows the first ten of each kind."""
    return "".join(f"{_command(finding)}\n" for finding in by_severity(findings))


def _command(finding: Finding) -> str:
    properties = ",".join(f"{name}={_escaped(text, _IN_PROPERTIES)}" for name, text in _properties(finding))
    message = _escaped(finding.advice, _IN_TEXT)
    return f"::{_COMMANDS[finding.severity]} {properties}::{message}"


def _properties(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.file:
        yield "file", finding.file
    if finding.line:
        yield "line", str(finding.line)
    if finding.column:
        yield "col", str(finding.column)
    yield "title", f"{finding.object} {finding.id}".strip()


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
