# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup as one file: a gzipped tar of JSON files, and SHA256SUMS over them as `sha256sum --check` reads it.

    manifest.json               format, date, Grafana's version, counts
    folders/UID.json            one file for each object
    datasources/UID.json
    contact-points/UID.json
    dashboards/UID.json
    SHA256SUMS

An archive is not trusted: what it holds is bounded in size, number and depth, and only these names are read, into
memory. Nothing is ever unpacked to disk.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from .._files import UnreadableError, check_regular
from .._grafana_model.files import MAX_DEPTH, is_deeper
from .._grafana_model.model import Json
from .._grafana_model.normalise import normalise
from .._tar import ArchiveError
from . import tarball

FORMAT = 1
KINDS = ("folders", "datasources", "contact-points", "dashboards")
FIELDS: Mapping[str, Mapping[str, type]] = {
    "folders": {"key": str, "title": str, "parent": str},
    "datasources": {"key": str, "name": str, "type": str, "url": str, "secrets": list},
    "contact-points": {"key": str, "name": str, "type": str, "settings": dict},
    "dashboards": {"key": str, "title": str, "folder": str, "message": str, "schema": str, "spec": dict},
}
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
MAX_NAME = 200
NAME = re.compile(rf"(?:{'|'.join(KINDS)})/[A-Za-z0-9_%~-]{{1,{MAX_NAME}}}\.json")
PREFIX, SUFFIX = "grafana-backup-", ".tar.gz"
# A value takes far more memory than its text: so many may be in any archive, and more for each of its bytes.
ALWAYS_VALUES, VALUES_PER_BYTE = 400_000, 2

Objects = Mapping[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Backup:
    """The objects by kind and key (a uid, in most cases), and what is told about them."""

    objects: Objects
    manifest: Json

    @property
    def counts(self) -> dict[str, int]:
        return {kind.replace("-", "_"): len(self.objects[kind]) for kind in KINDS}

    @property
    def sums(self) -> dict[str, str]:
        """A checksum of the content of each object by the name of its file.

        Without what differs after a restore and means nothing: dates, the message of a dashboard's last write, and what
        Grafana adds to a dashboard or renumbers.
        """
        content = {kind: {key: comparable(kind, body) for key, body in self.objects[kind].items()} for kind in KINDS}
        return {name: checksum(data) for name, data in object_files(content)}


def comparable(kind: str, body: Json) -> Json:
    if kind != "dashboards":
        return body
    return {**body, "message": "", "spec": normalise(body["spec"])}


def object_files(objects: Objects) -> Iterator[tuple[str, bytes]]:
    for kind in KINDS:
        for key in sorted(objects[kind]):
            yield f"{kind}/{file_name(key)}.json", to_bytes(objects[kind][key])


def file_name(key: str) -> str:
    """A key as a file name, without a dot; by its checksum where it would be too long."""
    name = quote(key, safe="").replace(".", "%2E")
    return name if 0 < len(name) <= MAX_NAME else checksum(key.encode())


def to_bytes(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pack(backup: Backup) -> bytes:
    """The archive. The same backup makes the same bytes. ArchiveError where no restore would read it."""
    files = [(MANIFEST, to_bytes(backup.manifest)), *object_files(backup.objects)]
    size = sum(len(content) + 2 * tarfile.BLOCKSIZE for _name, content in files)
    if size > tarball.MAX_BYTES or len(files) > tarball.MAX_FILES:
        raise ArchiveError(f"it would be too large to be restored: {size >> 20} MiB, {len(files)} files")
    sums = "".join(f"{checksum(content)}  {name}\n" for name, content in files)
    created = datetime.datetime.fromisoformat(backup.manifest["created"]).timestamp()
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=int(created)) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in [*files, (SUMS, sums.encode())]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), int(created), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def unpack(path: Path) -> Backup:
    """Read and check an archive; raises ArchiveError."""
    try:
        reader = Reader(ALWAYS_VALUES + VALUES_PER_BYTE * check_regular(path))
        for name, content in tarball.read_files(path):
            reader.take(name, content)
    except UnreadableError as error:
        raise ArchiveError(f"it cannot be read: {error.message}; {error.hint}") from error
    except OSError as error:
        raise ArchiveError(f"it cannot be read: {error.strerror or error}") from error
    return reader.backup()


@dataclass
class Reader:
    """Takes one file after the other and keeps what it says. ``values_left`` is what all of them may hold."""

    values_left: int
    digests: dict[str, str] = field(default_factory=dict)
    sums: dict[str, str] | None = None
    manifest: Json = field(default_factory=dict)
    objects: dict[str, dict[str, Json]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    problem: str = ""  # of an object; a wrong checksum, which is its cause in most cases, is told instead

    def take(self, name: str, content: bytes) -> None:
        if name not in {MANIFEST, SUMS} and not NAME.fullmatch(name):
            raise ArchiveError(f"it holds {name[:100]!r}, which no backup does")
        if name in self.digests or (name == SUMS and self.sums is not None):
            raise ArchiveError(f"{name} is there twice")
        if name == SUMS:
            self.sums = read_sums(content)
            return
        self.digests[name] = checksum(content)
        try:
            self._keep(name, content)
        except ArchiveError as error:
            self.problem = self.problem or str(error)

    def _keep(self, name: str, content: bytes) -> None:
        self.values_left -= sum(content.count(mark) for mark in (b",", b"[", b"{"))
        if self.values_left < 0:
            raise ArchiveError(f"it is too large: at {name} it holds more values than a backup of its size can")
        found = read_object(name, content)
        if name == MANIFEST:
            self.manifest = found
            return
        kind = name.partition("/")[0]
        if not all(isinstance(found.get(name_), shape) for name_, shape in FIELDS[kind].items()):
            raise ArchiveError(f"{name} is not an object as backups hold")
        self.objects[kind][found["key"]] = found

    def backup(self) -> Backup:
        if self.sums is None:
            raise ArchiveError(f"it is not whole, or no backup: {SUMS} is not in it")
        for name in sorted(self.sums.keys() ^ self.digests.keys()):
            raise ArchiveError(f"{name} is {'not in it' if name in self.sums else f'not named in {SUMS}'}")
        for name, digest in self.digests.items():
            if digest != self.sums[name]:
                raise ArchiveError(f"the checksum of {name} is wrong")
        if MANIFEST not in self.digests:
            raise ArchiveError(f"{MANIFEST} is not in it")
        if self.problem:
            raise ArchiveError(self.problem)
        if self.manifest.get("format") != FORMAT:
            raise ArchiveError(f"its format is {self.manifest.get('format')!r}; this module reads {FORMAT}")
        return Backup(self.objects, self.manifest)


def read_sums(content: bytes) -> dict[str, str]:
    lines = content.decode("utf-8", "replace").splitlines()
    pairs = [line.split("  ", 1) for line in lines]
    if not all(len(pair) == 2 for pair in pairs):
        raise ArchiveError(f"{SUMS} cannot be read")
    return {name: digest for digest, name in pairs}


def read_object(name: str, content: bytes) -> Json:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{name} is not JSON") from error
    if not isinstance(found, dict) or is_deeper(found, MAX_DEPTH):
        raise ArchiveError(f"{name} is not an object as backups hold")
    if name != MANIFEST and f"{name.partition('/')[0]}/{file_name(str(found.get('key', '')))}.json" != name:
        raise ArchiveError(f"{name} holds another object than its name says")
    return found


def name_of(created: str) -> str:
    """The file name for a date such as 2026-11-25T01:02:03+00:00."""
    return f"{PREFIX}{datetime.datetime.fromisoformat(created):%Y-%m-%dT%H%M%SZ}{SUFFIX}"


def newest(folder: Path) -> Path | None:
    """The latest archive of a folder; their names sort by date."""
    return max(folder.glob(f"{PREFIX}*{SUFFIX}"), default=None)


def write_new(path: Path, content: bytes) -> None:
    """All of it or nothing, whatever happens meanwhile: the file gets its name when it is complete."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with open_nameless(folder) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.link(f"/proc/self/fd/{file.fileno()}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError as error:
        if isinstance(error, FileExistsError):
            raise
        write_named(path, content)
    finally:
        with contextlib.suppress(OSError):
            os.fsync(folder)
        os.close(folder)


def open_nameless(folder: int) -> IO[bytes]:
    """A file without a name: the kernel removes it when this process ends, however that is."""
    return os.fdopen(os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600, dir_fd=folder), "wb")


def write_named(path: Path, content: bytes) -> None:
    """Where the file system has no nameless files (NFS and others)."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, path)
