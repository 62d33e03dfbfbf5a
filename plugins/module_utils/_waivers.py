# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings that have been looked at and are let through, each for a reason and until a date."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Iterable
from typing import NamedTuple

from ._findings import Finding, Report
from ._sources import read
from ._yaml.reader import Reader, is_null
from ._yaml.tree import Mapping

_KEYS = {"id": "", "object": "*", "file": "*", "reason": "", "until": ""}
"""With what holds where a waiver does not say; nothing for what it must say."""


class Waiver(NamedTuple):
    id: str
    object: str
    file: str
    reason: str
    until: datetime.date
    line: int

    def covers(self, finding: Finding) -> bool:
        """Findings about waivers are never waived: else one that has expired could be hidden by another."""
        return (
            not finding.id.startswith("waivers/")
            and fnmatch.fnmatchcase(finding.id, self.id)
            and fnmatch.fnmatchcase(finding.object, self.object)
            and fnmatch.fnmatchcase(finding.file, self.file)
        )


def load(path: str, text: str, report: Report) -> list[Waiver]:
    """The waivers in the text; what is wrong with them is reported as waivers/file."""
    report.file = path
    reader = Reader(report, "waivers/file", "see the module's documentation")
    root = reader.root(text, "a file of waivers is a mapping with a list `waivers`")
    if root is None:
        return []
    if is_null(root.get("waivers")):
        reader.error("a list `waivers` is needed", root)
    waivers = (_waiver(node, reader) for node in reader.mappings(root, "waivers"))
    return [waiver for waiver in waivers if waiver is not None]


def _waiver(node: Mapping, reader: Reader) -> Waiver | None:
    fields = {key: reader.text(node, key, default) for key, default in _KEYS.items()}
    missing = [key for key, text in fields.items() if not text]
    unknown = [key for key in node.items() if key not in _KEYS]
    if missing or unknown:
        what = f"{missing[0]!r} is missing" if missing else f"unknown key {unknown[0]!r}"
        reader.error(f"a waiver is not complete: {what}", node)
        return None
    try:
        until = datetime.date.fromisoformat(fields["until"])
    except ValueError:
        reader.error(f"until {fields['until']!r} is no date such as 2027-01-31", node)
        return None
    return Waiver(fields["id"], fields["object"], fields["file"], fields["reason"], until, node.line)


def apply(
    findings: Iterable[Finding], waivers: Iterable[Waiver], today: datetime.date, path: str
) -> tuple[list[Finding], list[Finding]]:
    """What is left and what is waived. An expired waiver is an error, one without a finding a warning."""
    left, waived = list(findings), list[Finding]()
    for waiver in waivers:
        covered = [finding for finding in left if waiver.covers(finding)]
        if today > waiver.until:
            left.append(_about(waiver, path, "expired", f"the waiver of {waiver.id} ended on {waiver.until}"))
        elif covered:
            waived += covered
            left = [finding for finding in left if not waiver.covers(finding)]
        else:
            left.append(_about(waiver, path, "unused", f"nothing is found any more that {waiver.id} would waive"))
    return left, waived


def waive(findings: Iterable[Finding], path: str) -> tuple[list[Finding], list[Finding]]:
    """What is left and what is waived by the file of waivers; what is wrong with the file is left too."""
    left, waived, problems = list(findings), list[Finding](), list[Finding]()
    sources, unread = read([path])
    for source in sources:
        report = Report()
        waivers = load(source.path, source.text, report)
        left, waived = apply(left, waivers, datetime.date.today(), source.path)
        problems += report.findings
    return [*left, *unread, *problems], waived


def _about(waiver: Waiver, path: str, what: str, message: str) -> Finding:
    return Finding(
        f"waivers/{what}",
        "error" if what == "expired" else "warning",
        message,
        "repair what it waives, or look at it again" if what == "expired" else "remove the waiver",
        file=path,
        line=waiver.line,
        object=waiver.object if waiver.object != "*" else "",
    )
