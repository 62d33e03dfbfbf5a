# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that have the last word: promtool, amtool. The lab's own build, or the one on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".lab" / "bin"


class MissingProgramError(Exception):
    """A program is not there; says what to do."""


def run(name: str, *arguments: str, cwd: Path = ROOT) -> tuple[int, str]:
    """(exit code, everything it said). Raises MissingProgramError."""
    program = shutil.which(name, path=f"{BIN}:{os.environ.get('PATH', '')}")
    if program is None:
        raise MissingProgramError(f"{name} is not there; run python -m tests.lab.toolchain {name}")
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, f"{done.stdout}{done.stderr}".strip()
