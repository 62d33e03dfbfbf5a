# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a proof runs: check, wait while something is missing, then pass or fail with everything that is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from .._causes.merge import Explained, merged
from .._checks.result import CheckResult
from .._ending import Module, end
from .._explain import findings as causes
from .._findings import Finding, by_severity, failed
from .._http import Deadline, HttpError
from .._kube import KubeError, UnreachableError
from .._printable import printable_tree
from .unreachable import unreachable

WAIT_ARGS: dict[str, Any] = {
    "timeout": {"type": "int", "default": 120},
    "interval": {"type": "int", "default": 5},
}
LAST_CHECK_SECONDS = 1.0
"""What the check that begins when the time is over may still take."""
SINGLE_CHECK_SECONDS = 30.0
"""What the one check of a proof that does not wait (timeout 0) may take."""
SHORTEST_INTERVAL_SECONDS = 0.1
UNREACHABLE_SECONDS = 10.0
"""How long an API server that has not answered once is waited for: there is no cluster, and none will come."""

CAUSE_SECONDS = 5.0
"""What the look-up of causes may take, after the wait."""

Probe = Callable[[Deadline], CheckResult]
"""One check. All of its calls end with the deadline."""
Explain = Callable[[Sequence[Finding], Deadline], Iterable[Explained]]
"""Look up what the findings come from."""


def verify(module: Module, what: str, probe: Probe, explain: Explain | None = None) -> None:
    """Check until nothing is wrong or the time is over, look up the causes of what is, and end the module."""
    findings, result = prove(module, probe, explain)
    end(module, what, findings, **result)


def prove(module: Module, probe: Probe, explain: Explain | None = None) -> tuple[list[Finding], dict[str, Any]]:
    """The findings of `verify`, and what a module returns beside them."""
    begun = time.monotonic()
    result = wait(probe, timeout=module.params["timeout"], interval=module.params["interval"])
    findings = explained(module, result.findings, explain) if failed(result.findings) else result.findings
    counts = {"checked": result.checked, "passed": result.passed}
    seconds = round(time.monotonic() - begun, 1)
    return by_severity(findings), {"summary": counts, "seconds": seconds, **printable_tree(result.facts)}


def explained(module: Module, findings: Sequence[Finding], explain: Explain | None = None) -> Sequence[Finding]:
    """The findings with their causes, those of one cause as one; as they are where nothing can be looked up."""
    deadline = Deadline().within(CAUSE_SECONDS)
    if any(finding.id == "verify/no-cluster" for finding in findings):
        return findings
    if any(finding.id == "verify/unreachable" for finding in findings):
        explain = partial(causes.unreachable_services, module.params)
    try:
        return merged(explain(findings, deadline)) if explain else findings
    except (HttpError, KubeError):
        return findings


def wait(
    probe: Probe,
    *,
    timeout: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> CheckResult:
    """Check at least once, and again until there is no error, it is hopeless, or ``timeout`` seconds are over."""
    start = Deadline(clock=clock, sleep=sleep)
    waiting, first_contact = start.within(timeout), start.within(UNREACHABLE_SECONDS)
    calls = start.within(timeout + LAST_CHECK_SECONDS if timeout > 0 else SINGLE_CHECK_SECONDS)
    reached = False
    result: CheckResult | None = None
    while True:
        before, hopeless = result, False
        try:
            result, reached = probe(calls), True
        except (HttpError, KubeError) as error:
            result = CheckResult(1, 0, [unreachable(error)])
            reached = reached or not isinstance(error, UnreachableError)
            hopeless = error.permanent or not (reached or first_contact.left())
        if before and not calls.left():  # this check was cut short: the one before it knows more
            return before
        if not failed(result.findings) or hopeless or not waiting.left():
            return result
        waiting.pause(max(interval, SHORTEST_INTERVAL_SECONDS))
