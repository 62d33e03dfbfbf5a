# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is everything scraped?"""

from __future__ import annotations

from collections.abc import Iterable

from .._findings import Finding
from .._kube.monitors import Monitor
from .._prometheus import Target
from .result import CheckResult


def check_targets(
    targets: Iterable[Target], wanted_jobs: Iterable[str], monitors: Iterable[Monitor] = (), home: str = ""
) -> CheckResult:
    """Every active target is up, and every wanted job and every endpoint of a monitor has one.

    A monitor outside the namespace `home` is somebody else's: without a target it is a warning.
    """
    targets = list(targets)
    pools = {target.pool for target in targets}
    jobs: dict[str, dict[str, int]] = {}
    for target in targets:
        counts = jobs.setdefault(target.job, {"up": 0, "down": 0})
        counts["up" if target.health == "up" else "down"] += 1
    missing = [job for job in wanted_jobs if job not in jobs]
    findings = [not_up(target) for target in targets if target.health != "up"]
    findings += [missing_job(job) for job in missing]
    idle = [
        idle_endpoint(monitor, number, home)
        for monitor in monitors
        for number, pool in enumerate(monitor.pools)
        if pool not in pools
    ]
    if not targets and not missing:
        findings.append(
            Finding(
                "targets/none",
                "error",
                "Prometheus has no active target",
                "Check that its service monitor selectors are open and that ServiceMonitors exist",
            )
        )
    passed = sum(target.health == "up" for target in targets)
    checked = len(targets) + len(missing) + sum(finding.severity == "error" for finding in idle)
    return CheckResult(checked, passed, [*findings, *idle], {"jobs": dict(sorted(jobs.items()))})


def not_up(target: Target) -> Finding:
    if target.health == "unknown":
        return Finding(
            "targets/not-scraped",
            "error",
            f"target {target.url} has not been scraped yet",
            "Wait for longer than its scrape interval",
            object=target.job,
        )
    return Finding(
        "targets/down",
        "error",
        f"target {target.url} is {target.health}: {target.error or 'no reason given'}",
        "Check that the pod runs and that nothing keeps Prometheus from its port",
        object=target.job,
    )


def missing_job(job: str) -> Finding:
    return Finding(
        "targets/missing-job",
        "error",
        "no active target has this job",
        "Check that its ServiceMonitor selects the service and names its port, and that the service has endpoints",
        object=job,
    )


def idle_endpoint(monitor: Monitor, number: int, home: str) -> Finding:
    port = monitor.ports[number]
    endpoint = f"endpoint {number}{f' (port {port})' if port else ''} of " if len(monitor.ports) > 1 else ""
    return Finding(
        "targets/monitor",
        "error" if monitor.namespace == home else "warning",
        f"no active target is of {endpoint}{monitor}",
        "Check that it selects what runs, and names a port of it; Prometheus may learn of it three minutes late",
        object=f"{monitor.namespace}/{monitor.name}",
    )
