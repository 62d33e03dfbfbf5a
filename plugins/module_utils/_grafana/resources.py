# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of things that a backup holds: how each is read, compared and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .._findings import Finding
from .._grafana_model.files import UID
from .._grafana_model.model import Json
from .._grafana_model.normalise import digest, normalise
from .._http import Api
from .access import FolderTree, Permission, dashboard_permissions
from .app_store import AppStore
from .client import Grafana, parse, segment
from .folders import RESERVED, Folder
from .legacy_store import WORKERS, find, post_folder, read_folder
from .ownership import restamp
from .plan import Desired, Observed, last_write
from .redaction import hidden_paths, public_url, redact, reveal, without_paths
from .store import Store
from .sync import is_stored_equal, nesting_conflict

SOURCE_FIELDS = (
    *("uid", "name", "type", "access", "url", "user", "database", "basicAuth", "basicAuthUser"),
    *("withCredentials", "isDefault", "jsonData"),
)
URL, OPTIONS = "url", "jsonData"  # not among Grafana's secrets, and they may hold some
POINT_WRITERS = (
    *("alert.provisioning:write", "alert.notifications:write", "alert.notifications.provisioning:write"),
    *("alert.notifications.receivers:create", "alert.notifications.receivers:write"),
)
POINTS = "/api/v1/provisioning/contact-points"
Secrets = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Resource:
    """One object. ``body`` is what an archive holds of it; ``live`` is what a write needs to know besides."""

    kind: str
    key: str
    title: str
    body: Json
    locked: str = ""  # why it cannot be written
    changed: str = ""  # who wrote it last, and when
    observed: Any = None


class Resources(Protocol):
    """All objects of one kind. ``secrets`` are given by the user, by key."""

    kind: str
    secrets: Secrets

    def read(self) -> dict[str, Resource]: ...
    def read_one(self, key: str) -> Resource | None: ...
    def is_equal(self, desired: Resource, observed: Resource) -> bool: ...
    def write(self, desired: Resource, observed: Resource | None) -> None: ...

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """A write that Grafana checks and does not carry out, where it can."""

    def permissions(self, desired: Resource, observed: Resource | None, folders: FolderTree) -> list[Permission]:
        """What a write takes."""

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        """What makes some of these impossible here."""


def read_resource(kind: str, body: Json) -> Resource:
    """An object of an archive."""
    return Resource(kind, body["key"], str(body.get("title") or body.get("name") or body["key"]), body)


@dataclass
class Folders:
    api: Api
    store: Store
    secrets: Secrets = field(default_factory=dict)
    kind: str = "folders"

    def read(self) -> dict[str, Resource]:
        return {folder.uid: _folder(folder) for folder in self.store.folders([], ())}

    def read_one(self, key: str) -> Resource | None:
        found = read_folder(self.api, key)
        return _folder(found) if found else None

    def is_equal(self, desired: Resource, observed: Resource) -> bool:
        return (desired.body["title"], desired.body["parent"]) == (observed.body["title"], observed.body["parent"])

    def write(self, desired: Resource, observed: Resource | None) -> None:
        path = f"/api/folders/{segment(desired.key)}"
        if observed is None:
            post_folder(self.api, Folder(desired.key, desired.body["title"], desired.body["parent"]))
            return
        if desired.body["title"] != observed.body["title"]:
            self.api.put(path, {"title": desired.body["title"], "overwrite": True})
        if desired.body["parent"] != observed.body["parent"]:
            self.api.post(f"{path}/move", {"parentUid": desired.body["parent"]}, repeatable=True)

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """Grafana refuses the dry run of a folder at the root whatever it is: ``conflicts`` decides."""

    def permissions(self, desired: Resource, observed: Resource | None, folders: FolderTree) -> list[Permission]:
        parent = desired.body["parent"]
        permissions = []
        if observed is not None:
            permissions.append(Permission(("folders:write",), folders.scopes(desired.key)))
        if observed is None or observed.body["parent"] != parent:
            permissions.append(folders.creation("folders:create", parent))
        return permissions

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        missing = [item for item in desired if item.key not in observed]
        nested = [item for item in missing if item.body["parent"]]
        findings = [nesting_conflict(item.title) for item in nested[:1] if not self.store.nests_folders()]
        return findings + [finding for item in missing if (finding := _invalid_folder(item))]


def _invalid_folder(folder: Resource) -> Finding | None:
    """What no Grafana takes."""
    if not UID.fullmatch(folder.key) or folder.key in RESERVED:
        problem = f"Grafana takes no folder with the uid {folder.key!r}"
    elif not folder.title.strip():
        problem = "Grafana takes no folder without a title"
    else:
        return None
    return Finding("restore/invalid-folder", "error", problem, "Take another archive", object=f"folders/{folder.key}")


def _folder(folder: Folder) -> Resource:
    body = {"key": folder.uid, "title": folder.title, "parent": folder.parent}
    return Resource("folders", folder.uid, folder.title, body)


@dataclass(frozen=True, slots=True)
class ObservedDataSource:
    """What a write needs to know of a data source that is there: its lock, and URL and options with their secrets."""

    version: int
    url: str
    options: Json


@dataclass
class DataSources:
    api: Api
    secrets: Secrets = field(default_factory=dict)
    kind: str = "datasources"

    def read(self) -> dict[str, Resource]:
        uids = [source.uid for source in Grafana(self.api).datasources()]
        with ThreadPoolExecutor(WORKERS) as pool:
            return {item.key: item for item in pool.map(self.read_one, uids) if item}

    def read_one(self, key: str) -> Resource | None:
        path = _source_path(key)
        found = find(self.api, path)
        return None if found is None else parse(path, self._item, found)

    def _item(self, found: Json) -> Resource:
        key, url, options = found["uid"], found.get("url") or "", found.get("jsonData") or {}
        body = {name: found[name] for name in SOURCE_FIELDS if found.get(name) not in (None, "", {})}
        names = [name for name, is_set in (found.get("secureJsonFields") or {}).items() if is_set]
        shown = public_url(url)
        names += [URL] if shown != url else []
        names += [f"{OPTIONS}.{path}" for path in hidden_paths(redact(options))]
        body |= {"key": key, "url": shown, "secrets": sorted(names)}
        if options:
            body[OPTIONS] = redact(options)
        locked = "comes from a file in Grafana's pod" if found.get("readOnly") else ""
        return Resource(
            self.kind,
            key,
            found["name"],
            body,
            locked,
            observed=ObservedDataSource(found.get("version", 0), url, options),
        )

    def is_equal(self, desired: Resource, observed: Resource) -> bool:
        return _without(desired.body, "secrets") == _without(observed.body, "secrets")

    def write(self, desired: Resource, observed: Resource | None) -> None:
        body = _without(desired.body, "key", "secrets")
        current: ObservedDataSource | None = observed.observed if observed else None
        if current and public_url(current.url) == body["url"]:
            body["url"] = current.url
        given = dict(self.secrets.get(desired.key, {}))
        body["url"] = given.pop(URL, body["url"])
        if OPTIONS in body:
            body[OPTIONS] = reveal(body[OPTIONS], given, current.options if current else {}, OPTIONS)
            given = {name: value for name, value in given.items() if not name.startswith(f"{OPTIONS}.")}
        if given:
            body["secureJsonData"] = given
        if current is None:
            # Sent twice, the second is refused, and another look finds the first.
            self.api.post("/api/datasources", body, repeatable=True)
        else:
            self.api.put(_source_path(desired.key), {**body, "version": current.version})

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """Grafana has no dry run for data sources."""

    def permissions(self, desired: Resource, observed: Resource | None, folders: FolderTree) -> list[Permission]:
        if observed is None:
            return [Permission(("datasources:create",))]
        return [Permission(("datasources:write",), (f"datasources:uid:{desired.key}",))]

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        """No two data sources have one name, and what refers to one by its uid needs that uid."""
        uids = {item.title: item.key for item in observed.values()}
        return [
            Finding(
                "restore/name-taken",
                "error",
                f"data source {item.key} has the name of {uids[item.title]}, which is there",
                "Rename or remove that one",
                object=item.title,
            )
            for item in desired
            if uids.get(item.title, item.key) != item.key
        ]


def _source_path(uid: str) -> str:
    return f"/api/datasources/uid/{segment(uid)}"


@dataclass
class ContactPoints:
    api: Api
    secrets: Secrets = field(default_factory=dict)
    kind: str = "contact-points"

    def read(self) -> dict[str, Resource]:
        """Without the one that Grafana starts with: it has no uid, and each Grafana makes its own."""
        found = parse(
            POINTS, lambda entries: [_point(entry) for entry in entries if entry["uid"]], self.api.get(POINTS)
        )
        return {item.key: item for item in found}

    def read_one(self, key: str) -> Resource | None:
        return self.read().get(key)

    def is_equal(self, desired: Resource, observed: Resource) -> bool:
        """What is hidden on either side cannot be compared."""
        mine, theirs = (redact(_without(item.body, "provenance")) for item in (desired, observed))
        hidden = {*hidden_paths(mine), *hidden_paths(theirs)}
        equal: bool = without_paths(mine, hidden) == without_paths(theirs, hidden)
        return equal

    def write(self, desired: Resource, observed: Resource | None) -> None:
        # What Grafana hides is sent back hidden, and Grafana keeps what it has.
        now = observed.observed if observed else {}
        settings = reveal(desired.body["settings"], self.secrets.get(desired.key, {}), now)
        body = {**_without(desired.body, "key", "provenance"), "settings": settings}
        # Without this header people could not edit it in the UI any more.
        origin = (observed or desired).body.get("provenance")
        api = self.api if origin else replace(self.api, headers={**self.api.headers, "X-Disable-Provenance": "true"})
        if observed is None:
            api.request("POST", POINTS, None, body, repeatable=True)
        else:
            api.put(f"{POINTS}/{segment(desired.key)}", body)

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """Grafana's alerting takes dryRun and writes all the same."""

    def permissions(self, desired: Resource, observed: Resource | None, folders: FolderTree) -> list[Permission]:
        return [Permission(POINT_WRITERS)]

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        return []


def _point(entry: Json) -> Resource:
    locked = "comes from a file in Grafana's pod" if entry.get("provenance") == "file" else ""
    settings = entry.get("settings") or {}
    body = {**entry, "key": entry["uid"], "settings": redact(settings)}
    return Resource("contact-points", entry["uid"], entry["name"], body, locked, observed=settings)


@dataclass
class Dashboards:
    store: Store
    message: str = ""
    secrets: Secrets = field(default_factory=dict)
    kind: str = "dashboards"

    def read(self) -> dict[str, Resource]:
        return {uid: self._item(observed) for uid, observed in self.store.read_every().items()}

    def read_one(self, key: str) -> Resource | None:
        observed = self.store.read(key)
        return self._item(observed) if observed else None

    def _item(self, observed: Observed) -> Resource:
        """As it is stored: one in schema V2 is shown to us in the classic schema, which loses some of it."""
        schema = observed.stored_as if observed.stored_as.startswith("v2") else ""
        if schema:
            observed = self._in(schema).read(observed.uid) or observed
        spec = _without(observed.spec, "id", "version")  # each Grafana has its own
        body = {
            "key": observed.uid,
            "title": observed.title,
            "folder": observed.folder,
            "message": observed.message,
            "spec": spec,
        }
        locked = f"is managed by {observed.manager}" if observed.manager else ""
        return Resource(
            self.kind, observed.uid, observed.title, {**body, "schema": schema}, locked, last_write(observed), observed
        )

    def _in(self, schema: str) -> Store:
        if schema and isinstance(self.store, AppStore):
            return replace(self.store, version=schema)
        return self.store

    def is_equal(self, desired: Resource, observed: Resource) -> bool:
        mine, theirs = desired.body, observed.body
        if (mine["folder"], mine["schema"]) != (theirs["folder"], theirs["schema"]):
            return False
        if normalise(mine["spec"]) == normalise(theirs["spec"]):
            return True
        store = self._in(mine["schema"])
        return store.can_dry_run and is_stored_equal(store, _to_desired(desired), observed.observed)

    def write(self, desired: Resource, observed: Resource | None) -> None:
        """With the message of its last write, so that a dashboard of grafana_dashboards is still its owner's."""
        current: Observed | None = observed.observed if observed else None
        kept = restamp(desired.body["message"], current.version + 1 if current else 1)
        message = kept if kept.endswith("]") else self.message
        self._in(desired.body["schema"]).write(_to_desired(desired), current, message)

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        store = self._in(desired.body["schema"])
        if store.can_dry_run:
            store.write(_to_desired(desired), observed.observed if observed else None, self.message, dry_run=True)

    def permissions(self, desired: Resource, observed: Resource | None, folders: FolderTree) -> list[Permission]:
        now = observed.body["folder"] if observed else None
        return dashboard_permissions(desired.key, now, desired.body["folder"], folders)

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        return []


def _to_desired(item: Resource) -> Desired:
    spec = item.body["spec"] if item.body["schema"] else {**item.body["spec"], "uid": item.key}
    return Desired("", item.key, item.title, item.body["folder"], spec, digest(spec))


def _without(body: Mapping[str, Any], *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def open_resources(api: Api, store: Store, *, sources: Secrets, points: Secrets, message: str) -> list[Resources]:
    """In the order in which they are restored: what is needed by the others first."""
    return [
        Folders(api, store),
        DataSources(api, sources),
        ContactPoints(api, points),
        Dashboards(lenient(store), message),
    ]


def lenient(store: Store) -> Store:
    """What Grafana has once taken through its older interface is restored, whatever its newer schema says of it."""
    return replace(store, validation="Ignore") if isinstance(store, AppStore) else store


def needed_secrets(item: Resource) -> list[str]:
    """The names of the secrets that a backup cannot hold."""
    return sorted(item.body.get("secrets") or hidden_paths(item.body.get("settings") or {}))
