# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with each dashboard. Pure: what is wanted and what is there in, steps and objections out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .._findings import Finding
from .._grafana_model.files import Dashboard
from .._grafana_model.model import Json
from .._grafana_model.normalise import digest, normalise
from .ownership import add_owner, is_owned, read_stamp

Action = Literal["create", "update", "delete", "keep", "unchanged"]
WRITES: frozenset[Action] = frozenset({"create", "update", "delete"})


@dataclass(frozen=True, slots=True)
class Observed:
    """A dashboard as Grafana has it. ``lock`` is what makes a write fail when somebody else wrote in between."""

    uid: str
    title: str
    folder: str
    spec: Json
    lock: str
    version: int = 0
    message: str = ""
    updated_by: str = ""
    updated: str = ""
    manager: str = ""  # another program that keeps it as it is
    stored_as: str = ""  # the schema that it is kept in, where that is not the one shown


PRUNE_LIMIT = 10
FIRST_TITLES = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """The user's choices."""

    owner: str
    edited: Literal["fail", "keep", "overwrite"] = "fail"
    adopt: bool = False
    prune_limit: int = PRUNE_LIMIT
    prune_in: Collection[str] = ()  # uids of the folders in which what is ours and not wanted is deleted


@dataclass(frozen=True, slots=True)
class Desired:
    """A dashboard that is to be, with its owner's tag and the uid of its folder."""

    source: str
    uid: str
    title: str
    folder: str
    spec: Json
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one dashboard."""

    action: Action
    uid: str
    title: str
    desired: Desired | None = None
    observed: Observed | None = None


def to_desired(dashboard: Dashboard, folder_uid: str, owner: str) -> Desired:
    spec = add_owner(dashboard.spec, owner)
    return Desired(dashboard.source, dashboard.uid, dashboard.title, folder_uid, spec, digest(spec))


def plan(
    desired: Sequence[Desired], observed: Mapping[str, Observed], policy: Policy
) -> tuple[list[Step], list[Finding]]:
    """The steps, and the findings that forbid some; nothing is to be written while there are any."""
    steps: list[Step] = []
    findings: list[Finding] = []
    uids = {dashboard.uid for dashboard in desired}
    surplus = [
        dashboard
        for uid, dashboard in sorted(observed.items())
        if uid not in uids and is_owned(dashboard.spec, policy.owner) and dashboard.folder in policy.prune_in
    ]
    decided = [decide(dashboard, observed.get(dashboard.uid), policy) for dashboard in desired]
    decided += [decide_surplus(dashboard, policy) for dashboard in surplus]
    for decision in decided:
        if isinstance(decision, Finding):
            findings.append(decision)
        else:
            steps.append(decision)
    deletions = [step for step in steps if step.action == "delete"]
    if len(deletions) > policy.prune_limit:
        findings.append(_too_many(deletions, policy.prune_limit))
    return steps, findings


def _too_many(deletions: Sequence[Step], limit: int) -> Finding:
    """A wrong or half-empty source looks just like one from which much was removed."""
    titles = [f"{step.title} ({step.uid})" for step in deletions[:FIRST_TITLES]]
    more = len(deletions) - len(titles)
    return Finding(
        "dashboards/prune-limit",
        "error",
        f"prune would delete {len(deletions)} dashboards, more than prune_limit ({limit}): {', '.join(titles)}"
        + (f" and {more} more" if more else ""),
        f"Check src and folder. Where all of them are to go, set prune_limit to {len(deletions)}",
        evidence={"dashboards": [step.uid for step in deletions]},
    )


def decide(desired: Desired, observed: Observed | None, policy: Policy) -> Step | Finding:
    """One dashboard that is wanted."""
    if observed is None:
        return Step("create", desired.uid, desired.title, desired)
    if observed.manager:
        return _conflict(
            "managed", observed, desired.source, f"is managed by {observed.manager}", "Give yours another uid"
        )
    owned = is_owned(observed.spec, policy.owner)
    if owned and has_content(observed, desired, policy.owner) and observed.folder == desired.folder:
        return Step("unchanged", desired.uid, desired.title, desired, observed)
    if not owned and not policy.adopt:
        return _conflict(
            "foreign",
            observed,
            desired.source,
            f"exists and is not ours{last_write(observed)}",
            "Set adopt to take it over",
        )
    return guard(Step("update", desired.uid, desired.title, desired, observed), policy)


def decide_surplus(observed: Observed, policy: Policy) -> Step | Finding:
    """One dashboard of ours that is wanted no more."""
    return guard(Step("delete", observed.uid, observed.title, None, observed), policy)


def guard(step: Step, policy: Policy) -> Step | Finding:
    """Do not write over an edit without being told to."""
    observed = step.observed
    if observed is None or policy.edited == "overwrite" or not is_edited(observed, policy.owner):
        return step
    if policy.edited == "keep":
        return replace(step, action="keep")
    return edited(observed, step.desired.source if step.desired else "")


def has_content(observed: Observed, desired: Desired, owner: str) -> bool:
    """By the fingerprint of our last write, since a newer Grafana shows another schema than was sent; or by itself."""
    written = read_stamp(observed.message, owner)
    if written and written.fingerprint == desired.fingerprint and not is_edited(observed, owner):
        return True
    return normalise(observed.spec) == normalise(desired.spec)


def is_edited(observed: Observed, owner: str) -> bool:
    """Ours, but the last write was not."""
    written = read_stamp(observed.message, owner)
    return is_owned(observed.spec, owner) and (written is None or observed.version > written.version)


def edited(observed: Observed, source: str) -> Finding:
    return _conflict(
        "edited",
        observed,
        source,
        f"was edited in Grafana{last_write(observed)}",
        "Take the edit over into the file, or set edited to keep or overwrite",
    )


def last_write(observed: Observed) -> str:
    by = f" by {observed.updated_by}" if observed.updated_by else ""
    at = f" at {observed.updated}" if observed.updated else ""
    return f"; last written{by}{at}" if by or at else ""


def _conflict(what: str, observed: Observed, source: str, message: str, hint: str) -> Finding:
    evidence = {"uid": observed.uid, "updated_by": observed.updated_by, "updated": observed.updated}
    return Finding(
        f"dashboards/{what}",
        "error",
        f"the dashboard {message}",
        hint,
        file=source,
        object=observed.title,
        evidence=evidence,
    )
