# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Charts on disk: a folder or an archive to texts by path. Nothing is unpacked onto the disk."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from .._files import UnreadableError, check_regular
from .chart import ChartError

MAX_FILES = 20_000
MAX_BYTES = 128 << 20
_NESTED = ".tgz"
_MAX_NESTING = 5
_READ = (".yaml", ".yml", ".json", ".tpl", ".txt")


def files_of(path: Path) -> dict[str, str]:
    """The chart's texts, those of packed sub-charts included."""
    try:
        if path.is_dir():
            found = dict(_folder(path))
        else:
            check_regular(path)
            with path.open("rb") as archive:
                found = _archive(archive, str(path), 0)
    except UnreadableError as error:
        raise ChartError(f"the chart {path} cannot be read: {error.message}; {error.hint}") from error
    except OSError as error:
        raise ChartError(f"the chart {path} cannot be read: {error.strerror or error}") from error
    return found


def _folder(root: Path) -> Iterator[tuple[str, str]]:
    size = 0
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file():
            continue
        if path.suffix == _NESTED and name.startswith("charts/"):
            with path.open("rb") as archive:
                inner = _archive(archive, str(path), 1)
            yield from ((f"charts/{path.stem}/{part}", text) for part, text in inner.items())
        elif path.suffix in _READ:
            size += path.stat().st_size
            _check(size, 0, str(root))
            yield name, path.read_bytes().decode("utf-8-sig", "replace")


def _archive(packed: IO[bytes], where: str, depth: int) -> dict[str, str]:
    """The members below the archive's one folder."""
    if depth > _MAX_NESTING:
        raise ChartError(f"{where}: archives in archives, more than {_MAX_NESTING} deep")
    found: dict[str, str] = {}
    size = 0
    try:
        with tarfile.open(fileobj=packed, mode="r|gz") as archive:
            for count, member in enumerate(archive):
                path = PurePosixPath(member.name)
                _check(size + member.size, count, where)
                if not member.isfile() or len(path.parts) < 2:
                    continue
                name = "/".join(path.parts[1:])
                size += member.size
                content = archive.extractfile(member)
                if content is None:
                    continue
                if path.suffix == _NESTED and name.startswith("charts/"):
                    with tempfile.SpooledTemporaryFile(max_size=MAX_BYTES) as inner:
                        inner.write(content.read())
                        inner.seek(0)
                        nested = _archive(inner, f"{where}/{name}", depth + 1)
                    found |= {f"charts/{path.stem}/{part}": text for part, text in nested.items()}
                elif path.suffix in _READ:
                    found[name] = content.read().decode("utf-8-sig", "replace")
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ChartError(
            f"{where} is no chart archive: {error}; give the folder of a chart, or what helm package makes of it"
        ) from error
    return found


def _check(size: int, count: int, where: str) -> None:
    if size > MAX_BYTES or count > MAX_FILES:
        raise ChartError(f"{where} is larger than a chart can be: {MAX_BYTES >> 20} MiB, {MAX_FILES} files")


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
