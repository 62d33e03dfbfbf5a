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
from .archive import Backup, to_bytes
from .legacy_store import WORKERS
from .resources import Item, Shelf, needed_secrets, unpacked

Existing = Literal["fail", "keep", "overwrite"]
Action = Literal["create", "update", "keep", "unchanged"]
WRITES: frozenset[Action] = frozenset({"create", "update"})
WOULD_REFUSE = "Nothing was written; a run without check mode would end there too"


@dataclass(frozen=True, slots=True)
class Restored:
    """One object: what it needed, and how that ended: written, not needed, not written, partly written, or unknown."""

    action: Action
    item: Item
    live: Item | None = None
    state: str = ""
    error: str = ""


@dataclass
class Restore:
    """One run. Nothing is written while there is any objection."""

    shelves: Sequence[Shelf]
    existing: Existing
    dry_run: bool
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, backup: Backup) -> tuple[list[Restored], list[Finding]]:
        plans: list[tuple[Shelf, list[Restored]]] = []
        findings: list[Finding] = []
        for shelf in self.shelves:
            steps, found = self._plan(shelf, backup)
            plans.append((shelf, steps))
            findings += found
        if failed(findings):
            writes = [step for plan in plans for step in plan[1] if step.action in WRITES]
            return [_ended(step, "not written") for step in writes], findings
        done = [one for shelf, steps in plans for one in self._apply(shelf, steps)]
        hint = WOULD_REFUSE if self.dry_run else "Run again: what is written already stays"
        findings += [failure(one, hint) for one in done if one.error]
        if not self.dry_run:
            findings += self._verify(done)
        return done, findings + self._missing_secrets(done)

    def _plan(self, shelf: Shelf, backup: Backup) -> tuple[list[Restored], list[Finding]]:
        wanted = [unpacked(shelf.kind, body) for body in backup.objects[shelf.kind].values()]
        live = shelf.read()
        steps: list[Restored] = []
        findings = shelf.objections(wanted, live)
        with ThreadPoolExecutor(WORKERS) as pool:
            there = [live.get(item.key) for item in wanted]
            same = list(
                pool.map(lambda pair: pair[1] is not None and shelf.same(*pair), zip(wanted, there, strict=True))
            )
        for item, old, is_same in zip(wanted, there, same, strict=True):
            action, finding = decide(item, old, self.existing, is_same=is_same)
            steps.append(Restored(action, item, old))
            findings += [finding] if finding else []
        return steps, findings

    def _apply(self, shelf: Shelf, steps: Sequence[Restored]) -> list[Restored]:
        if shelf.kind == "folders":
            return [self._one(shelf, step) for step in parents_first(steps)]
        if shelf.kind == "datasources":  # a new default takes it from the one before, which changes that
            ordered = sorted(steps, key=lambda step: bool(step.item.body.get("isDefault")))
            return [self._one(shelf, step) for step in ordered]
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(lambda step: self._one(shelf, step), steps))

    def _one(self, shelf: Shelf, step: Restored) -> Restored:
        if step.action not in WRITES:
            return _ended(step, "not needed")
        if self.stopped.is_set():
            return _ended(step, "not written", "not tried, since Grafana had stopped answering")
        if self.dry_run:
            return self._rehearse(shelf, step)
        try:
            shelf.write(step.item, step.live)
        except HttpError as error:
            return self._look_again(shelf, step, error)
        return _ended(step, "written")

    def _rehearse(self, shelf: Shelf, step: Restored) -> Restored:
        try:
            shelf.rehearse(step.item, step.live)
        except HttpError as error:
            if error.status == 0:
                self.stopped.set()
            return _ended(step, "not written", str(error))
        return _ended(step, "written")

    def _look_again(self, shelf: Shelf, step: Restored, error: HttpError) -> Restored:
        """An earlier try of ours may have been carried out, and only its answer lost."""
        try:
            live = shelf.read_one(step.item.key)
            if live is not None and shelf.same(step.item, live):
                return _ended(step, "written")
        except HttpError:
            self.stopped.set()
            return _ended(step, "not written" if error.is_refusal else "unknown", str(error))
        # Only a folder takes two requests: one for its title, one for its place.
        half = shelf.kind == "folders" and live and step.live and not shelf.same(step.live, live)
        return _ended(step, "partly written" if half else "not written", str(error))

    def _verify(self, done: Sequence[Restored]) -> list[Finding]:
        """Read everything back."""
        findings: list[Finding] = []
        for shelf in self.shelves:
            written = [one.item for one in done if one.item.kind == shelf.kind and one.state == "written"]
            if not written:
                continue
            try:
                live = shelf.read()
                findings += [
                    not_verified(item)
                    for item in written
                    if item.key not in live or not shelf.same(item, live[item.key])
                ]
            except HttpError as error:
                findings.append(
                    Finding("restore/not-verified", "error", f"reading back {shelf.kind} failed: {error}", "Run again")
                )
        return findings

    def _missing_secrets(self, done: Sequence[Restored]) -> list[Finding]:
        """What was created works only with the secrets that no archive has."""
        given = {shelf.kind: shelf.secrets for shelf in self.shelves}
        created = [one.item for one in done if one.action == "create" and one.state == "written"]
        findings: list[Finding] = []
        for item in created:
            names = [name for name in needed_secrets(item) if name not in given[item.kind].get(item.key, {})]
            if names:
                message = f"no archive holds its secrets: {', '.join(names)}"
                hint = "Give them in secrets, or set them in Grafana"
                findings.append(Finding("restore/secrets-needed", "warning", message, hint, object=_label(item)))
        return findings


def decide(item: Item, live: Item | None, existing: Existing, *, is_same: bool) -> tuple[Action, Finding | None]:
    """What happens to one object, and what is to be said about it."""
    if live is None:
        return "create", None
    if is_same:
        return "unchanged", None
    if existing == "keep":
        return "keep", None
    if existing == "overwrite" and not live.locked:
        return "update", None
    if live.locked:
        severity: Literal["error", "warning"] = "warning" if existing == "overwrite" else "error"
        message = f"it differs from the archive, and it {live.locked}"
        return "keep", Finding("restore/locked", severity, message, "It is left as it is", object=_label(item))
    hint = "Set existing to keep or overwrite"
    return "keep", Finding(
        "restore/exists", "error", f"it differs from the archive{live.changed}", hint, object=_label(item)
    )


def parents_first(steps: Iterable[Restored]) -> list[Restored]:
    """A folder can only be put into one that is there."""
    steps = list(steps)
    parents = {step.item.key: step.item.body["parent"] for step in steps}

    def depth(key: str) -> int:
        seen: set[str] = set()
        while key in parents and key not in seen:
            seen.add(key)
            key = parents[key]
        return len(seen)

    return sorted(steps, key=lambda step: (depth(step.item.key), step.item.key))


def failure(one: Restored, hint: str) -> Finding:
    return Finding(
        f"restore/{one.state.replace(' ', '-')}",
        "error",
        f"{one.action} {one.state}: {one.error}",
        hint,
        object=_label(one.item),
    )


def not_verified(item: Item) -> Finding:
    message = "read back, it is not what the archive holds"
    return Finding("restore/not-verified", "error", message, "Run again with --diff to see it", object=_label(item))


def diff(done: Iterable[Restored]) -> list[dict[str, str]]:
    return [
        {
            "before_header": _label(one.item),
            "after_header": _label(one.item),
            "before": pretty(one.live.body) if one.live else "",
            "after": pretty(one.item.body),
        }
        for one in done
        if one.state == "written"
    ]


def pretty(body: Mapping[str, object]) -> str:
    return to_bytes(body).decode()


def _label(item: Item) -> str:
    return f"{item.kind}/{item.key} ({item.title})"


def _ended(step: Restored, state: str, error: str = "") -> Restored:
    return Restored(step.action, step.item, step.live, state, error)
