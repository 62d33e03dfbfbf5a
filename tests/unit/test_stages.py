# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of `make test`: it fails early, counts what pytest counted, and leaves no child behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import stages

JUNIT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_counts_are_summed_and_a_skipped_test_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(JUNIT.format(10, 1, 1, 3))
    (tmp_path / "b.xml").write_text(JUNIT.format(4, 0, 0, 0))
    assert stages.counted([tmp_path / "a.xml", tmp_path / "b.xml"]) == (9, 2)


def test_a_child_and_its_children_end_with_the_block(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with stages.running([sys.executable, "-c", script], tmp_path / "log") as child:
        group = child.pid
    deadline = time.monotonic() + 10
    while alive(group):
        assert time.monotonic() < deadline


def test_a_run_that_is_told_to_end_ends_its_children(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time; from pathlib import Path; from tests import stages\n"
        "signal.signal(signal.SIGTERM, stages.ended)\n"
        "with stages.running([sys.executable, '-c', 'import time; time.sleep(600)'], Path(sys.argv[1])) as child:\n"
        "    print(child.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=stages.ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        group = int(run.stdout.readline())
        run.terminate()
        assert run.wait(timeout=10) == 128 + signal.SIGTERM
    deadline = time.monotonic() + 10
    while alive(group):
        assert time.monotonic() < deadline


def test_the_first_stage_that_fails_ends_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran = []

    def run(stage: str, took: dict[str, float]) -> None:
        ran.append(stage)
        if stage == "contracts":
            raise stages.StageError(stage)

    monkeypatch.setattr(stages, "STATE", tmp_path)
    monkeypatch.setattr(stages, "BUILD", ["true"])
    monkeypatch.setattr(stages, "run", run)
    assert stages.main() == 1
    assert ran == ["unit", "contracts"]
