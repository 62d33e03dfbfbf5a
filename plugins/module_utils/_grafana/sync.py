# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Grafana's dashboards what the files say: read all, plan, apply at once, and say exactly what was written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from .._findings import Finding
from .._http import Api, HttpError
from .files import Dashboard
from .folders import Folder, find, make_uid
from .marker import sign
from .normalise import normalise
from .plan import WRITES, Policy, Step, Wanted, decide, has_content, plan, want
from .store import WORKERS, Folders, Store, open_store

CONFLICTS = {409, 412}
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """One step and how it ended: written, not needed, not written, or unknown (no answer, and none afterwards)."""

    step: Step
    state: str
    error: str = ""


@dataclass
class Sync:
    """One run."""

    api: Api
    policy: Policy
    message: str
    dry_run: bool
    missing_folders: list[Folder] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, dashboards: Sequence[Dashboard]) -> tuple[list[Done], list[Finding]]:
        """Nothing is written while there is any objection."""
        store = open_store(self.api)
        uids = self._folder_uids({dashboard.folder for dashboard in dashboards})
        wanted = [want(one, uids[one.folder], self.policy.owner) for one in dashboards]
        steps, findings = plan(wanted, store.read_all([one.uid for one in wanted], self.policy.owner), self.policy)
        if findings:
            self.missing_folders.clear()
            return [Done(step, "not written") for step in steps if step.action in WRITES], findings
        if not self.dry_run:
            for folder in self.missing_folders:
                Folders(self.api).create(folder)
        with ThreadPoolExecutor(WORKERS) as pool:
            done = list(pool.map(lambda step: self._apply(store, step), steps))
        return done, [failure(one) for one in done if one.error]

    def _folder_uids(self, paths: Iterable[Path]) -> dict[Path, str]:
        """The uid of each folder, those that are still to be made too. Parents come first."""
        remote = Folders(self.api)
        known: list[Folder] = []
        listed: set[str] = set()
        uids: dict[Path, str] = {(): ""}
        every = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
        for path in sorted(every, key=len):
            parent = uids[path[:-1]]
            is_new = parent in {folder.uid for folder in self.missing_folders}
            if parent not in listed and not is_new:
                known += remote.read(parent)
                listed.add(parent)
            # Found below its parent, whose own path is settled already.
            beside = [replace(folder, parent="") for folder in known if folder.parent == parent]
            uid = find(beside, path[-1:]) if make_uid(path) not in {one.uid for one in beside} else make_uid(path)
            if uid is None:
                uid = make_uid(path)
                self.missing_folders.append(Folder(uid, path[-1], parent))
            uids[path] = uid
        return uids

    def _apply(self, store: Store, step: Step) -> Done:
        if step.action not in WRITES:
            return Done(step, "not needed")
        if self.stopped.is_set():
            return Done(step, "not written", "not tried, since Grafana had stopped answering")
        try:
            return self._try(store, step)
        except HttpError as error:
            if error.status == 0:
                self.stopped.set()
            return Done(step, self._state_after(store, step, error), str(error))

    def _try(self, store: Store, step: Step) -> Done:
        wanted = step.wanted
        if wanted is None:
            if not self.dry_run:
                store.delete(step.uid)
            return Done(step, "written")
        if self.dry_run:
            if store.can_dry_run:
                store.write(wanted, step.live, self._message(wanted), dry_run=True)
            return Done(step, "written")
        try:
            store.write(wanted, step.live, self._message(wanted))
        except HttpError as error:
            if error.status not in CONFLICTS:
                raise
            return self._settle(store, step, wanted)
        return Done(step, "written")

    def _settle(self, store: Store, step: Step, wanted: Wanted) -> Done:
        """Somebody wrote in between: an earlier try of ours, or another. Read again and decide again, once."""
        live = store.read(wanted.uid)
        decision = decide(wanted, live, self.policy)
        if isinstance(decision, Finding):
            return Done(step, "not written", f"{decision.message}. {decision.hint}")
        if decision.action in WRITES:
            store.write(wanted, live, self._message(wanted))
        return Done(step, "written")

    def _state_after(self, store: Store, step: Step, error: HttpError) -> str:
        """After a refusal nothing was written; after anything else only another look can tell."""
        if self.dry_run or 0 < error.status < 500:
            return "not written"
        try:
            live = store.read(step.uid)
        except HttpError:
            return "unknown"
        if step.wanted is None:
            return "not written" if live else "written"
        return "written" if live and has_content(live, step.wanted, self.policy.owner) else "not written"

    def _message(self, wanted: Wanted) -> str:
        return sign(self.message, self.policy.owner, wanted.fingerprint)


def failure(done: Done) -> Finding:
    return Finding(
        "dashboards/not-written" if done.state != "unknown" else "dashboards/unknown",
        "error",
        f"{done.step.action} {done.state}: {done.error}",
        "Run again: what is written already stays",
        file=done.step.wanted.source if done.step.wanted else "",
        object=done.step.title,
    )


def diff(done: Iterable[Done]) -> list[dict[str, str]]:
    """What changes, dashboard by dashboard."""
    return [
        {
            "before_header": f"{one.step.title} ({one.step.uid})",
            "after_header": f"{one.step.title} ({one.step.uid})",
            "before": pretty(one.step.live.folder, one.step.live.spec) if one.step.live else "",
            "after": pretty(one.step.wanted.folder, one.step.wanted.spec) if one.step.wanted else "",
        }
        for one in done
        if one.step.action in WRITES
    ]


def pretty(folder: str, spec: dict[str, object]) -> str:
    return json.dumps({"folder": folder, "dashboard": normalise(spec)}, indent=2, sort_keys=True) + "\n"
