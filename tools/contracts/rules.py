# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule files: what our own checks and promtool have against them, and whether their tests cover every alert."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.coverage import Coverage, cover
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.load import load as load_tests
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check
from ansible_collections.ias.observability.plugins.module_utils._rules.context import Index
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule, RuleFile
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tools.contracts import programs

# A case that failed: of alerts with the test's name, if it has one, of expressions without.
_FAILED = re.compile(
    r"^(?:    name: (?P<test>.*),\n)?"
    r'    (?:alertname: (?P<alert>.+?)|expr: (?P<expr>"(?:[^"\\]|\\.)*")), time: ',
    re.MULTILINE,
)


@dataclass(slots=True)
class Checked:
    """Rule files as they were read, and what is wrong with them: errors and warnings."""

    files: list[RuleFile] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def alerts(self) -> list[Rule]:
        return [rule for file in self.files for rule in file.rules if rule.is_alert]


def read(paths: Iterable[Path], services: Path, root: Path) -> Checked:
    """The rule files against Prometheus' grammar, our lints and the metrics contract."""
    sources = [Source(shown(path, root), path.read_text()) for path in paths]
    result = check(sources, Profile(), contract=Source(shown(services, root), services.read_text()))
    return Checked(result.files, [str(finding) for finding in result.findings if finding.severity != "info"])


def shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root))


def tests_of(paths: Iterable[Path]) -> list[Path]:
    """The files of tests beside rule files: alerts.tests.yaml of alerts.yaml, and alerts.slow.tests.yaml if need be."""
    return [test for path in paths for test in sorted(path.parent.glob(f"{path.stem}.*tests.yaml"))]


def check_coverage(checked: Checked, paths: Iterable[Path], root: Path) -> tuple[list[Coverage], list[str]]:
    """How far the tests cover each alert, and where they do not."""
    report = RuleReport()
    tests = [test for path in tests_of(paths) for test in load_tests(shown(path, root), path.read_text(), report)]
    covered = cover(Index.of(checked.files), tests, report)
    return covered, [str(finding) for finding in report.findings]


def promtool(paths: Iterable[Path], root: Path) -> Iterator[str]:
    """What promtool has against the files, and which tests fail; all of it at once, as each takes a while."""
    commands = [
        *(("check", "rules", "--lint=all", "--lint-fatal", shown(path, root)) for path in paths),
        *(("test", "rules", shown(path, root)) for path in tests_of(paths)),
    ]
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda arguments: programs.run("promtool", *arguments, cwd=root), commands)
        for arguments, (code, output) in zip(commands, answers, strict=True):
            if code:
                yield from placed(arguments[-1], output, (root / arguments[-1]).read_text().splitlines())


def placed(name: str, output: str, lines: list[str]) -> Iterator[str]:
    """What promtool output, with the line of the test that each failure is of, or of what it could not read."""

    def line_of(*words: str) -> int:
        return next((number for number, line in enumerate(lines, 1) if all(word in line for word in words)), 1)

    failed = list(_FAILED.finditer(output))
    if not failed:
        yield from (f"{name}:{where}: {what}" for where, what in programs.places(output, lines))
        return
    ends = [*(failure.start() for failure in failed[1:]), len(output)]
    for failure, end in zip(failed, ends, strict=True):
        test, alert = failure["test"], failure["alert"] or json.loads(failure["expr"] or '""')
        text = output[failure.start("test") : end].partition("\n")[2] if test else output[failure.start() : end]
        where = line_of(test, "name:") if test else line_of(alert)
        yield f"{name}:{where}: {test or 'a case'}:\n    {text.strip()}"
