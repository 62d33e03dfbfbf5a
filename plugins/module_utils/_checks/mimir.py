# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does Mimir take samples, give them back, and get those of Prometheus? What stands in the way comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._findings import Finding
from .._mimir import ACTIVE, Member
from .freshness import shown_age
from .result import CheckResult

PROGRAMS = (
    "ingester",
    "store-gateway",
    "compactor",
    "query-scheduler",
    "querier",
    "query-frontend",
    "distributor",
)
"""The programs of the classic architecture: what the others need comes first."""
LATE_SECONDS = 120.0
"""How old the newest sample of Prometheus may be: scraped, batched, sent, and queried."""
CHECKS_BESIDE_PROGRAMS = 4
"""A sample is taken and read back; Prometheus' samples arrive, and none is dropped."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of a program. `reason` says why it is not ready."""

    name: str
    ready: bool
    reason: str = ""
    container: str = ""
    """The container that keeps it from being ready, where it is known."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What became of the sample that was written."""

    refused: str = ""
    unreadable: str = ""
    found: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """What Mimir has of Prometheus, and what Prometheus says of its sending; None: there is no such series."""

    age: float | None = None
    """Seconds since the newest sample."""
    sends: bool = True
    dropped: float = 0.0
    """Samples a second that Mimir refused for good."""
    pending: float = 0.0
    unknown: str = ""
    """Why Prometheus could not be asked."""


@dataclass(frozen=True)
class State:
    """All that was read at one moment."""

    pods: Mapping[str, Sequence[Pod]]
    """By program."""
    rings: Mapping[str, Sequence[Member]]
    """By program; without those that nobody could be asked about."""
    sample: Sample = field(default_factory=Sample)
    feed: Feed | None = None
    """None where nobody could be asked."""


def pod_state(pod: Mapping[str, Any]) -> Pod:
    """A pod as the API server has it."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    if (conditions.get("Ready") or {}).get("status") == "True":
        return Pod(name, ready=True)
    if (conditions.get("PodScheduled") or {}).get("status") == "False":
        return Pod(name, ready=False, reason=f"Unschedulable: {conditions['PodScheduled'].get('message', '')}")
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            reason = ": ".join(filter(None, (waiting.get("reason"), waiting.get("message"))))
            return Pod(name, ready=False, reason=reason, container=container["name"])
        if not container.get("ready"):
            return Pod(name, ready=False, reason="it does not answer that it is ready", container=container["name"])
    return Pod(name, ready=False, reason=status.get("reason") or f"its phase is {status.get('phase', 'unknown')}")


def check_mimir(state: State) -> CheckResult:
    programs = [finding for name in PROGRAMS for finding in _program(name, state)]
    broken = {finding.object for finding in programs}
    rest = [*_sample(state.sample), *(_feed(state.feed) if state.feed else ())]
    checked = len(PROGRAMS) + CHECKS_BESIDE_PROGRAMS
    facts = {"rings": {name: {one.name: one.state for one in members} for name, members in state.rings.items()}}
    return CheckResult(checked, checked - len(broken) - len(rest), [*programs, *rest], facts)


def _program(name: str, state: State) -> Iterator[Finding]:
    """What is wrong with one program: its pods first, then what the others know of them."""
    pods = state.pods.get(name, ())
    if not pods:
        yield _error(
            "not-running",
            name,
            f"no pod of Mimir's {name} exists",
            "Look at its workload: it may be scaled to 0, or its pods refused",
        )
        return
    waiting = [pod for pod in pods if not pod.ready]
    for pod in waiting:
        hint = "Read its whole log" if pod.container else f"See: kubectl describe pod {pod.name}"
        yield _error("not-running", name, f"pod {pod.name} is not ready: {pod.reason}", hint)
    absent = [member for member in state.rings.get(name, ()) if member.state != ACTIVE]
    if absent and not waiting:
        named = ", ".join(f"{member.name} is {member.state}" for member in absent)
        yield _error(
            "ring",
            name,
            f"{len(absent)} of {len(state.rings[name])} members of the ring of Mimir's {name} do not work: {named}",
            f"One that restarts is ACTIVE within a minute; one that was removed is forgotten on the page /{name}/ring",
        )


def _sample(sample: Sample) -> Iterator[Finding]:
    if sample.refused:
        hint = "What Prometheus sends is refused alike, and kept by it for two hours. Read the distributor's log"
        yield _error("refused", "distributor", f"no sample can be written: {sample.refused}", hint)
    elif sample.unreadable:
        hint = "Every dashboard asks this way. Read the logs of query-frontend and querier"
        yield _error("unreadable", "query-frontend", f"no sample can be read: {sample.unreadable}", hint)
    elif not sample.found:
        message = "a sample was taken a moment ago, and no query finds it"
        yield _error("lost", "query-frontend", message, "Read the logs of the querier and of the ingesters")


def _feed(feed: Feed) -> Iterator[Finding]:
    if feed.unknown:
        yield _error(
            "not-fed", "Prometheus", f"Prometheus does not say what it sends: {feed.unknown}", "Look at its pods"
        )
    elif not feed.sends:
        message = "Prometheus sends its samples nowhere"
        yield _error("not-fed", "Prometheus", message, "Deploy it with observability_mimir: true, as Mimir was")
    elif feed.age is None or feed.age > LATE_SECONDS:
        newest = "Mimir has none" if feed.age is None else f"Mimir's newest is {shown_age(feed.age)} old"
        message = f"Prometheus' samples do not arrive: {newest}, and {feed.pending:.0f} wait to be sent"
        hint = "Read Prometheus' log for 'remote'; after an outage it catches up within minutes"
        yield _error("behind", "Prometheus", message, hint)
    if feed.dropped > 0:
        message = f"Mimir refuses {feed.dropped:.1f} samples a second of Prometheus for good"
        hint = "cortex_discarded_samples_total has the reason: a limit, as a rule"
        yield _error("dropped", "Prometheus", message, hint)


def _error(identity: str, name: str, message: str, hint: str) -> Finding:
    return Finding(f"mimir/{identity}", "error", message, hint, object=name)
