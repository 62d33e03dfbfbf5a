# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders as a tree of titles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UID_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as Grafana has it. The root's uid is empty."""

    uid: str
    title: str
    parent: str = ""


def parts(path: str) -> tuple[str, ...]:
    """The titles of a folder path, outermost first."""
    return tuple(title.strip() for title in path.split("/") if title.strip())


def make_uid(path: tuple[str, ...]) -> str:
    """The uid that a folder made by us gets: from its titles, so that it is the same everywhere."""
    slug = "-".join(re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") for title in path)
    if slug and len(slug) <= UID_LENGTH:
        return slug
    digest = hashlib.sha256("/".join(path).encode()).hexdigest()[:8]
    return f"{slug[: UID_LENGTH - 9].strip('-')}-{digest}".lstrip("-")


class AmbiguousFolderError(ValueError):
    """Several folders have this path; Grafana allows that."""


def find(folders: Iterable[Folder], path: tuple[str, ...]) -> str | None:
    """The uid of the folder at a path, None where there is none."""
    folders = list(folders)
    uid = ""
    for depth, title in enumerate(path, 1):
        beside = [folder for folder in folders if folder.parent == uid and folder.title == title]
        ours = [folder for folder in beside if folder.uid == make_uid(path[:depth])]
        chosen = ours or beside
        if len(chosen) > 1:
            uids = ", ".join(sorted(folder.uid for folder in chosen))
            raise AmbiguousFolderError(f"{len(chosen)} folders are named {'/'.join(path[:depth])}: {uids}")
        if not chosen:
            return None
        uid = chosen[0].uid
    return uid


def below(folders: Iterable[Folder], uid: str) -> set[str]:
    """The uids of a folder and of everything in it."""
    children: dict[str, list[str]] = {}
    for folder in folders:
        children.setdefault(folder.parent, []).append(folder.uid)
    found: set[str] = set()
    waiting = [uid]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += children.get(one, [])
    return found


def read_folders(hits: Iterable[Mapping[str, object]]) -> list[Folder]:
    """The folders of a search's answer."""
    return [Folder(str(hit["uid"]), str(hit["title"]), str(hit.get("folderUid") or "")) for hit in hits]
