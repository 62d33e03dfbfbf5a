# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a proof runs: check, wait while something is missing, then pass or fail with everything that is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .._checks.result import CheckResult
from .._ending import Module, end
from .._findings import Finding, by_severity, failed
from .._http import HttpError
from .._kube import KubeError

WAIT_ARGS: dict[str, Any] = {
    "timeout": {"type": "int", "default": 120},
    "interval": {"type": "int", "default": 5},
}


def verify(module: Module, what: str, probe: Callable[[], CheckResult]) -> None:
    """Check until nothing is wrong or the time is over, and end the module."""
    result = wait(probe, timeout=module.params["timeout"], interval=module.params["interval"])
    counts = {"checked": result.checked, "passed": result.passed}
    end(module, what, by_severity(result.findings), summary=counts, **result.facts)


def wait(
    probe: Callable[[], CheckResult],
    *,
    timeout: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> CheckResult:
    """Check at least once, and again until there is no error, it is hopeless, or ``timeout`` seconds are over."""
    end = clock() + timeout
    while True:
        hopeless = False
        try:
            result = probe()
        except (HttpError, KubeError) as error:
            result = CheckResult(1, 0, [unreachable(error)])
            hopeless = error.permanent
        left = end - clock()
        if not failed(result.findings) or hopeless or left <= 0:
            return result
        sleep(min(interval, left))


def unreachable(error: HttpError | KubeError) -> Finding:
    """The proof could not even ask."""
    if isinstance(error, KubeError):
        return Finding("verify/unreachable", "error", error.message, error.hint)
    hint = "Check the credentials" if error.status in {401, 403} else "Check that the service runs and answers"
    return Finding("verify/unreachable", "error", str(error), hint)
