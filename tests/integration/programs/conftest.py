# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make contracts` on a copy of the contracts, some of whose texts were changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


@pytest.fixture
def check_copy(root: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """The lines that it prints of what is wrong: `changes` are file → (pattern, what stands there instead)."""

    def check(changes: Mapping[str, tuple[str, str]], *programs: Path, shared: Path | None = None) -> list[str]:
        for name in ("tools", "contracts"):
            shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name, (pattern, instead) in changes.items():
            file = tmp_path / "contracts" / name
            before = file.read_text() if file.exists() else ""
            after, count = re.subn(pattern, instead, before, count=1)
            assert count
            file.write_text(after)
        environment = os.environ | {
            "PYTHONPATH": str(root / "collections"),
            "PATH": ":".join(str(program.parent) for program in programs),  # none: no promtool, no amtool
            "IAS_SHARED": str(shared or ""),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tools.contracts", "check"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        return done.stderr.splitlines()

    return check
