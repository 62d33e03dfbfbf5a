# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test`: every stage in order, the fastest first, with the lab's builds running beside the first ones.

The first stage that fails ends the run, the builds with it. The last lines say what each stage took and how many
tests ran, as pytest counted them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".lab"
REPORTS = ("junit-unit.xml", "junit-programs.xml", "junit-preflight.xml", "junit-charts.xml", "junit-stack.xml")

BESIDE_THE_BUILDS = ("unit", "contracts", "lint", "programs", "docs", "preflight", "sanity")
AFTER_THE_BUILDS = ("charts", "molecule")
BUILD = [sys.executable, "-m", "tests.lab", "build"]


class StageError(Exception):
    """A stage's command ended with an error; its own output has said why."""


@contextmanager
def running(argv: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child with its own process group, which never outlives the block."""
    with (
        log.open("wb") as output,
        subprocess.Popen(argv, cwd=ROOT, stdout=output, stderr=output, process_group=0) as child,
    ):
        try:
            yield child
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)


def run(stage: str, took: dict[str, float]) -> None:
    print(f"\n== {stage}", flush=True)
    started = time.monotonic()
    code = subprocess.run(["make", "--no-print-directory", stage], cwd=ROOT, check=False).returncode
    took[stage] = time.monotonic() - started
    if code:
        raise StageError(stage)


def await_builds(builds: subprocess.Popen[bytes], log: Path, took: dict[str, float]) -> None:
    print(f"\n== builds (log: {log.relative_to(ROOT)})", flush=True)
    started = time.monotonic()
    code = builds.wait()
    took["builds, beyond the stages above"] = time.monotonic() - started
    if code:
        print(log.read_text(errors="replace")[-4000:])
        raise StageError("builds")


def counted(reports: list[Path]) -> tuple[int, int]:
    """(passed, failed) of JUnit reports; a skipped test is neither."""
    passed = failed = 0
    for report in reports:
        for suite in ET.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed += bad
            passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    return passed, failed


def main() -> int:
    STATE.mkdir(exist_ok=True)
    reports = [STATE / name for name in REPORTS]
    for report in reports:
        report.unlink(missing_ok=True)
    log, broken = STATE / "build.log", ""
    took: dict[str, float] = {}
    with running(BUILD, log) as builds:
        try:
            for stage in BESIDE_THE_BUILDS:
                run(stage, took)
            await_builds(builds, log, took)
            for stage in AFTER_THE_BUILDS:
                run(stage, took)
        except StageError as stage:
            broken = str(stage)
    print("\n" + "\n".join(f"{seconds:6.0f} s  {stage}" for stage, seconds in took.items()))
    if broken:
        print(f"stage {broken} failed")
    passed, failed = counted([report for report in reports if report.exists()])
    print(f"{passed} passed, {failed} failed")
    return 1 if broken else 0


def ended(_number: int, _frame: object) -> None:
    """SIGTERM (CI's limit, a cancelled job) as an exception, so that the builds end too."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    sys.exit(main())
