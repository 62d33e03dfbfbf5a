# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs, within bounded time: one that is late is killed with everything that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence


class LateError(Exception):
    """The program did not end in time."""


def run(command: Sequence[str], text: str, seconds: float) -> tuple[int, str]:
    """Its exit code, and what it said on standard output and then on standard error. Raises OSError, LateError."""
    pipe = subprocess.PIPE
    # in a session of its own, so that its children can be reached; they may hold the pipes when it is gone itself
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        try:
            said = process.communicate(text.encode(), timeout=seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise LateError from error
            raise
    return process.returncode, "".join(part.decode("utf-8", "replace") for part in said)
