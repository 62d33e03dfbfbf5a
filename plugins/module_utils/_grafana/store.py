# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where dashboards are kept: Grafana's /apis where it has them (12 and later), else /api."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from .._http import Api, HttpError
from .client import Json
from .folders import Folder
from .marker import tag
from .plan import Live, Wanted

GROUP = "/apis/dashboard.grafana.app"
USABLE = ("v1", "v1beta1")
PAGE = "500"
FOLDER = "grafana.app/folder"
MESSAGE = "grafana.app/message"
WORKERS = 8


class Store(Protocol):
    """Reads and writes of whole dashboards. A write that somebody else got ahead of is a HttpError 409 or 412."""

    can_dry_run: bool

    def read_all(self, uids: Collection[str], owner: str) -> dict[str, Live]:
        """At least these, and everything of the owner."""

    def read(self, uid: str) -> Live | None: ...
    def write(self, wanted: Wanted, live: Live | None, message: str, *, dry_run: bool = False) -> None: ...
    def delete(self, uid: str) -> None: ...


def open_store(api: Api) -> Store:
    """The best interface that this Grafana has."""
    try:
        served = [entry["version"] for entry in api.get(GROUP)["versions"]]
    except HttpError as error:
        if error.status != 404:
            raise
        served = []
    version = next((one for one in USABLE if one in served), "")
    return AppStore(api, version) if version else LegacyStore(api)


@dataclass
class AppStore:
    """One list request reads everything, and resourceVersion guards each write."""

    api: Api
    version: str
    can_dry_run: bool = True

    @property
    def base(self) -> str:
        return f"{GROUP}/{self.version}/namespaces/default/dashboards"

    def read_all(self, uids: Collection[str], owner: str) -> dict[str, Live]:
        found: dict[str, Live] = {}
        token = ""
        while True:
            page = self.api.get(self.base, {"limit": PAGE, "continue": token})
            found |= {live.uid: live for live in map(read_object, page["items"])}
            token = page["metadata"].get("continue", "")
            if not token:
                return found

    def read(self, uid: str) -> Live | None:
        found = find(self.api, f"{self.base}/{quote(uid)}")
        return read_object(found) if found else None

    def write(self, wanted: Wanted, live: Live | None, message: str, *, dry_run: bool = False) -> None:
        metadata: Json = {"name": wanted.uid, "annotations": {MESSAGE: message}}
        if wanted.folder:
            metadata["annotations"][FOLDER] = wanted.folder
        body = {
            "kind": "Dashboard",
            "apiVersion": f"dashboard.grafana.app/{self.version}",
            "metadata": metadata,
            "spec": {name: value for name, value in wanted.spec.items() if name not in {"id", "version"}},
        }
        query = {"dryRun": "All"} if dry_run else {}
        if live is None:
            # Sent twice, the second is refused as a copy of the first, and then recognised by its message.
            self.api.request("POST", self.base, query, body, repeatable=True)
        else:
            metadata["resourceVersion"] = live.lock
            self.api.put(f"{self.base}/{quote(wanted.uid)}", body, query)

    def delete(self, uid: str) -> None:
        delete(self.api, f"{self.base}/{quote(uid)}")


def read_object(item: Json) -> Live:
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    return Live(
        uid=metadata["name"],
        title=str(item["spec"].get("title", "")),
        folder=annotations.get(FOLDER, ""),
        spec=item["spec"],
        lock=metadata["resourceVersion"],
        message=annotations.get(MESSAGE, ""),
        updated_by=annotations.get("grafana.app/updatedBy") or annotations.get("grafana.app/createdBy", ""),
        updated=annotations.get("grafana.app/updatedTimestamp") or metadata.get("creationTimestamp", ""),
        provisioned=annotations.get("grafana.app/managedBy") == "classic-file-provisioning",
    )


@dataclass
class LegacyStore:
    """Two requests for each dashboard; the version guards each write."""

    api: Api
    can_dry_run: bool = False

    def read_all(self, uids: Collection[str], owner: str) -> dict[str, Live]:
        hits = self.api.get("/api/search", {"type": "dash-db", "tag": tag(owner), "limit": "5000"})
        with ThreadPoolExecutor(WORKERS) as pool:
            found = pool.map(self.read, sorted({*uids, *(hit["uid"] for hit in hits)}))
            return {live.uid: live for live in found if live}

    def read(self, uid: str) -> Live | None:
        path = f"/api/dashboards/uid/{quote(uid)}"
        found = find(self.api, path)
        if found is None:
            return None
        history = self.api.get(f"{path}/versions", {"limit": "1"})
        versions = history["versions"] if isinstance(history, dict) else history
        spec, meta = found["dashboard"], found["meta"]
        return Live(
            uid=uid,
            title=str(spec.get("title", "")),
            folder=meta.get("folderUid", ""),
            spec=spec,
            lock=str(spec.get("version", 0)),
            message=versions[0].get("message", "") if versions else "",
            updated_by=meta.get("updatedBy", ""),
            updated=meta.get("updated", ""),
            provisioned=bool(meta.get("provisioned")),
        )

    def write(self, wanted: Wanted, live: Live | None, message: str, *, dry_run: bool = False) -> None:
        spec = {name: value for name, value in wanted.spec.items() if name not in {"id", "version"}}
        if live is not None:
            spec |= {"id": live.spec.get("id"), "version": int(live.lock)}
        body = {"dashboard": spec, "folderUid": wanted.folder, "message": message, "overwrite": False}
        # Sent twice, the second meets the version that the first has made.
        self.api.post("/api/dashboards/db", body, repeatable=True)

    def delete(self, uid: str) -> None:
        delete(self.api, f"/api/dashboards/uid/{quote(uid)}")


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


@dataclass
class Folders:
    """The folders on the way to what is wanted. A search would be late, so each level is listed."""

    api: Api

    def read(self, parent: str) -> list[Folder]:
        found: Iterable[dict[str, Any]] = self.api.get("/api/folders", {"limit": "1000", "parentUid": parent})
        return [Folder(entry["uid"], entry["title"], parent) for entry in found]

    def create(self, folder: Folder) -> None:
        """One that somebody else has made in the meantime will do."""
        body = {"uid": folder.uid, "title": folder.title, **({"parentUid": folder.parent} if folder.parent else {})}
        try:
            self.api.post("/api/folders", body, repeatable=True)
        except HttpError as error:
            if error.status not in {409, 412} or find(self.api, f"/api/folders/{folder.uid}") is None:
                raise
