# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Grafana's dashboards what the files say: read all, plan, apply at once, and say exactly what was written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from .._findings import Finding
from .._grafana_model.files import Dashboard
from .._grafana_model.normalise import normalise
from .._http import Api, HttpError
from .folders import AmbiguousFolderError, Folder, Path, below, resolve
from .legacy_store import CONFLICTS, WORKERS, create_folder
from .ownership import Signature, sign
from .permissions import Granted, Grants, Permissions
from .plan import WRITES, Live, Policy, Step, Wanted, decide, decide_surplus, has_content, is_edited, plan, want
from .store import Store, open_store, was_ours


@dataclass(frozen=True, slots=True)
class Done:
    """One step and how it ended: written, not needed, not written, or unknown (no answer, and none afterwards).

    ``after`` is what Grafana has made of it, where it said so.
    """

    step: Step
    state: str
    error: str = ""
    after: Live | None = None


@dataclass
class Sync:
    """One run. ``root`` is the folder of the tree; with ``prune`` what is ours and not wanted in it goes."""

    api: Api
    policy: Policy
    message: str
    root: Path
    prune: bool
    dry_run: bool
    grants: Grants = field(default_factory=dict)
    granted: list[Granted] = field(default_factory=list)
    folders_made: list[Folder] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, dashboards: Sequence[Dashboard]) -> tuple[list[Done], list[Finding]]:
        """Nothing is written while there is any objection."""
        store = open_store(self.api)
        paths = {self.root, *(dashboard.folder for dashboard in dashboards)}
        known = store.folders(paths, self.root if self.prune else None)
        try:
            uids, missing = resolve(known, paths)
        except AmbiguousFolderError as error:
            return [], [Finding("folders/ambiguous", "error", str(error), "Rename or remove all but one of them")]
        if any(folder.parent for folder in missing) and not store.nests_folders():
            return [], [no_nesting(next(folder.title for folder in missing if folder.parent))]
        wanted = [want(one, uids[one.folder], self.policy.owner) for one in dashboards]
        if self.prune:
            self.policy = replace(self.policy, prune_in=below(known, uids[self.root]))
        live = self._recognise(store, wanted, store.read_all([one.uid for one in wanted], self.policy.owner))
        steps, findings = plan(wanted, live, self.policy)
        if findings:
            steps, findings = plan(wanted, self._name_authors(store, live, findings), self.policy)
        permissions = Permissions(self.api, self.grants, self.dry_run)
        findings += permissions.plan({one.uid for one in wanted}, live)
        if not findings:
            findings = self._make(missing if wanted else [])
        if findings:
            return [Done(step, "not written") for step in steps if step.action in WRITES], findings
        with ThreadPoolExecutor(WORKERS) as pool:
            done = list(pool.map(lambda step: self._apply(store, step), steps))
        there = {one.step.uid for one in done if one.state in {"written", "not needed"}}
        self.granted, findings = permissions.apply(there)
        return done, [failure(one) for one in done if one.error] + findings

    def _recognise(self, store: Store, wanted: Sequence[Wanted], live: Mapping[str, Live]) -> dict[str, Live]:
        """Settle what the texts alone cannot tell, by asking Grafana; a request for each such dashboard."""
        found = dict(live)
        for one in wanted:
            there = live.get(one.uid)
            if there and store.can_dry_run and self._is_doubtful(one, there) and would_be_same(store, one, there):
                found[one.uid] = replace(there, spec=one.spec)
        for uid in live.keys() - {one.uid for one in wanted}:
            doubtful = live[uid].folder in self.policy.prune_in and is_edited(live[uid], self.policy.owner)
            if doubtful and not was_ours(self.api, live[uid], self.policy.owner):
                del found[uid]
        return found

    def _is_doubtful(self, wanted: Wanted, live: Live) -> bool:
        """Ours, last written by another: perhaps without a change, or back to what it was."""
        owner = self.policy.owner
        return not live.manager and is_edited(live, owner) and not has_content(live, wanted, owner)

    def _name_authors(self, store: Store, live: Mapping[str, Live], findings: Sequence[Finding]) -> dict[str, Live]:
        uids = {finding.evidence.get("uid") for finding in findings}
        return {uid: replace(one, updated_by=store.author(one)) if uid in uids else one for uid, one in live.items()}

    def _make(self, missing: Sequence[Folder]) -> list[Finding]:
        """The folders that are missing, parents first; after a failure the others are not tried."""
        for folder in missing:
            state, error = ("written", "") if self.dry_run else create_folder(self.api, folder)
            if state != "written":
                hint = "Run again: what is written already stays"
                return [Finding(f"folders/{state.replace(' ', '-')}", "error", error, hint, object=folder.title)]
            self.folders_made.append(folder)
        return []

    def _apply(self, store: Store, step: Step) -> Done:
        if step.action not in WRITES:
            return Done(step, "not needed")
        if self.stopped.is_set():
            return Done(step, "not written", "not tried, since Grafana had stopped answering")
        try:
            return self._delete(store, step) if step.wanted is None else self._write(store, step, step.wanted)
        except HttpError as error:
            state = self._state_after(store, step, error)
            if state == "unknown":
                self.stopped.set()
            return Done(step, state, "" if state == "written" else str(error))

    def _delete(self, store: Store, step: Step) -> Done:
        """Deletes know no lock: look once more, so that an edit made since the plan is not lost."""
        live = store.read(step.uid)
        if live and step.live and live.lock != step.live.lock:
            decision = decide_surplus(live, self.policy)
            if isinstance(decision, Finding):
                return refused(step, decision)
        if live and not self.dry_run:
            store.delete(step.uid)
        return Done(step, "written")

    def _write(self, store: Store, step: Step, wanted: Wanted) -> Done:
        if self.dry_run:
            after = store.write(wanted, step.live, "", dry_run=True) if store.can_dry_run else None
            return Done(step, "written", after=after)
        try:
            return Done(step, "written", after=store.write(wanted, step.live, self._message(wanted, step.live)))
        except HttpError as error:
            if error.status not in CONFLICTS:
                raise
        return self._settle(store, step, wanted)

    def _settle(self, store: Store, step: Step, wanted: Wanted) -> Done:
        """Somebody wrote in between: an earlier try of ours, or another. Read again and decide again, once."""
        live = store.read(wanted.uid)
        decision = decide(wanted, live, self.policy)
        if isinstance(decision, Finding):
            return refused(step, decision)
        if decision.action in WRITES:
            live = store.write(wanted, live, self._message(wanted, live))
        return Done(step, "written", after=live)

    def _state_after(self, store: Store, step: Step, error: HttpError) -> str:
        """After a refusal nothing was written; after anything else only another look can tell."""
        if self.dry_run or error.is_refusal:
            return "not written"
        try:
            live = store.read(step.uid)
        except HttpError:
            return "unknown"
        if step.wanted is None:
            return "not written" if live else "written"
        if live is None or live.folder != step.wanted.folder:
            return "not written"
        return "written" if has_content(live, step.wanted, self.policy.owner) else "not written"

    def _message(self, wanted: Wanted, live: Live | None) -> str:
        version = live.version + 1 if live else 1
        return sign(self.message, self.policy.owner, Signature(wanted.fingerprint, version))


def would_be_same(store: Store, wanted: Wanted, live: Live) -> bool:
    """Whether writing would change nothing: Grafana shows both in one schema then, which no text here has."""
    try:
        after = store.write(wanted, live, live.message, dry_run=True)
    except HttpError as error:
        if not error.permanent and error.status not in CONFLICTS:
            raise
        return False
    return normalise(after.spec) == normalise(live.spec)


def refused(step: Step, finding: Finding) -> Done:
    return Done(step, "not written", f"{finding.message}. {finding.hint}")


def failure(done: Done) -> Finding:
    return Finding(
        "dashboards/not-written" if done.state != "unknown" else "dashboards/unknown",
        "error",
        f"{done.step.action} {done.state}: {done.error}",
        "Run again: what is written already stays",
        file=done.step.wanted.source if done.step.wanted else "",
        object=done.step.title,
    )


def no_nesting(title: str) -> Finding:
    return Finding(
        "folders/nested",
        "error",
        "this Grafana has no folders in folders",
        "Use one level of folders, or Grafana 11 and later",
        object=title,
    )


def diff(done: Iterable[Done]) -> list[dict[str, str]]:
    """What changes, dashboard by dashboard, as Grafana shows it before and after."""
    return [
        {
            "before_header": f"{one.step.title} ({one.step.uid})",
            "after_header": f"{one.step.title} ({one.step.uid})",
            "before": pretty(one.step.live.folder, one.step.live.spec) if one.step.live else "",
            "after": _after(one),
        }
        for one in done
        if one.step.action in WRITES
    ]


def _after(done: Done) -> str:
    wanted = done.step.wanted
    return pretty(wanted.folder, (done.after or wanted).spec) if wanted else ""


def pretty(folder: str, spec: Mapping[str, object]) -> str:
    return json.dumps({"folder": folder, "dashboard": normalise(spec)}, indent=2, sort_keys=True) + "\n"
