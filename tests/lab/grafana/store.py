# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State: one kind of object for everything, one table, and the optimistic locks.

Like Grafana's unified storage: an object has a resource version (changes with any change), a generation (changes
with its spec or folder) and a history. SQLite, so that the data survives a restart of the pod.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (kind TEXT, uid TEXT, internal_id INTEGER, body TEXT, PRIMARY KEY (kind, uid));
CREATE INDEX IF NOT EXISTS resource_id ON resource (kind, internal_id);
CREATE TABLE IF NOT EXISTS history (kind TEXT, guid TEXT, rv INTEGER, body TEXT);
CREATE INDEX IF NOT EXISTS history_guid ON history (kind, guid);
"""


class ExistsError(Exception):
    """An object with this uid is there already."""


class ConflictError(Exception):
    """The object has changed since it was read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller wants an object to be."""

    kind: str
    uid: str
    spec: dict[str, Any]
    folder: str = ""  # uid of the parent; for a token its service account
    annotations: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
    internal_id: int = 0  # 0: choose one


@dataclass(frozen=True, slots=True)
class Resource:
    """An object as it is stored."""

    kind: str
    uid: str
    spec: dict[str, Any]
    folder: str
    annotations: dict[str, str]
    api_version: str
    internal_id: int
    guid: str
    rv: int
    generation: int
    created: str
    created_by: str
    updated: str = ""
    updated_by: str = ""

    @property
    def changed(self) -> str:
        return self.updated or self.created

    @property
    def changed_by(self) -> str:
        return self.updated_by or self.created_by


Listener = Callable[[str, str, Resource | None], None]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """All objects. `random_ids`: dashboards and folders get random internal ids, as since Grafana 13."""

    def __init__(self, path: Path | None, *, random_ids: bool) -> None:
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        self._lock = threading.RLock()
        self._random_ids = random_ids
        self._listeners: list[Listener] = []
        self._rv = self._newest_rv()

    def close(self) -> None:
        self._db.close()

    def ping(self) -> bool:
        try:
            self._db.execute("SELECT 1")
        except sqlite3.Error:
            return False
        return True

    def subscribe(self, listener: Listener) -> None:
        """Call back after each committed change; None means deleted."""
        self._listeners.append(listener)

    def get(self, kind: str, uid: str) -> Resource | None:
        return self._one("SELECT body FROM resource WHERE kind = ? AND uid = ?", kind, uid)

    def by_id(self, kind: str, internal_id: int) -> Resource | None:
        return self._one("SELECT body FROM resource WHERE kind = ? AND internal_id = ?", kind, internal_id)

    def all_of(self, kind: str, *, after: str = "") -> list[Resource]:
        """By uid."""
        rows = self._db.execute("SELECT body FROM resource WHERE kind = ? AND uid > ? ORDER BY uid", (kind, after))
        return [_load(row[0]) for row in rows.fetchall()]

    def history(self, resource: Resource) -> list[Resource]:
        """What the object was, newest first."""
        query = "SELECT body FROM history WHERE kind = ? AND guid = ? ORDER BY rv DESC"
        return [_load(row[0]) for row in self._db.execute(query, (resource.kind, resource.guid)).fetchall()]

    @property
    def rv(self) -> int:
        return self._rv

    def create(self, draft: Draft, actor: str, *, dry_run: bool = False) -> Resource:
        with self._lock:
            if self.get(draft.kind, draft.uid):
                raise ExistsError(draft.uid)
            resource = Resource(
                kind=draft.kind,
                uid=draft.uid,
                spec=draft.spec,
                folder=draft.folder,
                annotations=dict(draft.annotations),
                api_version=draft.api_version,
                internal_id=draft.internal_id or self._next_id(draft.kind),
                guid=str(uuid.uuid4()),
                rv=self._next_rv(),
                generation=1,
                created=now(),
                created_by=actor,
            )
            return resource if dry_run else self._write(resource)

    def replace(
        self, draft: Draft, actor: str, *, rv: int | None = None, always: bool = False, dry_run: bool = False
    ) -> Resource:
        """Put the draft in the object's place. `rv`: only if nobody was faster; `always`: a new generation anyway."""
        with self._lock:
            old = self.get(draft.kind, draft.uid)
            if old is None or (rv is not None and rv != old.rv):
                raise ConflictError(draft.uid)
            annotations = dict(draft.annotations)
            moved = draft.spec != old.spec or draft.folder != old.folder or always
            if not moved and annotations == old.annotations:
                return old
            new = replace(
                old,
                spec=draft.spec,
                folder=draft.folder,
                annotations=annotations,
                api_version=draft.api_version,
                rv=self._next_rv(),
            )
            if moved:
                new = replace(new, generation=old.generation + 1, updated=now(), updated_by=actor)
            return new if dry_run else self._write(new)

    def existed(self, kind: str, uid: str) -> bool:
        """Whether there has ever been an object with this uid."""
        query = "SELECT 1 FROM history WHERE kind = ? AND json_extract(body, '$.uid') = ? LIMIT 1"
        return self._db.execute(query, (kind, uid)).fetchone() is not None

    def delete(self, kind: str, uid: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM resource WHERE kind = ? AND uid = ?", (kind, uid))
            self._next_rv()
        self._tell(kind, uid, None)

    def _write(self, resource: Resource) -> Resource:
        body = json.dumps(asdict(resource), ensure_ascii=False, separators=(",", ":"))
        self._db.execute("BEGIN")
        self._db.execute(
            "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?)",
            (resource.kind, resource.uid, resource.internal_id, body),
        )
        self._db.execute("INSERT INTO history VALUES (?, ?, ?, ?)", (resource.kind, resource.guid, resource.rv, body))
        self._db.execute("COMMIT")
        self._tell(resource.kind, resource.uid, resource)
        return resource

    def _tell(self, kind: str, uid: str, resource: Resource | None) -> None:
        for listener in self._listeners:
            listener(kind, uid, resource)

    def _one(self, query: str, *values: str | int) -> Resource | None:
        row = self._db.execute(query, values).fetchone()
        return None if row is None else _load(row[0])

    def _next_id(self, kind: str) -> int:
        if self._random_ids and kind in ("dashboards", "folders"):
            return secrets.randbelow(2**52 - 1) + 1
        row = self._db.execute("SELECT max(internal_id) FROM resource WHERE kind = ?", (kind,)).fetchone()
        return int(row[0] or 0) + 1

    def _newest_rv(self) -> int:
        row = self._db.execute("SELECT max(rv) FROM history").fetchone()
        return int(row[0] or 0)

    def _next_rv(self) -> int:
        """Microseconds, as Grafana's are, and never the same twice."""
        self._rv = max(self._rv + 1, time.time_ns() // 1000)
        return self._rv


def _load(body: str) -> Resource:
    return Resource(**json.loads(body))
