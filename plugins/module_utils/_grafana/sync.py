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
from .access import Access, FolderTree, dashboard_permissions, read_access, tree
from .folders import AmbiguousFolderError, Folder, Path, below, resolve
from .legacy_store import CONFLICTS, WORKERS, create_folder
from .ownership import Stamp, stamp
from .permissions import Granted, Grants, Permissions
from .plan import (
    WRITES,
    Desired,
    Observed,
    Policy,
    Step,
    decide,
    decide_surplus,
    has_content,
    is_edited,
    plan,
    to_desired,
)
from .store import Store, has_written, open_store


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step and how it ended: written, not needed, not written, or unknown (no answer, and none afterwards).

    ``after`` is what Grafana has made of it, where it said so.
    """

    step: Step
    state: str
    error: str = ""
    after: Observed | None = None


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
    created_folders: list[Folder] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    access: Access | None = None  # in a dry run: what the account may do, where Grafana says so
    tree: FolderTree = field(default_factory=lambda: FolderTree({}))

    def run(self, dashboards: Sequence[Dashboard]) -> tuple[list[StepResult], list[Finding]]:
        """Nothing is written while there is any conflict."""
        store = open_store(self.api)
        paths = {self.root, *(dashboard.folder for dashboard in dashboards)}
        known = store.folders(paths, self.root if self.prune else None)
        try:
            uids, missing = resolve(known, paths)
        except AmbiguousFolderError as error:
            return [], [Finding("folders/ambiguous", "error", str(error), "Rename or remove all but one of them")]
        if any(folder.parent for folder in missing) and not store.nests_folders():
            return [], [nesting_conflict(next(folder.title for folder in missing if folder.parent))]
        desired = [to_desired(dashboard, uids[dashboard.folder], self.policy.owner) for dashboard in dashboards]
        if self.prune:
            self.policy = replace(self.policy, prune_in=below(known, uids[self.root]))
        observed = self._ask_grafana(
            store, desired, store.read_all([dashboard.uid for dashboard in desired], self.policy.owner)
        )
        steps, findings = plan(desired, observed, self.policy)
        if findings:
            steps, findings = plan(desired, self._add_authors(store, observed, findings), self.policy)
        permissions = Permissions(self.api, self.grants, self.dry_run)
        findings += permissions.plan({dashboard.uid for dashboard in desired}, observed)
        if self.dry_run and not findings and any(step.action in WRITES for step in steps):
            self.access, self.tree = read_access(self.api), tree(known, missing)
        if not findings:
            findings = self._create_folders(missing if desired else [])
        if findings:
            return [StepResult(step, "not written") for step in steps if step.action in WRITES], findings
        with ThreadPoolExecutor(WORKERS) as pool:
            results = list(pool.map(lambda step: self._apply(store, step), steps))
        present = {result.step.uid for result in results if result.state in {"written", "not needed"}}
        self.granted, findings = permissions.apply(present)
        return results, [failure(result) for result in results if result.error] + findings

    def _ask_grafana(
        self, store: Store, desired: Sequence[Desired], observed: Mapping[str, Observed]
    ) -> dict[str, Observed]:
        """Settle what the texts alone cannot tell, by asking Grafana; a request for each such dashboard."""
        found = dict(observed)
        for dashboard in desired:
            current = observed.get(dashboard.uid)
            if (
                current
                and store.can_dry_run
                and self._is_doubtful(dashboard, current)
                and is_stored_equal(store, dashboard, current)
            ):
                found[dashboard.uid] = replace(current, spec=dashboard.spec)
        for uid in observed.keys() - {dashboard.uid for dashboard in desired}:
            doubtful = observed[uid].folder in self.policy.prune_in and is_edited(observed[uid], self.policy.owner)
            if doubtful and not has_written(self.api, observed[uid], self.policy.owner):
                del found[uid]
        return found

    def _is_doubtful(self, desired: Desired, observed: Observed) -> bool:
        """Ours, last written by another: perhaps without a change, or back to what it was."""
        owner = self.policy.owner
        return not observed.manager and is_edited(observed, owner) and not has_content(observed, desired, owner)

    def _add_authors(
        self, store: Store, observed: Mapping[str, Observed], findings: Sequence[Finding]
    ) -> dict[str, Observed]:
        uids = {finding.evidence.get("uid") for finding in findings}
        return {
            uid: replace(dashboard, updated_by=store.author(dashboard)) if uid in uids else dashboard
            for uid, dashboard in observed.items()
        }

    def _create_folders(self, missing: Sequence[Folder]) -> list[Finding]:
        """The folders that are missing, parents first; after a failure the others are not tried."""
        for folder in missing:
            state, error = self._check_folder(folder) if self.dry_run else create_folder(self.api, folder)
            if state != "written":
                hint = "Run again: what is written already stays"
                return [Finding(f"folders/{state.replace(' ', '-')}", "error", error, hint, object=folder.title)]
            self.created_folders.append(folder)
        return []

    def _check_folder(self, folder: Folder) -> tuple[str, str]:
        """Whether the account may make it."""
        refusal = self.access.refusal([self.tree.creation("folders:create", folder.parent)]) if self.access else ""
        return ("not written", refusal) if refusal else ("written", "")

    def _refusal(self, step: Step) -> str:
        """In a dry run, which checks no permission: the one that is missing."""
        if self.access is None:
            return ""
        now = step.observed.folder if step.observed else None
        then = step.desired.folder if step.desired else None
        return self.access.refusal(dashboard_permissions(step.uid, now, then, self.tree))

    def _apply(self, store: Store, step: Step) -> StepResult:
        if step.action not in WRITES:
            return StepResult(step, "not needed")
        if refusal := self._refusal(step):
            return StepResult(step, "not written", refusal)
        if self.stopped.is_set():
            return StepResult(step, "not written", "not tried, since Grafana had stopped answering")
        try:
            return self._delete(store, step) if step.desired is None else self._write(store, step, step.desired)
        except HttpError as error:
            state = self._state_after(store, step, error)
            if state == "unknown":
                self.stopped.set()
            return StepResult(step, state, "" if state == "written" else str(error))

    def _delete(self, store: Store, step: Step) -> StepResult:
        """Deletes know no lock: look once more, so that an edit made since the plan is not lost."""
        observed = store.read(step.uid)
        if observed and step.observed and observed.lock != step.observed.lock:
            decision = decide_surplus(observed, self.policy)
            if isinstance(decision, Finding):
                return refused(step, decision)
        if observed and not self.dry_run:
            store.delete(step.uid)
        return StepResult(step, "written")

    def _write(self, store: Store, step: Step, desired: Desired) -> StepResult:
        if self.dry_run:
            after = store.write(desired, step.observed, "", dry_run=True) if store.can_dry_run else None
            return StepResult(step, "written", after=after)
        try:
            return StepResult(
                step, "written", after=store.write(desired, step.observed, self._message(desired, step.observed))
            )
        except HttpError as error:
            if error.status not in CONFLICTS:
                raise
        return self._settle(store, step, desired)

    def _settle(self, store: Store, step: Step, desired: Desired) -> StepResult:
        """Somebody wrote in between: an earlier try of ours, or another. Read again and decide again, once."""
        observed = store.read(desired.uid)
        decision = decide(desired, observed, self.policy)
        if isinstance(decision, Finding):
            return refused(step, decision)
        if decision.action in WRITES:
            observed = store.write(desired, observed, self._message(desired, observed))
        return StepResult(step, "written", after=observed)

    def _state_after(self, store: Store, step: Step, error: HttpError) -> str:
        """After a refusal nothing was written; after anything else only another look can tell."""
        if self.dry_run or error.is_refusal:
            return "not written"
        try:
            observed = store.read(step.uid)
        except HttpError:
            return "unknown"
        if step.desired is None:
            return "not written" if observed else "written"
        if observed is None or observed.folder != step.desired.folder:
            return "not written"
        return "written" if has_content(observed, step.desired, self.policy.owner) else "not written"

    def _message(self, desired: Desired, observed: Observed | None) -> str:
        version = observed.version + 1 if observed else 1
        return stamp(self.message, self.policy.owner, Stamp(desired.fingerprint, version))


def is_stored_equal(store: Store, desired: Desired, observed: Observed) -> bool:
    """Whether writing would change nothing: Grafana shows both in one schema then, which no text here has."""
    try:
        after = store.write(desired, observed, observed.message, dry_run=True)
    except HttpError as error:
        if not error.permanent and error.status not in CONFLICTS:
            raise
        return False
    return normalise(after.spec) == normalise(observed.spec)


def refused(step: Step, finding: Finding) -> StepResult:
    return StepResult(step, "not written", f"{finding.message}. {finding.hint}")


def failure(result: StepResult) -> Finding:
    return Finding(
        "dashboards/not-written" if result.state != "unknown" else "dashboards/unknown",
        "error",
        f"{result.step.action} {result.state}: {result.error}",
        "Run again: what is written already stays",
        file=result.step.desired.source if result.step.desired else "",
        object=result.step.title,
    )


def nesting_conflict(title: str) -> Finding:
    return Finding(
        "folders/nested",
        "error",
        "this Grafana has no folders in folders",
        "Use one level of folders, or Grafana 11 and later",
        object=title,
    )


def diff(results: Iterable[StepResult]) -> list[dict[str, str]]:
    """What changes, dashboard by dashboard, as Grafana shows it before and after."""
    return [
        {
            "before_header": f"{result.step.title} ({result.step.uid})",
            "after_header": f"{result.step.title} ({result.step.uid})",
            "before": pretty(result.step.observed.folder, result.step.observed.spec) if result.step.observed else "",
            "after": _after(result),
        }
        for result in results
        if result.step.action in WRITES
    ]


def _after(result: StepResult) -> str:
    desired = result.step.desired
    return pretty(desired.folder, (result.after or desired).spec) if desired else ""


def pretty(folder: str, spec: Mapping[str, object]) -> str:
    return json.dumps({"folder": folder, "dashboard": normalise(spec)}, indent=2, sort_keys=True) + "\n"
