# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a proof runs: look, wait while something is missing, then pass or fail with everything that is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from .._checks.result import CheckResult
from .._findings import Finding, by_severity, failed, failure_message
from .._http import HttpError
from .._kube import KubeError

WAIT_ARGS: dict[str, Any] = {
    "timeout": {"type": "int", "default": 120},
    "interval": {"type": "int", "default": 5},
}


class Module(Protocol):
    """The part of AnsibleModule that a proof uses."""

    params: dict[str, Any]

    def exit_json(self, **kwargs: Any) -> Any: ...
    def fail_json(self, msg: str, **kwargs: Any) -> Any: ...


def verify(module: Module, what: str, look: Callable[[], CheckResult]) -> None:
    """Look until nothing is wrong or the time is over, and end the module."""
    outcome = wait(look, timeout=module.params["timeout"], interval=module.params["interval"])
    findings = by_severity(outcome.findings)
    result: dict[str, Any] = {
        "changed": False,
        "findings": [finding.as_dict() for finding in findings],
        "summary": {"checked": outcome.checked, "passed": outcome.passed},
        **outcome.facts,
    }
    if failed(findings):
        module.fail_json(msg=failure_message(what, findings), **result)
    module.exit_json(**result)


def wait(
    look: Callable[[], CheckResult],
    *,
    timeout: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> CheckResult:
    """Look at least once, and again until there is no error, it is hopeless, or ``timeout`` seconds are over."""
    end = clock() + timeout
    while True:
        hopeless = False
        try:
            outcome = look()
        except (HttpError, KubeError) as error:
            outcome = CheckResult(1, 0, [unreachable(error)])
            hopeless = error.permanent
        left = end - clock()
        if not failed(outcome.findings) or hopeless or left <= 0:
            return outcome
        sleep(min(interval, left))


def unreachable(error: HttpError | KubeError) -> Finding:
    """The proof could not even ask."""
    if isinstance(error, KubeError):
        return Finding("verify/unreachable", "error", error.message, error.hint)
    hint = "Check the credentials" if error.status in {401, 403} else "Check that the service runs and answers"
    return Finding("verify/unreachable", "error", str(error), hint)
