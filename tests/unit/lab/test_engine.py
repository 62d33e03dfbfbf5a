# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import engine
from tests.lab.state import LabError


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /run."""
    monkeypatch.setattr(engine, "RUNTIME", tmp_path / "ias-lab-ours")
    return tmp_path


def test_a_second_lab_is_refused(run: Path) -> None:
    """The first would lose its bridge and packet filter when the second one stops."""
    other = run / "ias-lab-other"
    other.mkdir()
    waits = [sys.executable, "-c", "input(1)", f"unix://{other}/docker.sock"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(1) == b"1"  # it runs: before, its command line may be empty
        (other / "docker.pid").write_text(str(process.pid))
        with pytest.raises(LabError, match=r"another lab runs on this machine \(unix:.*ias-lab-other/docker\.sock"):
            engine.start()
        process.kill()


@pytest.mark.parametrize("content", ["", "no number", "ours"])
def test_what_a_dead_engine_left_counts_for_nothing(run: Path, content: str) -> None:
    (run / "ias-lab-dead").mkdir()
    number = str(os.getpid()) if content == "ours" else content  # taken by a process that is no engine
    (run / "ias-lab-dead/docker.pid").write_text(number)
    assert engine.others() == []
