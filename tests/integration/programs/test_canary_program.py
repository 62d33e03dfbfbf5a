# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shells write when they run the canary's program is what its texts say."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ansible_collections.ias.observability.plugins.module_utils._canary.lines import CONTROL, Numbered, parts

SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_writes_the_lines(shell: str) -> None:
    numbered = Numbered("canary-1:", parts(seconds=1, burst=1000))
    command = [shell, "sh", "-c"] if shell == "busybox" else [shell, "-c"]
    written = subprocess.run([*command, numbered.program()], capture_output=True, timeout=60, check=True).stdout
    assert CONTROL.text.encode("latin-1") in written
    found = list(numbered.find(written.decode("utf-8", "replace")))
    assert found == [(line.number, line.text) for line in numbered.lines()]
