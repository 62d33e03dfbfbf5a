# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards as files, and what must be right with one before anything is sent."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._files import UnreadableError, read_text
from .._findings import Finding

if TYPE_CHECKING:  # what only validates dashboards has no use for an HTTP client
    from .model import Json

UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
TITLE_LENGTH = 5000
MAX_ENTRIES = 20_000  # files and folders below a source
MAX_DEPTH = 100  # of nested lists and objects; real dashboards have about 15


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One wanted dashboard: its JSON, and the titles of the folders that it is to lie in."""

    source: str
    uid: str
    title: str
    folder: tuple[str, ...]
    spec: Json


def find_files(root: Path) -> tuple[list[Path], list[Finding]]:
    """Every file below a folder, links followed, and what could not be followed.

    Who deletes what has no file must know that every file was seen, so nothing is passed over in silence.
    """
    files: list[Path] = []
    findings: list[Finding] = []
    waiting: list[tuple[Path, frozenset[tuple[int, int]]]] = [(root, frozenset())]
    entries = 0
    while waiting:
        folder, above = waiting.pop()
        try:
            info = folder.stat()
            paths = sorted(folder.iterdir())
        except OSError as error:
            findings.append(_unread(folder, error.strerror or str(error)))
            continue
        entries += len(paths)
        if entries > MAX_ENTRIES:
            return files, [*findings, _unread(root, f"there are more than {MAX_ENTRIES} files and folders below it")]
        here = above | {(info.st_dev, info.st_ino)}
        for path in paths:
            if path.name.startswith(".."):  # a ConfigMap's own links, which show each file twice
                continue
            try:
                info = path.stat()
            except OSError as error:
                findings.append(_unread(path, f"the link leads nowhere: {error.strerror or error}"))
                continue
            if not stat.S_ISDIR(info.st_mode):
                files.append(path)
            elif (info.st_dev, info.st_ino) in here:
                findings.append(_unread(path, "the link leads back to a folder above it"))
            else:
                waiting.append((path, here))
    return sorted(files), findings


def _unread(path: Path, message: str) -> Finding:
    return _refused(
        "dashboards/unreadable", message, str(path), "Check the path; remove what is broken, or correct src"
    )


def load_folder(root: Path) -> Iterator[tuple[str, tuple[str, ...], Json | Finding]]:
    """Every *.json below a folder, with its sub-folder; a finding in place of what cannot be read."""
    files, findings = find_files(root)
    for path in files:
        if path.suffix == ".json":
            yield str(path), path.relative_to(root).parent.parts, load_file(path)
    yield from ((finding.file, (), finding) for finding in findings)


def load_file(path: Path) -> Json | Finding:
    try:
        spec = json.loads(read_text(path), object_pairs_hook=_once)
    except UnreadableError as error:
        reason = "too-large" if error.reason == "too-large" else "unreadable"
        return _refused(f"dashboards/{reason}", error.message, str(path), error.hint)
    except (ValueError, RecursionError) as error:
        return _refused("dashboards/unreadable", f"it cannot be read as JSON: {why_not(error)}", str(path))
    if not isinstance(spec, dict):
        return _refused("dashboards/unreadable", "it is not a JSON object", str(path))
    if is_deeper(spec, MAX_DEPTH):
        return _refused("dashboards/unreadable", f"it is nested more than {MAX_DEPTH} levels deep", str(path))
    return spec


def _once(pairs: list[tuple[str, Any]]) -> Json:
    """An object, in which no key may be written twice: nobody knows which of the two is meant."""
    # Dashboards say the same few words over and over, and all of them are held at once.
    read = {sys.intern(name): sys.intern(value) if isinstance(value, str) else value for name, value in pairs}
    if len(read) != len(pairs):
        raise ValueError(f"key {repeated(name for name, _value in pairs)[0]!r} is written twice")
    return read


def repeated(names: Iterable[str]) -> list[str]:
    """The names that are there more than once, in their order."""
    return [name for name, count in Counter(names).items() if count > 1]


def why_not(error: ValueError | RecursionError) -> str:
    """Why a text is not JSON for us; what the interpreter says of its own limits helps nobody."""
    if isinstance(error, RecursionError):
        return f"it is nested more than {MAX_DEPTH} levels deep"
    if isinstance(error, json.JSONDecodeError) or "int_max_str_digits" not in str(error):
        return str(error)
    return f"it holds a number of more than {sys.get_int_max_str_digits()} digits"


def is_deeper(node: Any, limit: int) -> bool:
    """Level by level, so that no depth is too much for the interpreter's stack."""
    level = [node]
    for _depth in range(limit):
        groups = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        level = [child for group in groups for child in group]
    return bool(level)


def check_all(
    loaded: Iterable[tuple[str, tuple[str, ...], Mapping[str, Any] | Finding]],
) -> tuple[list[Dashboard], list[Finding]]:
    """The dashboards that can be sent, and everything that is wrong with the others."""
    dashboards: dict[str, Dashboard] = {}
    findings: list[Finding] = []
    for source, folder, spec in loaded:
        problem = spec if isinstance(spec, Finding) else check(source, spec)
        if problem is None and not isinstance(spec, Finding):
            dashboard = Dashboard(source, spec["uid"], spec["title"], folder, dict(spec))
            first = dashboards.setdefault(dashboard.uid, dashboard)
            if first is not dashboard:
                problem = _refused(
                    "dashboards/duplicate-uid", f"uid {dashboard.uid} is also that of {first.source}", source
                )
        if problem:
            findings.append(problem)
    return list(dashboards.values()), findings


def check(source: str, spec: Mapping[str, Any]) -> Finding | None:
    """What Grafana would refuse, or take and then lose."""
    uid, title = spec.get("uid"), spec.get("title")
    if "elements" in spec or "apiVersion" in spec:
        return _refused("dashboards/schema-v2", "it is in schema V2", source, "Export it as a classic dashboard")
    if not isinstance(uid, str) or not UID.fullmatch(uid):
        hint = "Give it a uid of up to 40 letters, digits, - and _: without one each run would make a new copy"
        return _refused(
            "dashboards/uid", f"its uid is {'missing' if uid is None else f'not valid: {uid!r}'}", source, hint
        )
    if not isinstance(title, str) or not 0 < len(title.strip()) <= TITLE_LENGTH:
        return _refused("dashboards/title", "its title is missing, empty or too long", source)
    tags = spec.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return _refused("dashboards/tags", "its tags are not a list of texts", source)
    panels = spec.get("panels") or []
    if not isinstance(panels, list) or not all(isinstance(panel, dict) for panel in panels):
        return _refused("dashboards/panels", "its panels are not a list of objects", source)
    return None


def _refused(finding_id: str, message: str, source: str, hint: str = "Correct the file") -> Finding:
    return Finding(finding_id, "error", message, hint, file=source)
