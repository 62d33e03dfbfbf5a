# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The opinion of promtool beside ours, where there is one to ask: only what the two see differently is told.

It gets the rules on standard input, so that the one inside a Prometheus pod can be asked as well. Accepted files go
to it in one piece, with their groups renamed; refused ones one by one, as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from .._findings import Finding, Plain, Severity
from .._promql import Profile
from .._promql.profile import EXPERIMENTAL_FUNCTIONS
from .model import Group, Rule, RuleFile
from .report import RuleReport

Run = Callable[[Sequence[str], str], tuple[int, str]]
"""Runs promtool with arguments and standard input; (exit code, everything it said)."""

NOT_ITS_BUSINESS = frozenset({"load/expr-type", "load/second-document"})
"""Errors of which promtool does not know."""
_VERSION = re.compile(r"version v?(?:0\.(\d)(\d\d)\.(\d+)|(\d+\.\d+\.\d+))")
_ABOUT = re.compile(r'group "(\d+)/.*?", rule (\d+), ".*?": (.*)')
_FIELDS = ("alert", "record", "expr", "for", "keep_firing_for")


class PromtoolUnavailable(Exception):
    """promtool did not answer; says what it said instead."""


class Promtool:
    def __init__(self, run: Run, profile: Profile) -> None:
        """Raises PromtoolUnavailable when it cannot be started."""
        self._run = run
        self._profile = profile
        code, said = run(["--version"], "")
        found = _VERSION.search(said)
        if code or found is None:
            raise PromtoolUnavailable(_first(said) or f"it ends with {code}")
        # built as a Go module it says v0.316.0, as a release 3.16.0
        self.version = found[4] or f"{found[1]}.{int(found[2])}.{found[3]}"

    def disagreements(
        self, files: Iterable[RuleFile], texts: Mapping[str, str], findings: Iterable[Finding]
    ) -> list[Finding]:
        """What promtool refuses and the findings do not, and the other way round. Raises PromtoolUnavailable.

        `texts` holds the files by path; those that could not be read at all are not in it.
        """
        errors: dict[str, set[str]] = {}
        for finding in findings:
            if finding.id.startswith("load/") and finding.severity == "error":
                errors.setdefault(finding.file, set()).add(finding.id)
        files = list(files)
        manifests = {file.path for file in files if file.manifest}
        report = RuleReport()
        self._accepted([group for file in files if file.path not in errors for group in file.groups], report)
        for path, identities in errors.items():
            if path in texts and path not in manifests and not identities <= NOT_ITS_BUSINESS:
                self._refused(path, texts[path], report)
        return report.findings

    def _accepted(self, groups: list[Group], report: RuleReport) -> None:
        if not groups:
            return
        wrong = self._check(json.dumps({"groups": [_plain(number, group) for number, group in enumerate(groups)]}))
        about = list(dict.fromkeys(found.groups() for line in wrong if (found := _ABOUT.search(line))))
        for number, position, message in about:
            rule = groups[int(number)].rules[int(position) - 1]
            report.rule(rule, "load/promtool", self._severity, f"promtool {self.version} refuses it: {message}")
        if wrong and not about:
            report.add("load/promtool", self._severity, f"promtool {self.version} refuses the rules: {wrong[0]}")

    def _refused(self, path: str, text: str, report: RuleReport) -> None:
        if not self._check(text):
            report.file = path
            report.add(
                "load/promtool",
                "info",
                f"promtool {self.version} accepts the file",
                hint="is it of the version and with the features that prometheus_version and prometheus_features say?",
            )

    @property
    def _severity(self) -> Severity:
        """The last word has the promtool of the very version that is to load the rules."""
        return "error" if self.version.startswith("{}.{}.".format(*self._profile.version)) else "warning"

    def _check(self, text: str) -> list[str]:
        """What it has against the rules, line by line."""
        feature = [f"--enable-feature={EXPERIMENTAL_FUNCTIONS}"] * self._profile.allows(EXPERIMENTAL_FUNCTIONS)
        _code, said = self._run(["check", "rules", "--lint=none", *feature], text)
        _before, failed, wrong = said.partition("FAILED:")
        if not failed and "SUCCESS:" not in said:
            raise PromtoolUnavailable(_first(said))
        return [line.strip() for line in wrong.splitlines() if line.strip()] or ["no reason given"] * bool(failed)


def _plain(number: int, group: Group) -> Plain:
    return {"name": f"{number}/{group.name}", "labels": group.labels, "rules": [_rule(rule) for rule in group.rules]}


def _rule(rule: Rule) -> Plain:
    written = {key: rule.scalars[key] for key in _FIELDS if key in rule.scalars}
    fields: Plain = {key: scalar.value for key, scalar in written.items() if not scalar.is_null}
    if rule.is_alert:
        fields["annotations"] = rule.annotations
    return {**fields, "labels": rule.labels}


def _first(said: str) -> str:
    return next((line.strip() for line in said.splitlines() if line.strip()), "")
