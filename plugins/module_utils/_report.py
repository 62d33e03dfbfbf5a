# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proofs found, for people (a table) and for CI (JUnit)."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as Xml

HEADINGS = ("", "PROOF", "PASSED")
WIDTH = 72


@dataclass(frozen=True, slots=True)
class Row:
    """One proof that was run: what it proves, and how it ended."""

    name: str
    title: str
    passed: int
    checked: int
    errors: tuple[str, ...]
    seen: str

    @property
    def ok(self) -> bool:
        return not self.errors


def read_row(name: str, title: str, result: Mapping[str, Any]) -> Row:
    """A module's result. One without findings never got as far as looking: that is a failure too."""
    findings = result.get("findings")
    if findings is None:
        reason = "it was not run" if result.get("skipped") else result.get("msg") or "it ended without a result"
        return Row(name, title, 0, 0, (str(reason),), "")
    errors = tuple(one_line(finding) for finding in findings if finding["severity"] == "error")
    summary = result.get("summary") or {}
    return Row(name, title, summary.get("passed", 0), summary.get("checked", 0), errors, seen(result))


def one_line(finding: Mapping[str, Any]) -> str:
    where = f"{finding['object']}: " if finding.get("object") else ""
    hint = f" ({finding['hint']})" if finding.get("hint") else ""
    return f"{where}{finding['message']}{hint}"


def seen(result: Mapping[str, Any]) -> str:
    """What a proof tells beside its numbers."""
    told = []
    if jobs := result.get("jobs"):
        told.append(f"{len(jobs)} jobs")
    if silent := result.get("silent"):
        told.append(f"wrote nothing: {', '.join(silent)}")
    if (trace := result.get("trace")) and trace.get("id"):
        told.append(f"trace {trace['id']} through {', '.join(sorted(trace['spans']))}")
    if "panels" in result:
        told.append(f"{result['panels']} panels on {result['dashboards']} dashboards")
    if empty := result.get("may_be_empty"):
        told.append(f"may be empty: {', '.join(one['panel'] for one in empty)}")
    if "loaded" in result:
        told.append(f"{result['loaded']} rules loaded in all")
    return "; ".join(told)


def table(rows: Sequence[Row]) -> list[str]:
    """The table, under it what was seen, and then every error. Short lines: Ansible's output breaks long ones."""
    cells = [HEADINGS, *(("ok" if row.ok else "FAILED", row.title, f"{row.passed}/{row.checked}") for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    for row in rows:
        lines += wrap(f"{row.title}: {row.seen}") if row.ok and row.seen else []
    for row in rows:
        lines += [f"{row.title} FAILED:"] if row.errors else []
        lines += [line for error in row.errors for line in wrap(error, bullet="* ")]
    return lines


def wrap(text: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=bullet,  # not a word: a long one after it stays on its line
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def junit(rows: Sequence[Row]) -> str:
    """One test case for each proof."""
    failures = sum(not row.ok for row in rows)
    suite = Xml.Element(
        "testsuite", name="ias.observability.verify", tests=str(len(rows)), failures=str(failures), errors="0"
    )
    for row in rows:
        case = Xml.SubElement(suite, "testcase", classname="ias.observability.verify", name=row.name)
        if row.errors:
            failure = Xml.SubElement(case, "failure", message=f"{row.title}: {len(row.errors)} errors")
            failure.text = "\n".join(row.errors)
        Xml.SubElement(case, "system-out").text = f"{row.passed}/{row.checked} {row.seen}".rstrip()
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
