# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put what an archive holds into a Grafana: read all, plan, write, read back and compare."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from .._findings import Finding, failed
from .._http import HttpError
from .access import Access, FolderTree
from .archive import Backup, to_bytes
from .legacy_store import WORKERS
from .redaction import redact
from .resources import Resource, Resources, needed_secrets, read_resource

Existing = Literal["fail", "keep", "overwrite"]
Action = Literal["create", "update", "keep", "unchanged"]
WRITES: frozenset[Action] = frozenset({"create", "update"})
WOULD_REFUSE = "Nothing was written; a run without check mode would end there too"


@dataclass(frozen=True, slots=True)
class Restored:
    """One object: what it needed, and how that ended: written, not needed, not written, partly written, or unknown."""

    action: Action
    resource: Resource
    observed: Resource | None = None
    state: str = ""
    error: str = ""


@dataclass
class Restore:
    """One run. Nothing is written while there is any conflict."""

    kinds: Sequence[Resources]
    existing: Existing
    dry_run: bool
    access: Access | None = None  # what the account may do, where Grafana says so
    folders: FolderTree = field(default_factory=lambda: FolderTree({}))
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, backup: Backup) -> tuple[list[Restored], list[Finding]]:
        plans: list[tuple[Resources, list[Restored]]] = []
        findings: list[Finding] = []
        for resources in self.kinds:
            steps, found = self._plan(resources, backup)
            plans.append((resources, steps))
            findings += found
        if failed(findings):
            writes = [step for plan in plans for step in plan[1] if step.action in WRITES]
            return [_ended(step, "not written") for step in writes], findings
        results = [result for resources, steps in plans for result in self._apply(resources, steps)]
        hint = WOULD_REFUSE if self.dry_run else "Run again: what is written already stays"
        findings += [failure(result, hint) for result in results if result.error]
        if not self.dry_run:
            findings += self._verify(results)
        return results, findings + self._missing_secrets(results)

    def _plan(self, resources: Resources, backup: Backup) -> tuple[list[Restored], list[Finding]]:
        bodies = backup.objects[resources.kind].values()
        # An archive of an older release may hold the contact point without a uid, which each Grafana makes itself.
        desired = [read_resource(resources.kind, body) for body in bodies if body.get("uid") != ""]
        observed = resources.read()
        if resources.kind == "folders":
            existing, planned = (
                {item.key: item.body["parent"] for item in items} for items in (observed.values(), desired)
            )
            self.folders = FolderTree(existing, planned)
        steps: list[Restored] = []
        findings = resources.conflicts(desired, observed)
        with ThreadPoolExecutor(WORKERS) as pool:
            current = [observed.get(item.key) for item in desired]
            is_equal = list(
                pool.map(
                    lambda pair: pair[1] is not None and resources.is_equal(*pair), zip(desired, current, strict=True)
                )
            )
        for item, old, is_same in zip(desired, current, is_equal, strict=True):
            action, finding = decide(item, old, self.existing, is_same=is_same)
            steps.append(Restored(action, item, old))
            findings += [finding] if finding else []
        return steps, findings

    def _apply(self, resources: Resources, steps: Sequence[Restored]) -> list[Restored]:
        if resources.kind == "folders":
            return self._apply_folders(resources, steps)
        if resources.kind == "datasources":  # a new default takes it from the one before, which changes that
            ordered = sorted(steps, key=lambda step: bool(step.resource.body.get("isDefault")))
            return [self._one(resources, step) for step in ordered]
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(lambda step: self._one(resources, step), steps))

    def _apply_folders(self, resources: Resources, steps: Sequence[Restored]) -> list[Restored]:
        """Parents first. Grafana may take a folder whose parent is not there, and lose it."""
        results: dict[str, Restored] = {}
        for step in parents_first(steps):
            parent = results.get(step.resource.body["parent"])
            if parent and parent.action == "create" and parent.state != "written" and step.action in WRITES:
                results[step.resource.key] = _ended(step, "not written", "its parent folder was not written")
            else:
                results[step.resource.key] = self._one(resources, step)
        return list(results.values())

    def _one(self, resources: Resources, step: Restored) -> Restored:
        if step.action not in WRITES:
            return _ended(step, "not needed")
        if self.stopped.is_set():
            return _ended(step, "not written", "not tried, since Grafana had stopped answering")
        if self.dry_run:
            return self._dry_run(resources, step)
        try:
            resources.write(step.resource, step.observed)
        except HttpError as error:
            return self._state_after(resources, step, error)
        return _ended(step, "written")

    def _dry_run(self, resources: Resources, step: Restored) -> Restored:
        permissions = resources.permissions(step.resource, step.observed, self.folders)
        if self.access and (refusal := self.access.refusal(permissions)):
            return _ended(step, "not written", refusal)
        try:
            resources.dry_run(step.resource, step.observed)
        except HttpError as error:
            if error.status == 0:
                self.stopped.set()
            return _ended(step, "not written", str(error))
        return _ended(step, "written")

    def _state_after(self, resources: Resources, step: Restored, error: HttpError) -> Restored:
        """An earlier try of ours may have been carried out, and only its answer lost."""
        try:
            observed = resources.read_one(step.resource.key)
            if observed is not None and resources.is_equal(step.resource, observed):
                return _ended(step, "written")
        except HttpError:
            self.stopped.set()
            return _ended(step, "not written" if error.is_refusal else "unknown", str(error))
        # Only a folder takes two requests: one for its title, one for its place.
        half = (
            resources.kind == "folders"
            and observed
            and step.observed
            and not resources.is_equal(step.observed, observed)
        )
        return _ended(step, "partly written" if half else "not written", str(error))

    def _verify(self, results: Sequence[Restored]) -> list[Finding]:
        """Read everything back."""
        findings: list[Finding] = []
        for resources in self.kinds:
            written = [
                result.resource
                for result in results
                if result.resource.kind == resources.kind and result.state == "written"
            ]
            if not written:
                continue
            try:
                observed = resources.read()
                findings += [
                    not_verified(item)
                    for item in written
                    if item.key not in observed or not resources.is_equal(item, observed[item.key])
                ]
            except HttpError as error:
                findings.append(
                    Finding(
                        "restore/not-verified", "error", f"reading back {resources.kind} failed: {error}", "Run again"
                    )
                )
        return findings

    def _missing_secrets(self, results: Sequence[Restored]) -> list[Finding]:
        """What was created works only with the secrets that no archive has."""
        given = {resources.kind: resources.secrets for resources in self.kinds}
        created = [result.resource for result in results if result.action == "create" and result.state == "written"]
        findings: list[Finding] = []
        for item in created:
            names = [name for name in needed_secrets(item) if name not in given[item.kind].get(item.key, {})]
            if names:
                message = f"no archive holds its secrets: {', '.join(names)}"
                hint = "Give them in secrets, or set them in Grafana"
                findings.append(Finding("restore/secrets-needed", "warning", message, hint, object=_label(item)))
        return findings


def decide(
    item: Resource, observed: Resource | None, existing: Existing, *, is_same: bool
) -> tuple[Action, Finding | None]:
    """What happens to one object, and what is to be said about it."""
    if observed is None:
        return "create", None
    if is_same:
        return "unchanged", None
    if existing == "keep":
        return "keep", None
    if existing == "overwrite" and not observed.locked:
        return "update", None
    if observed.locked:
        severity: Literal["error", "warning"] = "warning" if existing == "overwrite" else "error"
        message = f"it differs from the archive, and it {observed.locked}"
        return "keep", Finding("restore/locked", severity, message, "It is left as it is", object=_label(item))
    hint = "Set existing to keep or overwrite"
    return "keep", Finding(
        "restore/exists", "error", f"it differs from the archive{observed.changed}", hint, object=_label(item)
    )


def parents_first(steps: Iterable[Restored]) -> list[Restored]:
    """A folder can only be put into one that is there."""
    steps = list(steps)
    parents = {step.resource.key: step.resource.body["parent"] for step in steps}

    def depth(key: str) -> int:
        seen: set[str] = set()
        while key in parents and key not in seen:
            seen.add(key)
            key = parents[key]
        return len(seen)

    return sorted(steps, key=lambda step: (depth(step.resource.key), step.resource.key))


def _parents(folders: Iterable[Resource]) -> dict[str, str]:
    return {folder.key: folder.body["parent"] for folder in folders}


def failure(result: Restored, hint: str) -> Finding:
    return Finding(
        f"restore/{result.state.replace(' ', '-')}",
        "error",
        f"{result.action} {result.state}: {result.error}",
        hint,
        object=_label(result.resource),
    )


def not_verified(item: Resource) -> Finding:
    message = "read back, it is not what the archive holds"
    return Finding("restore/not-verified", "error", message, "Run again with --diff to see it", object=_label(item))


def diff(results: Iterable[Restored]) -> list[dict[str, str]]:
    return [
        {
            "before_header": _label(result.resource),
            "after_header": _label(result.resource),
            "before": pretty(result.observed.body) if result.observed else "",
            "after": pretty(result.resource.body),
        }
        for result in results
        if result.state == "written"
    ]


def pretty(body: Mapping[str, object]) -> str:
    """As JSON, without the secrets that an archive of an older release may hold."""
    return to_bytes(redact(body)).decode()


def _label(item: Resource) -> str:
    return f"{item.kind}/{item.key} ({item.title})"


def _ended(step: Restored, state: str, error: str = "") -> Restored:
    return Restored(step.action, step.resource, step.observed, state, error)
