# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Charts on disk: a folder or an archive to texts by path. Nothing is unpacked onto the disk."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .._files import UnreadableError, check_regular
from .._tar import ArchiveError, Budget, Readable, members
from .chart import ChartError

MAX_FILES = 20_000
MAX_BYTES = 64 << 20
"""Unpacked, with every archive inside counted as well."""
MAX_TEXT_BYTES = 16 << 20
"""Of the files that are looked at."""
_MAX_FILE_BYTES = 5 << 20
"""Helm's own limit."""
_MAX_DATA_BYTES = 1 << 20
"""Of a file that is parsed: each byte of it can become hundreds in memory."""
_DATA = frozenset({"Chart.yaml", "values.yaml", "values.schema.json"})
_NESTED = ".tgz"
_MAX_NESTING = 5
_MAX_FOLDERS = 30


def files_of(path: Path) -> dict[str, str]:
    """The chart's texts that say something of values, those of packed sub-charts included."""
    reading = _Reading()
    try:
        if path.is_dir():
            reading.folder(path)
        else:
            check_regular(path)
            with path.open("rb") as archive:
                reading.archive(archive)
    except UnreadableError as error:
        raise ChartError(f"the chart {path} cannot be read: {error.message}; {error.hint}") from error
    except OSError as error:
        raise ChartError(f"the chart {path} cannot be read: {error.strerror or error}") from error
    except ArchiveError as error:
        hint = "give the folder of a chart, or what helm package makes of it"
        raise ChartError(f"{path} is no chart archive: {error}; {hint}") from error
    return reading.files


@dataclass(slots=True)
class _Reading:
    """One budget for all that a chart consists of."""

    files: dict[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=lambda: Budget(MAX_BYTES, MAX_FILES))
    text_bytes: int = MAX_TEXT_BYTES

    def folder(self, root: Path) -> None:
        found = list(itertools.islice(root.rglob("*"), MAX_FILES + 1))
        if len(found) > MAX_FILES:
            raise ArchiveError(f"it has more than {MAX_FILES} files")
        for path in sorted(found):
            if path.is_file():
                with path.open("rb") as content:
                    self._file(path.relative_to(root).as_posix(), path.stat().st_size, content, 0)

    def archive(self, packed: Readable, prefix: str = "", depth: int = 0) -> None:
        """The members below the archive's one folder."""
        if depth > _MAX_NESTING:
            raise ArchiveError(f"it holds archives in archives, more than {_MAX_NESTING} deep")
        for member in members(packed, self.budget):
            _top, slash, name = member.name.removeprefix("./").partition("/")
            if slash:
                self._file(prefix + name, member.size, member.content, depth)

    def _file(self, name: str, size: int, content: Readable, depth: int) -> None:
        path = PurePosixPath(name)
        own = _below_sub_charts(path.parts)
        if len(path.parts) > _MAX_FOLDERS:
            raise ArchiveError(f"it has folders more than {_MAX_FOLDERS} deep")
        if path.suffix == _NESTED and len(own) == 1 and path.parts[-2:-1] == ("charts",):
            self.archive(content, f"{path.parent}/{path.stem}/", depth + 1)
        elif (len(own) == 1 and path.name in _DATA) or own[:1] == ("templates",):
            limit = _MAX_DATA_BYTES if path.name in _DATA else _MAX_FILE_BYTES
            if size > limit:
                raise ArchiveError(f"{name[:100]} in it has more than {limit >> 20} MiB")
            self.text_bytes -= size + len(name)
            if self.text_bytes < 0:
                raise ArchiveError(f"its texts have more than {MAX_TEXT_BYTES >> 20} MiB")
            self.files[name] = content.read(size).decode("utf-8-sig", "replace")


def _below_sub_charts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Where a file is in the chart that it belongs to: below `charts/<name>/`, however often that stands there."""
    while len(parts) > 2 and parts[0] == "charts":
        parts = parts[2:]
    return parts[1:] if parts[:1] == ("charts",) else parts


# -- charts from elsewhere

Pull = Callable[[Path], Path]
"""Fetches the archive into a folder and returns its path."""


class Cache:
    """Archives by the SHA-256 of their content; `names` says which one a reference and version stand for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: tuple[str, ...], pull: Pull) -> Path:
        """The archive for a name, fetched once. A damaged one is fetched again."""
        key = hashlib.sha256(json.dumps(name).encode()).hexdigest()
        note = self.folder / "names" / key
        try:
            kept = self.folder / f"{note.read_text('ascii').strip()}.tgz"
            if digest(kept) == kept.stem:
                return kept
        except (OSError, ValueError):
            pass
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder) as name_:
                fetched = pull(Path(name_))
                kept = self.folder / f"{digest(fetched)}.tgz"
                fetched.replace(kept)
                draft = Path(name_) / "name"
                draft.write_text(kept.stem, "ascii")
                draft.replace(note)
        except OSError as error:
            raise ChartError(f"the cache {self.folder} cannot be written: {error.strerror or error}") from error
        return kept


def digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ias-observability" / "charts"
