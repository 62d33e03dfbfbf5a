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
from .ownership import sign_again
from .plan import Live, Wanted, who
from .store import Store
from .sync import no_nesting, would_be_same

REDACTED = "[REDACTED]"  # what Grafana shows of a contact point's secret
SOURCE_FIELDS = (
    *("uid", "name", "type", "access", "url", "user", "database", "basicAuth", "basicAuthUser"),
    *("withCredentials", "isDefault", "jsonData"),
)
URL = "url"  # a secret when there is a password in it
POINTS = "/api/v1/provisioning/contact-points"
Secrets = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Item:
    """One object. ``body`` is what an archive holds of it; ``live`` is what a write needs to know besides."""

    kind: str
    key: str
    title: str
    body: Json
    locked: str = ""  # why it cannot be written
    changed: str = ""  # who wrote it last, and when
    live: Any = None


class Shelf(Protocol):
    """All objects of one kind. ``secrets`` are given by the user, by key."""

    kind: str
    secrets: Secrets

    def read(self) -> dict[str, Item]: ...
    def read_one(self, key: str) -> Item | None: ...
    def same(self, wanted: Item, live: Item) -> bool: ...
    def write(self, wanted: Item, live: Item | None) -> None: ...

    def rehearse(self, wanted: Item, live: Item | None) -> None:
        """A write that Grafana checks and does not carry out, where it can."""

    def objections(self, wanted: Sequence[Item], live: Mapping[str, Item]) -> list[Finding]:
        """What makes some of these impossible here."""


def unpacked(kind: str, body: Json) -> Item:
    """An object of an archive."""
    return Item(kind, body["key"], str(body.get("title") or body.get("name") or body["key"]), body)


@dataclass
class FolderShelf:
    api: Api
    store: Store
    secrets: Secrets = field(default_factory=dict)
    kind: str = "folders"

    def read(self) -> dict[str, Item]:
        return {folder.uid: _folder(folder) for folder in self.store.folders([], ())}

    def read_one(self, key: str) -> Item | None:
        found = read_folder(self.api, key)
        return _folder(found) if found else None

    def same(self, wanted: Item, live: Item) -> bool:
        return (wanted.body["title"], wanted.body["parent"]) == (live.body["title"], live.body["parent"])

    def write(self, wanted: Item, live: Item | None) -> None:
        path = f"/api/folders/{quote(wanted.key)}"
        if live is None:
            post_folder(self.api, Folder(wanted.key, wanted.body["title"], wanted.body["parent"]))
            return
        if wanted.body["title"] != live.body["title"]:
            self.api.put(path, {"title": wanted.body["title"], "overwrite": True})
        if wanted.body["parent"] != live.body["parent"]:
            self.api.post(f"{path}/move", {"parentUid": wanted.body["parent"]}, repeatable=True)

    def rehearse(self, wanted: Item, live: Item | None) -> None:
        """In a folder that is there: the others are to be made by the same run."""
        if isinstance(self.store, AppStore) and self.store.folder_version:
            parent = wanted.body["parent"]
            place = parent if parent and read_folder(self.api, parent) else ""
            self.store.rehearse_folder(Folder(wanted.key, wanted.body["title"], place), exists=live is not None)

    def objections(self, wanted: Sequence[Item], live: Mapping[str, Item]) -> list[Finding]:
        nested = [item for item in wanted if item.body["parent"] and item.key not in live]
        return [no_nesting(item.title) for item in nested[:1] if not self.store.nests_folders()]


def _folder(folder: Folder) -> Item:
    body = {"key": folder.uid, "title": folder.title, "parent": folder.parent}
    return Item("folders", folder.uid, folder.title, body)


@dataclass(frozen=True, slots=True)
class LiveSource:
    """What a write needs to know of a data source that is there: its lock, and its URL with the password in it."""

    version: int
    url: str


@dataclass
class SourceShelf:
    api: Api
    secrets: Secrets = field(default_factory=dict)
    kind: str = "datasources"

    def read(self) -> dict[str, Item]:
        uids = [source.uid for source in Grafana(self.api).datasources()]
        with ThreadPoolExecutor(WORKERS) as pool:
            return {item.key: item for item in pool.map(self.read_one, uids) if item}

    def read_one(self, key: str) -> Item | None:
        path = _source_path(key)
        found = find(self.api, path)
        return None if found is None else parse(path, self._item, found)

    def _item(self, found: Json) -> Item:
        key, url = found["uid"], found.get("url") or ""
        body = {name: found[name] for name in SOURCE_FIELDS if found.get(name) not in (None, "", {})}
        names = [name for name, is_set in (found.get("secureJsonFields") or {}).items() if is_set]
        shown = without_password(url)
        body |= {"key": key, "url": shown, "secrets": sorted(names + ([URL] if shown != url else []))}
        locked = "comes from a file in Grafana's pod" if found.get("readOnly") else ""
        return Item(self.kind, key, found["name"], body, locked, live=LiveSource(found.get("version", 0), url))

    def same(self, wanted: Item, live: Item) -> bool:
        return _without(wanted.body, "secrets") == _without(live.body, "secrets")

    def write(self, wanted: Item, live: Item | None) -> None:
        body = _without(wanted.body, "key", "secrets")
        there: LiveSource | None = live.live if live else None
        if there and without_password(there.url) == body["url"]:
            body["url"] = there.url
        given = dict(self.secrets.get(wanted.key, {}))
        body["url"] = given.pop(URL, body["url"])
        if given:
            body["secureJsonData"] = given
        if there is None:
            # Sent twice, the second is refused, and another look finds the first.
            self.api.post("/api/datasources", body, repeatable=True)
        else:
            self.api.put(_source_path(wanted.key), {**body, "version": there.version})

    def rehearse(self, wanted: Item, live: Item | None) -> None:
        """Grafana has no dry run for data sources."""

    def objections(self, wanted: Sequence[Item], live: Mapping[str, Item]) -> list[Finding]:
        """No two data sources have one name, and what refers to one by its uid needs that uid."""
        uids = {item.title: item.key for item in live.values()}
        return [
            Finding(
                "restore/name-taken",
                "error",
                f"data source {item.key} has the name of {uids[item.title]}, which is there",
                "Rename or remove that one",
                object=item.title,
            )
            for item in wanted
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
class PointShelf:
    api: Api
    secrets: Secrets = field(default_factory=dict)
    kind: str = "contact-points"

    def read(self) -> dict[str, Item]:
        return {item.key: item for item in parse(POINTS, lambda found: list(map(_point, found)), self.api.get(POINTS))}

    def read_one(self, key: str) -> Item | None:
        return self.read().get(key)

    def same(self, wanted: Item, live: Item) -> bool:
        """What is hidden on either side cannot be compared."""
        mine, theirs = wanted.body.get("settings") or {}, live.body.get("settings") or {}
        hidden = {name for one in (mine, theirs) for name, value in one.items() if value == REDACTED}
        return _without(wanted.body, "settings", "provenance") == _without(
            live.body, "settings", "provenance"
        ) and _without(mine, *hidden) == _without(theirs, *hidden)

    def write(self, wanted: Item, live: Item | None) -> None:
        given = self.secrets.get(wanted.key, {})
        settings = {**wanted.body["settings"], **given}
        if live is None:  # else it keeps those that it has
            settings = {name: value for name, value in settings.items() if value != REDACTED}
        body = {**_without(wanted.body, "key", "provenance"), "settings": settings}
        # Without this header people could not edit it in the UI any more.
        origin = (live or wanted).body.get("provenance")
        api = self.api if origin else replace(self.api, headers={**self.api.headers, "X-Disable-Provenance": "true"})
        if live is None:
            api.request("POST", POINTS, None, body, repeatable=True)
        else:
            api.put(f"{POINTS}/{quote(wanted.key)}", body)

    def rehearse(self, wanted: Item, live: Item | None) -> None:
        """Grafana's alerting takes dryRun and writes all the same."""

    def objections(self, wanted: Sequence[Item], live: Mapping[str, Item]) -> list[Finding]:
        return []


def _point(entry: Json) -> Item:
    """The one that Grafana starts with has no uid."""
    key = entry.get("uid") or f"{entry['name']}~{entry['type']}"
    provenance = entry.get("provenance", "")
    locked = "comes from a file in Grafana's pod" if provenance == "file" else ""
    if not entry.get("uid"):
        locked = "is Grafana's own, without a uid"
    return Item("contact-points", key, entry["name"], {**entry, "key": key}, locked)


@dataclass
class DashboardShelf:
    store: Store
    message: str = ""
    secrets: Secrets = field(default_factory=dict)
    kind: str = "dashboards"

    def read(self) -> dict[str, Item]:
        return {uid: self._item(live) for uid, live in self.store.read_every().items()}

    def read_one(self, key: str) -> Item | None:
        live = self.store.read(key)
        return self._item(live) if live else None

    def _item(self, live: Live) -> Item:
        """As it is stored: one in schema V2 is shown to us in the classic schema, which loses some of it."""
        schema = live.stored_as if live.stored_as.startswith("v2") else ""
        if schema:
            live = self._in(schema).read(live.uid) or live
        spec = _without(live.spec, "id", "version")  # each Grafana has its own
        body = {"key": live.uid, "title": live.title, "folder": live.folder, "message": live.message, "spec": spec}
        locked = f"is managed by {live.manager}" if live.manager else ""
        return Item(self.kind, live.uid, live.title, {**body, "schema": schema}, locked, who(live), live)

    def _in(self, schema: str) -> Store:
        if schema and isinstance(self.store, AppStore):
            return replace(self.store, version=schema)
        return self.store

    def same(self, wanted: Item, live: Item) -> bool:
        mine, theirs = wanted.body, live.body
        if (mine["folder"], mine["schema"]) != (theirs["folder"], theirs["schema"]):
            return False
        if normalise(mine["spec"]) == normalise(theirs["spec"]):
            return True
        store = self._in(mine["schema"])
        return store.can_dry_run and would_be_same(store, _wanted(wanted), live.live)

    def write(self, wanted: Item, live: Item | None) -> None:
        """With the message of its last write, so that a dashboard of grafana_dashboards is still its owner's."""
        there: Live | None = live.live if live else None
        kept = sign_again(wanted.body["message"], there.version + 1 if there else 1)
        message = kept if kept.endswith("]") else self.message
        self._in(wanted.body["schema"]).write(_wanted(wanted), there, message)

    def rehearse(self, wanted: Item, live: Item | None) -> None:
        store = self._in(wanted.body["schema"])
        if store.can_dry_run:
            store.write(_wanted(wanted), live.live if live else None, self.message, dry_run=True)

    def objections(self, wanted: Sequence[Item], live: Mapping[str, Item]) -> list[Finding]:
        return []


def _wanted(item: Item) -> Wanted:
    spec = item.body["spec"] if item.body["schema"] else {**item.body["spec"], "uid": item.key}
    return Wanted("", item.key, item.title, item.body["folder"], spec, digest(spec))


def _without(body: Mapping[str, Any], *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def shelves(api: Api, store: Store, *, sources: Secrets, points: Secrets, message: str) -> list[Shelf]:
    """In the order in which they are restored: what is needed by the others first."""
    return [
        FolderShelf(api, store),
        SourceShelf(api, sources),
        PointShelf(api, points),
        DashboardShelf(lenient(store), message),
    ]


def lenient(store: Store) -> Store:
    """What Grafana has once taken through its older interface is restored, whatever its newer schema says of it."""
    return replace(store, validation="Ignore") if isinstance(store, AppStore) else store


def needed_secrets(item: Item) -> list[str]:
    """The names of the secrets that a backup cannot hold."""
    settings = item.body.get("settings") or {}
    return sorted(item.body.get("secrets") or [name for name, value in settings.items() if value == REDACTED])
