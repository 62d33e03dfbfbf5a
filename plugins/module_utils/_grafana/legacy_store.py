# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards and folders through /api, which every Grafana has: two requests for each, the version guards a write."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from .._grafana_model.model import Json
from .._http import Api, HttpError
from .client import Grafana, parse, segment
from .folders import Folder, Path, walk
from .ownership import owner_tag
from .plan import Desired, Observed

WORKERS = 8
PAGE = 1000
CONFLICTS = frozenset({409, 412})  # somebody was faster
NESTED_SINCE = 11  # before, a feature toggle


@dataclass
class LegacyStore:
    api: Api
    can_dry_run: bool = False

    def read_all(self, uids: Collection[str], owner: str) -> dict[str, Observed]:
        owned = (hit["uid"] for hit in Grafana(self.api).search("dash-db", tag=owner_tag(owner)))
        return self._read_each({*uids, *owned})

    def read_every(self) -> dict[str, Observed]:
        return self._read_each({hit["uid"] for hit in Grafana(self.api).search("dash-db")})

    def _read_each(self, uids: Collection[str]) -> dict[str, Observed]:
        with ThreadPoolExecutor(WORKERS) as pool:
            return {observed.uid: observed for observed in pool.map(self.read, sorted(uids)) if observed}

    def read(self, uid: str) -> Observed | None:
        path = f"/api/dashboards/uid/{segment(uid)}"
        found = find(self.api, path)
        if found is None:
            return None
        observed = parse(path, read_dashboard, found)
        return replace(observed, message=read_message(self.api, uid, observed.version))

    def write(self, desired: Desired, observed: Observed | None, message: str, *, dry_run: bool = False) -> Observed:
        spec = {name: value for name, value in desired.spec.items() if name not in {"id", "version"}}
        if observed is not None:
            spec |= {"id": observed.spec.get("id"), "version": int(observed.lock)}
        body = {"dashboard": spec, "folderUid": desired.folder, "message": message, "overwrite": False}
        # Sent twice, the second meets the version that the first has made.
        path = "/api/dashboards/db"
        version = parse(path, lambda saved: int(saved["version"]), self.api.post(path, body, repeatable=True))
        return Observed(desired.uid, desired.title, desired.folder, desired.spec, str(version), version, message)

    def delete(self, uid: str) -> None:
        delete(self.api, f"/api/dashboards/uid/{segment(uid)}")

    def folders(self, paths: Iterable[Path], root: Path | None) -> list[Folder]:
        # A search would be late, so each level is listed.
        return walk(lambda parent: list_level(self.api, parent), paths, root)

    def nests_folders(self) -> bool:
        """By the version, where it is shown, or by the toggle that came before."""
        path = "/api/frontend/settings"
        return parse(path, read_nesting, self.api.get(path))

    def author(self, observed: Observed) -> str:
        return observed.updated_by


def read_nesting(settings: Json) -> bool:
    major = re.match(r"\d+", str(settings.get("buildInfo", {}).get("version", "")))
    toggles = settings.get("featureToggles") or {}
    return bool(toggles.get("nestedFolders")) or major is None or int(major[0]) >= NESTED_SINCE


def read_dashboard(found: Json) -> Observed:
    """The answer to a read of one; the message of its last write is elsewhere."""
    spec, meta = found["dashboard"], found["meta"]
    version = int(spec.get("version") or 0)
    return Observed(
        uid=spec["uid"],
        title=str(spec.get("title", "")),
        folder=meta.get("folderUid", ""),
        spec=spec,
        lock=str(version),
        version=version,
        updated_by=meta.get("updatedBy", ""),
        updated=meta.get("updated", ""),
        manager="a file in Grafana's pod" if meta.get("provisioned") else "",
    )


def read_message(api: Api, uid: str, version: int) -> str:
    """The message of one version; none where there is no such version any more, and for who may only read."""
    path = f"{versions_path(uid)}/{version}"
    try:
        return parse(path, lambda entry: str(entry.get("message") or ""), api.get(path))
    except HttpError as error:
        # Grafana answers 500 for a version that it does not have.
        if error.status in {403, 404} or (error.status == 500 and "not found" in error.reason):
            return ""
        raise


def read_history(api: Api, uid: str) -> Iterator[str]:
    """The messages of a dashboard's versions, newest first.

    The list has another message for the first version ("Initial save"), so that one is asked for its own.
    """
    path = versions_path(uid)
    for version, message in parse(path, read_versions, api.get(path, {"limit": str(PAGE)})):
        yield read_message(api, uid, version) if message is None else message


def read_versions(answer: Any) -> list[tuple[int, str | None]]:
    """Number and message of each version, None for the first. Since Grafana 12 the list has an object around it."""
    entries = answer["versions"] if isinstance(answer, dict) else answer
    return [
        (int(entry["version"]), str(entry.get("message") or "") if entry.get("parentVersion") else None)
        for entry in entries
    ]


def versions_path(uid: str) -> str:
    return f"/api/dashboards/uid/{segment(uid)}/versions"


def list_level(api: Api, parent: str) -> list[Folder]:
    """The folders in a folder. A Grafana without folders in folders lists those of the root again: not those."""
    found: list[Folder] = []
    page = 1
    while True:
        answer = api.get("/api/folders", {"limit": str(PAGE), "page": str(page), "parentUid": parent})
        level = parse("/api/folders", lambda entries: [read_folder_entry(entry) for entry in entries], answer)
        found += level
        if len(level) < PAGE:
            return [folder for folder in found if folder.parent == parent]
        page += 1


def create_folder(api: Api, folder: Folder) -> tuple[str, str]:
    """Make a folder; its state then, and what failed. The same one, made by somebody else in the meantime, will do."""
    try:
        post_folder(api, folder)
    except HttpError as error:
        if error.is_refusal and error.status not in CONFLICTS:
            return "not written", str(error)
        try:
            existing = read_folder(api, folder.uid)
        except HttpError:
            return "unknown", str(error)
        return ("written", "") if existing == folder else ("not written", str(error))
    return "written", ""


def post_folder(api: Api, folder: Folder) -> None:
    """Sent twice, the second is refused as a copy of the first."""
    body = {"uid": folder.uid, "title": folder.title, **({"parentUid": folder.parent} if folder.parent else {})}
    api.post("/api/folders", body, repeatable=True)


def read_folder(api: Api, uid: str) -> Folder | None:
    path = f"/api/folders/{segment(uid)}"
    found = find(api, path)
    return None if found is None else parse(path, read_folder_entry, found)


def read_folder_entry(entry: Json) -> Folder:
    return Folder(entry["uid"], entry["title"], entry.get("parentUid", ""))


def find(api: Api, path: str) -> Json | None:
    try:
        found: Json = api.get(path)
    except HttpError as error:
        if error.status == 404:
            return None
        raise
    return found


def delete(api: Api, path: str) -> None:
    """What is gone already is as good as deleted."""
    try:
        api.delete(path)
    except HttpError as error:
        if error.status != 404:
            raise
