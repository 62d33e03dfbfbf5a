# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is everything scraped?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._findings import Finding
from .._kube.monitors import Monitor
from .._prometheus import Runtime, Target
from .freshness import clock, is_stale, shown_age
from .result import CheckResult

MONITOR_POOLS = ("serviceMonitor/", "podMonitor/")
"""What the names of pools begin with that the operator makes of monitors."""
PROMETHEUS_LOG = "Read Prometheus' own log"


def check_targets(
    targets: Iterable[Target],
    wanted_jobs: Iterable[str],
    monitors: Sequence[Monitor] | None = None,
    home: str = "",
    *,
    now: float,
    runtime: Runtime,
) -> CheckResult:
    """Every active target is up and scraped now, and every wanted job and every endpoint of a monitor has one.

    `monitors` are those that Prometheus selects, None where they could not be read. One outside the namespace `home` is
    somebody else's: without a target it is a warning. `now` is Prometheus' clock, in seconds since the epoch.
    """
    targets = list(targets)
    pools = {target.pool for target in targets}
    jobs: dict[str, dict[str, int]] = {}
    for target in targets:
        counts = jobs.setdefault(target.job, {"up": 0, "down": 0})
        counts["up" if target.health == "up" else "down"] += 1
    missing = [job for job in wanted_jobs if job not in jobs]
    stale = [target for target in targets if target.health == "up" and is_late(target, now)]
    findings = check_configuration(runtime) or check_loaded(pools, monitors)
    unloaded = len(findings)
    findings += [not_up(target) for target in targets if target.health != "up"]
    findings += not_scraped(stale, targets, now)
    findings += [missing_job(job) for job in missing]
    idle = [
        idle_endpoint(monitor, number, home)
        for monitor in monitors or ()
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
    passed = sum(target.health == "up" for target in targets) - len(stale)
    checked = len(targets) + len(missing) + unloaded + sum(finding.severity == "error" for finding in idle)
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
        evidence={"url": target.url},
    )


def is_late(target: Target, now: float) -> bool:
    return target.last_scrape is not None and is_stale(now - target.last_scrape, target.interval)


def not_scraped(stale: Sequence[Target], targets: Sequence[Target], now: float) -> list[Finding]:
    """What Prometheus still calls up, and scrapes no more: one finding for each job, one for all when it is all."""
    if len(stale) > 1 and len(stale) == len(targets):
        message = f"Prometheus scrapes nothing any more: none of its {len(stale)} targets since {_newest(stale, now)}"
        return [Finding("targets/stale", "error", message, PROMETHEUS_LOG, object="Prometheus")]
    by_job: dict[str, list[Target]] = {}
    for target in stale:
        by_job.setdefault(target.job, []).append(target)
    return [
        Finding(
            "targets/stale",
            "error",
            f"{_named(late)} not scraped since {_newest(late, now)}; the interval is {late[0].interval:g} s",
            f"{PROMETHEUS_LOG}: it still calls the target up",
            object=job,
            evidence={"targets": [target.url for target in late]},
        )
        for job, late in by_job.items()
    ]


def _named(targets: Sequence[Target]) -> str:
    return f"{len(targets)} targets were" if len(targets) > 1 else f"target {targets[0].url} was"


def _newest(targets: Sequence[Target], now: float) -> str:
    moment = max(target.last_scrape or 0.0 for target in targets)
    return f"{clock(moment)}, {shown_age(now - moment)} ago"


def check_configuration(runtime: Runtime) -> list[Finding]:
    """Prometheus runs the configuration that it was given last."""
    if runtime.configured:
        return []
    message = f"Prometheus refused its newest configuration and runs the one of {runtime.since}"
    hint = f"{PROMETHEUS_LOG} for 'Error loading config': new monitors and rules do nothing until it is corrected"
    return [Finding("targets/configuration", "error", message, hint, object="Prometheus")]


def check_loaded(pools: Iterable[str], monitors: Sequence[Monitor] | None) -> list[Finding]:
    """Prometheus scrapes nothing for a monitor that it does not select: else it runs the configuration of before."""
    if monitors is None:
        return []
    selected = {pool for monitor in monitors for pool in monitor.pools}
    left = sorted(pool for pool in pools if pool.startswith(MONITOR_POOLS) and pool not in selected)
    if not left:
        return []
    of = f"{left[0]} and {len(left) - 1} more" if len(left) > 1 else left[0]
    message = (
        f"Prometheus still scrapes {of}, which no selected monitor asks for: it has not loaded its newest configuration"
    )
    hint = "Wait for the reloader, which may take three minutes; then read the log of its container config-reloader"
    return [Finding("targets/not-loaded", "error", message, hint, object="Prometheus", evidence={"pools": left})]


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
        evidence={"pool": monitor.pools[number]},
    )
