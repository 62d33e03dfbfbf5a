# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of things that a backup holds: how each is read, compared and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from .._findings import Finding
from .._grafana_model.model import Json
from .._grafana_model.normalise import digest, normalise
from .._http import Api
from .app_store import AppStore
from .client import Grafana, parse
from .folders import Folder
from .legacy_store import WORKERS, find, post_folder, read_folder
from .ownership import restamp
from .plan import Desired, Observed, last_write
from .store import Store
from .sync import is_stored_equal, nesting_conflict

REDACTED = "[REDACTED]"  # what Grafana shows of a contact point's secret
SOURCE_FIELDS = (
    *("uid", "name", "type", "access", "url", "user", "database", "basicAuth", "basicAuthUser"),
    *("withCredentials", "isDefault", "jsonData"),
)
URL = "url"  # a secret when there is a password in it
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
        path = f"/api/folders/{quote(desired.key)}"
        if observed is None:
            post_folder(self.api, Folder(desired.key, desired.body["title"], desired.body["parent"]))
            return
        if desired.body["title"] != observed.body["title"]:
            self.api.put(path, {"title": desired.body["title"], "overwrite": True})
        if desired.body["parent"] != observed.body["parent"]:
            self.api.post(f"{path}/move", {"parentUid": desired.body["parent"]}, repeatable=True)

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """In a folder that is there: the others are to be made by the same run."""
        if isinstance(self.store, AppStore) and self.store.folder_version:
            parent = desired.body["parent"]
            place = parent if parent and read_folder(self.api, parent) else ""
            self.store.dry_run_folder(Folder(desired.key, desired.body["title"], place), exists=observed is not None)

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        nested = [item for item in desired if item.body["parent"] and item.key not in observed]
        return [nesting_conflict(item.title) for item in nested[:1] if not self.store.nests_folders()]


def _folder(folder: Folder) -> Resource:
    body = {"key": folder.uid, "title": folder.title, "parent": folder.parent}
    return Resource("folders", folder.uid, folder.title, body)


@dataclass(frozen=True, slots=True)
class ObservedDataSource:
    """What a write needs to know of a data source that is there: its lock, and its URL with the password in it."""

    version: int
    url: str


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
        key, url = found["uid"], found.get("url") or ""
        body = {name: found[name] for name in SOURCE_FIELDS if found.get(name) not in (None, "", {})}
        names = [name for name, is_set in (found.get("secureJsonFields") or {}).items() if is_set]
        shown = without_password(url)
        body |= {"key": key, "url": shown, "secrets": sorted(names + ([URL] if shown != url else []))}
        locked = "comes from a file in Grafana's pod" if found.get("readOnly") else ""
        return Resource(
            self.kind, key, found["name"], body, locked, observed=ObservedDataSource(found.get("version", 0), url)
        )

    def is_equal(self, desired: Resource, observed: Resource) -> bool:
        return _without(desired.body, "secrets") == _without(observed.body, "secrets")

    def write(self, desired: Resource, observed: Resource | None) -> None:
        body = _without(desired.body, "key", "secrets")
        current: ObservedDataSource | None = observed.observed if observed else None
        if current and without_password(current.url) == body["url"]:
            body["url"] = current.url
        given = dict(self.secrets.get(desired.key, {}))
        body["url"] = given.pop(URL, body["url"])
        if given:
            body["secureJsonData"] = given
        if current is None:
            # Sent twice, the second is refused, and another look finds the first.
            self.api.post("/api/datasources", body, repeatable=True)
        else:
            self.api.put(_source_path(desired.key), {**body, "version": current.version})

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """Grafana has no dry run for data sources."""

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
    return f"/api/datasources/uid/{quote(uid, safe='')}"


def without_password(url: str) -> str:
    """A URL can hold a password, which is no part of a backup."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}"))


@dataclass
class ContactPoints:
    api: Api
    secrets: Secrets = field(default_factory=dict)
    kind: str = "contact-points"

    def read(self) -> dict[str, Resource]:
        return {item.key: item for item in parse(POINTS, lambda found: list(map(_point, found)), self.api.get(POINTS))}

    def read_one(self, key: str) -> Resource | None:
        return self.read().get(key)

    def is_equal(self, desired: Resource, observed: Resource) -> bool:
        """What is hidden on either side cannot be compared."""
        mine, theirs = desired.body.get("settings") or {}, observed.body.get("settings") or {}
        hidden = {name for settings in (mine, theirs) for name, value in settings.items() if value == REDACTED}
        return _without(desired.body, "settings", "provenance") == _without(
            observed.body, "settings", "provenance"
        ) and _without(mine, *hidden) == _without(theirs, *hidden)

    def write(self, desired: Resource, observed: Resource | None) -> None:
        given = self.secrets.get(desired.key, {})
        settings = {**desired.body["settings"], **given}
        if observed is None:  # else it keeps those that it has
            settings = {name: value for name, value in settings.items() if value != REDACTED}
        body = {**_without(desired.body, "key", "provenance"), "settings": settings}
        # Without this header people could not edit it in the UI any more.
        origin = (observed or desired).body.get("provenance")
        api = self.api if origin else replace(self.api, headers={**self.api.headers, "X-Disable-Provenance": "true"})
        if observed is None:
            api.request("POST", POINTS, None, body, repeatable=True)
        else:
            api.put(f"{POINTS}/{quote(desired.key)}", body)

    def dry_run(self, desired: Resource, observed: Resource | None) -> None:
        """Grafana's alerting takes dryRun and writes all the same."""

    def conflicts(self, desired: Sequence[Resource], observed: Mapping[str, Resource]) -> list[Finding]:
        return []


def _point(entry: Json) -> Resource:
    """The one that Grafana starts with has no uid."""
    key = entry.get("uid") or f"{entry['name']}~{entry['type']}"
    provenance = entry.get("provenance", "")
    locked = "comes from a file in Grafana's pod" if provenance == "file" else ""
    if not entry.get("uid"):
        locked = "is Grafana's own, without a uid"
    return Resource("contact-points", key, entry["name"], {**entry, "key": key}, locked)


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
    settings = item.body.get("settings") or {}
    return sorted(item.body.get("secrets") or [name for name, value in settings.items() if value == REDACTED])
