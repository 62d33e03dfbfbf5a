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
from .ownership import is_owned, mark, read_signature

Action = Literal["create", "update", "delete", "keep", "unchanged"]
WRITES: frozenset[Action] = frozenset({"create", "update", "delete"})


@dataclass(frozen=True, slots=True)
class Live:
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


@dataclass(frozen=True, slots=True)
class Policy:
    """The user's choices."""

    owner: str
    edited: Literal["fail", "keep", "overwrite"] = "fail"
    adopt: bool = False
    prune_in: Collection[str] = ()  # uids of the folders in which what is ours and not wanted is deleted


@dataclass(frozen=True, slots=True)
class Wanted:
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
    wanted: Wanted | None = None
    live: Live | None = None


def want(dashboard: Dashboard, folder_uid: str, owner: str) -> Wanted:
    spec = mark(dashboard.spec, owner)
    return Wanted(dashboard.source, dashboard.uid, dashboard.title, folder_uid, spec, digest(spec))


def plan(wanted: Sequence[Wanted], live: Mapping[str, Live], policy: Policy) -> tuple[list[Step], list[Finding]]:
    """The steps, and the findings that forbid some; nothing is to be written while there are any."""
    steps: list[Step] = []
    findings: list[Finding] = []
    uids = {one.uid for one in wanted}
    surplus = [
        one
        for uid, one in sorted(live.items())
        if uid not in uids and is_owned(one.spec, policy.owner) and one.folder in policy.prune_in
    ]
    decided = [decide(one, live.get(one.uid), policy) for one in wanted]
    decided += [decide_surplus(one, policy) for one in surplus]
    for decision in decided:
        if isinstance(decision, Finding):
            findings.append(decision)
        else:
            steps.append(decision)
    return steps, findings


def decide(wanted: Wanted, live: Live | None, policy: Policy) -> Step | Finding:
    """One dashboard that is wanted."""
    if live is None:
        return Step("create", wanted.uid, wanted.title, wanted)
    if live.manager:
        return _objection("managed", live, wanted.source, f"is managed by {live.manager}", "Give yours another uid")
    owned = is_owned(live.spec, policy.owner)
    if owned and has_content(live, wanted, policy.owner) and live.folder == wanted.folder:
        return Step("unchanged", wanted.uid, wanted.title, wanted, live)
    if not owned and not policy.adopt:
        return _objection(
            "foreign", live, wanted.source, f"exists and is not ours{who(live)}", "Set adopt to take it over"
        )
    return guard(Step("update", wanted.uid, wanted.title, wanted, live), policy)


def decide_surplus(live: Live, policy: Policy) -> Step | Finding:
    """One dashboard of ours that is wanted no more."""
    return guard(Step("delete", live.uid, live.title, None, live), policy)


def guard(step: Step, policy: Policy) -> Step | Finding:
    """Do not write over an edit without being told to."""
    live = step.live
    if live is None or policy.edited == "overwrite" or not is_edited(live, policy.owner):
        return step
    if policy.edited == "keep":
        return replace(step, action="keep")
    return edited(live, step.wanted.source if step.wanted else "")


def has_content(live: Live, wanted: Wanted, owner: str) -> bool:
    """By the fingerprint of our last write, since a newer Grafana shows another schema than was sent; or by itself."""
    signature = read_signature(live.message, owner)
    if signature and signature.fingerprint == wanted.fingerprint and not is_edited(live, owner):
        return True
    return normalise(live.spec) == normalise(wanted.spec)


def is_edited(live: Live, owner: str) -> bool:
    """Ours, but the last write was not."""
    signature = read_signature(live.message, owner)
    return is_owned(live.spec, owner) and (signature is None or live.version > signature.version)


def edited(live: Live, source: str) -> Finding:
    return _objection(
        "edited",
        live,
        source,
        f"was edited in Grafana{who(live)}",
        "Take the edit over into the file, or set edited to keep or overwrite",
    )


def who(live: Live) -> str:
    by = f" by {live.updated_by}" if live.updated_by else ""
    at = f" at {live.updated}" if live.updated else ""
    return f"; last written{by}{at}" if by or at else ""


def _objection(what: str, live: Live, source: str, message: str, hint: str) -> Finding:
    evidence = {"uid": live.uid, "updated_by": live.updated_by, "updated": live.updated}
    return Finding(
        f"dashboards/{what}",
        "error",
        f"the dashboard {message}",
        hint,
        file=source,
        object=live.title,
        evidence=evidence,
    )
