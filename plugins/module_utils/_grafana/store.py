# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where dashboards and folders are kept: Grafana's /apis where it has them (12 and later), else /api."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from .._http import Api, HttpError
from .app_store import DASHBOARDS, FOLDERS, AppStore
from .client import parse
from .folders import Folder, Path
from .legacy_store import LegacyStore, read_history
from .ownership import read_stamp
from .plan import Desired, Observed

# v0alpha1 checks nothing, and v2 is another schema.
USABLE = ("v1", "v1beta1")


class Store(Protocol):
    """Reads and writes of whole dashboards. A write that somebody else got ahead of is a HttpError 409 or 412."""

    can_dry_run: bool

    def read_all(self, uids: Collection[str], owner: str) -> dict[str, Observed]:
        """At least these, and everything of the owner."""

    def read_every(self) -> dict[str, Observed]:
        """All dashboards; who wrote them last may be left out."""

    def read(self, uid: str) -> Observed | None: ...

    def write(self, desired: Desired, observed: Observed | None, message: str, *, dry_run: bool = False) -> Observed:
        """Create, or replace what ``live`` still is. Returns what Grafana has made of it."""

    def delete(self, uid: str) -> None: ...

    def folders(self, paths: Iterable[Path], root: Path | None) -> list[Folder]:
        """At least the folders on the way to these paths, and all below ``root``."""

    def nests_folders(self) -> bool: ...

    def author(self, observed: Observed) -> str:
        """The name of who wrote last, as people know it."""


def open_store(api: Api) -> Store:
    """The best interface that this Grafana has."""
    served = _served(api)
    version = _best(served.get(DASHBOARDS, ()))
    if not version:
        return LegacyStore(api)
    return AppStore(api, version, _best(served.get(FOLDERS, ())))


def _served(api: Api) -> dict[str, list[str]]:
    """The versions of each API group. Nothing where /apis is unknown, or not let through by what is in between."""
    try:
        return parse("/apis", read_groups, api.get("/apis"))
    except HttpError as error:
        if error.status in {0, 401, 429} or error.status >= 500:
            raise
        return {}


def read_groups(answer: Any) -> dict[str, list[str]]:
    return {group["name"]: [entry["version"] for entry in group["versions"]] for group in answer["groups"]}


def _best(served: Collection[str]) -> str:
    return next((version for version in USABLE if version in served), "")


def has_written(api: Api, observed: Observed, owner: str) -> bool:
    """Whether we have ever written it: somebody's copy of ours has our tag too."""
    return any(read_stamp(message, owner) for message in read_history(api, observed.uid))
