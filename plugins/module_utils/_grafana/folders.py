# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders as a tree of titles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

UID_LENGTH = 40
RESERVED = frozenset({"general", "sharedwithme"})  # Grafana takes neither as a uid

Path = tuple[str, ...]  # the titles of the folders on the way, outermost first


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as Grafana has it. The root's uid is empty."""

    uid: str
    title: str
    parent: str = ""


def parts(path: str) -> Path:
    """The titles of a folder path, outermost first."""
    return tuple(title.strip() for title in path.split("/") if title.strip())


def make_uid(path: Path, taken: Collection[str] = ()) -> str:
    """The uid that a folder made by us gets: from its titles, so that it is the same everywhere.

    ``taken`` are the uids of other folders: a/b-c and a-b/c would get the same one.
    """
    slug = "-".join(re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") for title in path)
    if slug and len(slug) <= UID_LENGTH and slug not in taken and slug not in RESERVED:
        return slug
    digest = hashlib.sha256("/".join(path).encode()).hexdigest()[:8]
    return f"{slug[: UID_LENGTH - 9].strip('-')}-{digest}".lstrip("-")


class AmbiguousFolderError(ValueError):
    """Several folders have this path; Grafana allows that."""


def resolve(known: Iterable[Folder], paths: Iterable[Path]) -> tuple[dict[Path, str], list[Folder]]:
    """The uid of the folder at each path and on the way to it, and the folders to be made, parents first."""
    folders = list(known)
    taken = {folder.uid for folder in folders}
    uids: dict[Path, str] = {(): ""}
    missing: list[Folder] = []
    every = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    for path in sorted(every, key=lambda path: (len(path), path)):
        parent = uids[path[:-1]]
        desired = {other[-1] for other in every if other[:-1] == path[:-1]}
        uid = _choose([folder for folder in folders if folder.parent == parent], path, desired)
        if uid is None:
            uid = make_uid(path, taken)
            missing.append(Folder(uid, path[-1], parent))
            taken.add(uid)
        uids[path] = uid
    return uids, missing


def _choose(beside: list[Folder], path: Path, desired: Collection[str]) -> str | None:
    """The folder with the title; of several the one that we have made; or that one under the name it has now."""
    titled = [folder for folder in beside if folder.title == path[-1]]
    ours = [folder for folder in beside if folder.uid == make_uid(path)]
    renamed = [folder for folder in ours if folder.title not in desired]
    chosen = [folder for folder in titled if folder in ours] or titled or renamed
    if len(chosen) > 1:
        uids = ", ".join(sorted(folder.uid for folder in chosen))
        raise AmbiguousFolderError(f"{len(chosen)} folders are named {'/'.join(path)}: {uids}")
    return chosen[0].uid if chosen else None


def walk(children: Callable[[str], Iterable[Folder]], paths: Iterable[Path], root: Path | None) -> list[Folder]:
    """The folders on the way to some paths, and everything below ``root``, listing no more levels than that takes."""
    on_the_way = {path[:depth] for path in paths for depth in range(len(path))}
    found: list[Folder] = []
    waiting: list[tuple[str, Path]] = [("", ())]
    while waiting:
        uid, path = waiting.pop()
        for folder in children(uid):
            found.append(folder)
            here = (*path, folder.title)
            if here in on_the_way or (root is not None and here[: len(root)] == root):
                waiting.append((folder.uid, here))
    return found


def find(folders: Iterable[Folder], path: Path) -> str | None:
    """The uid of the folder at a path, None where there is none."""
    uids, missing = resolve(folders, [path])
    return None if missing else uids[path]


def below(folders: Iterable[Folder], uid: str) -> set[str]:
    """The uids of a folder and of everything in it."""
    children: dict[str, list[str]] = {}
    for folder in folders:
        children.setdefault(folder.parent, []).append(folder.uid)
    found: set[str] = set()
    waiting = [uid]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += children.get(current, [])
    return found


def read_folders(hits: Iterable[Mapping[str, object]]) -> list[Folder]:
    """The folders of a search's answer."""
    return [Folder(str(hit["uid"]), str(hit["title"]), str(hit.get("folderUid") or "")) for hit in hits]
