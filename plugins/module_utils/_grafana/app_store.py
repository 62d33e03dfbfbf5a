# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards and folders through /apis: one list request reads everything, resourceVersion guards each write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .._grafana_model.model import Json
from .._http import Api, HttpError, Parsed
from .client import parse, segment
from .folders import Folder, Path, walk
from .legacy_store import delete, find, list_level
from .plan import Desired, Observed

DASHBOARDS = "dashboard.grafana.app"
FOLDERS = "folder.grafana.app"
PAGE = "500"
FOLDER = "grafana.app/folder"
MESSAGE = "grafana.app/message"
# With it Grafana lets viewers and editors see a new dashboard at the root; those in folders have its permissions.
GRANT = {"grafana.app/grant-permissions": "default"}
# The manager of what comes from a file in Grafana's pod has no id.
FILE_MANAGER = "classic-file-provisioning"


@dataclass
class AppStore:
    api: Api
    version: str
    folder_version: str
    namespace: str = "default"  # that of organisation 1, until Grafana refuses it
    can_dry_run: bool = True
    validation: str = "Strict"  # or Ignore: take what its schema does not

    @property
    def base(self) -> str:
        return self._base(DASHBOARDS, self.version, "dashboards")

    def _base(self, group: str, version: str, plural: str) -> str:
        return f"/apis/{group}/{version}/namespaces/{self.namespace}/{plural}"

    def read_all(self, uids: Collection[str], owner: str) -> dict[str, Observed]:
        return self.read_every()

    def read_every(self) -> dict[str, Observed]:
        return {observed.uid: observed for observed in self._items(DASHBOARDS, self.version, "dashboards", read_object)}

    def _items(self, group: str, version: str, plural: str, read: Callable[[Json], Parsed]) -> Iterator[Parsed]:
        def read_page(page: Any) -> tuple[list[Parsed], str]:
            return [read(item) for item in page["items"]], page["metadata"].get("continue", "")

        base, token = self._base(group, version, plural), ""
        while True:
            try:
                page = self.api.get(base, {"limit": PAGE, "continue": token})
            except HttpError as error:
                if not error.is_refusal or not self._moves():
                    raise
                base = self._base(group, version, plural)
                continue
            items, token = parse(base, read_page, page)
            yield from items
            if not token:
                return

    def _moves(self) -> bool:
        """Whether the caller is of another organisation than 1, whose objects are in another namespace."""
        if self.namespace != "default":
            return False
        number = parse("/api/org", lambda answer: int(answer["id"]), self.api.get("/api/org"))
        if number == 1:
            return False
        self.namespace = f"org-{number}"
        return True

    def read(self, uid: str) -> Observed | None:
        path = f"{self.base}/{segment(uid)}"
        found = find(self.api, path)
        return None if found is None else parse(path, read_object, found)

    def write(self, desired: Desired, observed: Observed | None, message: str, *, dry_run: bool = False) -> Observed:
        metadata: Json = {"name": desired.uid, "annotations": {MESSAGE: message}}
        if desired.folder:
            metadata["annotations"][FOLDER] = desired.folder
        elif observed is None:
            metadata["annotations"] |= GRANT
        body = {
            "kind": "Dashboard",
            "apiVersion": f"{DASHBOARDS}/{self.version}",
            "metadata": metadata,
            "spec": {name: value for name, value in desired.spec.items() if name not in {"id", "version"}},
        }
        query = {"fieldValidation": self.validation, **({"dryRun": "All"} if dry_run else {})}
        if observed is None:
            # Sent twice, the second is refused as a copy of the first, and then recognised by its message.
            return parse(self.base, read_object, self.api.request("POST", self.base, query, body, repeatable=True))
        metadata["resourceVersion"] = observed.lock
        path = f"{self.base}/{segment(desired.uid)}"
        return parse(path, read_object, self.api.put(path, body, query))

    def delete(self, uid: str) -> None:
        delete(self.api, f"{self.base}/{segment(uid)}")

    def folders(self, paths: Iterable[Path], root: Path | None) -> list[Folder]:
        if not self.folder_version:
            return walk(lambda parent: list_level(self.api, parent), paths, root)
        return list(self._items(FOLDERS, self.folder_version, "folders", read_folder_object))

    def nests_folders(self) -> bool:
        return True

    def author(self, observed: Observed) -> str:
        """Here an account is only a number; the other API says its name."""
        try:
            found = find(self.api, f"/api/dashboards/uid/{segment(observed.uid)}")
        except HttpError:
            found = None
        return str((found or {}).get("meta", {}).get("updatedBy") or observed.updated_by)


def read_folder_object(item: Json) -> Folder:
    metadata = item["metadata"]
    parent = (metadata.get("annotations") or {}).get(FOLDER, "")
    return Folder(metadata["name"], str(item["spec"].get("title", "")), parent)


def read_object(item: Json) -> Observed:
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    manager = annotations.get("grafana.app/managedBy", "")
    return Observed(
        uid=metadata["name"],
        title=str(item["spec"].get("title", "")),
        folder=annotations.get(FOLDER, ""),
        spec=item["spec"],
        lock=metadata.get("resourceVersion", ""),
        version=metadata.get("generation", 0),
        message=annotations.get(MESSAGE, ""),
        updated_by=annotations.get("grafana.app/updatedBy") or annotations.get("grafana.app/createdBy", ""),
        updated=annotations.get("grafana.app/updatedTimestamp") or metadata.get("creationTimestamp", ""),
        manager="a file in Grafana's pod" if manager == FILE_MANAGER else manager,
        stored_as=((item.get("status") or {}).get("conversion") or {}).get("storedVersion", ""),
    )
