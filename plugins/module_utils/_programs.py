# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs, within bounded time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

    from ansible.module_utils.basic import AnsibleModule


class TimeoutExpired(Exception):
    """The program did not end in time, and was killed."""


def run(module: AnsibleModule, command: Sequence[str], seconds: float, **options: Any) -> tuple[int, str, str]:
    """Its exit code, standard output and standard error; `options` are run_command's.

    Raises OSError, TimeoutExpired.
    """
    late = threading.Event()
    timers: list[threading.Timer] = []

    def limit(process: subprocess.Popen[bytes]) -> None:
        def stop() -> None:
            late.set()
            process.kill()

        timers.append(threading.Timer(seconds, stop))
        timers[0].start()

    try:
        code, stdout, stderr = module.run_command(
            list(command), before_communicate_callback=limit, handle_exceptions=False, **options
        )
    finally:
        for timer in timers:
            timer.cancel()
    if late.is_set():
        raise TimeoutExpired
    return code, str(stdout), str(stderr)
