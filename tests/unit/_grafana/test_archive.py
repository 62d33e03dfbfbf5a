# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: what is packed comes back, and nothing else is believed."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._grafana import archive, tarball
from ansible_collections.ias.observability.plugins.module_utils._grafana.archive import (
    Backup,
    name_of,
    newest,
    pack,
    unpack,
    write_new,
)
from ansible_collections.ias.observability.plugins.module_utils._tar import ArchiveError

CREATED = "2026-11-25T01:02:03+00:00"
KEYS = ["plain", "a/b", "..", "", "ü ~ name", "x" * 300]
Entry = tuple[str, bytes]


def backup() -> Backup:
    objects = {
        kind: {key: {field: shape() for field, shape in archive.FIELDS[kind].items()} | {"key": key} for key in KEYS}
        for kind in archive.KINDS
    }
    return Backup(objects, {"format": 1, "created": CREATED})


def entries(content: bytes) -> list[Entry]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = [(entry.name, tar.extractfile(entry)) for entry in tar]
        return [(name, file.read()) for name, file in files if file]


def repack(path: Path, made: list[Entry], change: Callable[[tarfile.TarInfo], None] | None = None) -> Path:
    """An archive as somebody else could make it. ``change`` is done to its first entry."""
    with tarfile.open(path, "w:gz") as tar:
        for number, (name, content) in enumerate(made):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if change and number == 0:
                change(entry)
            tar.addfile(entry, io.BytesIO(content))
    return path


def with_sums(made: list[Entry]) -> list[Entry]:
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in made)
    return [*made, ("SHA256SUMS", sums.encode())]


GOOD = [("manifest.json", b'{"format": 1}'), ("folders/a.json", b'{"key": "a", "title": "A", "parent": ""}')]


def test_what_is_packed_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(pack(backup()))
    assert unpack(path) == backup()
    assert pack(backup()) == path.read_bytes()


def test_its_checksums_are_the_usual_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(pack(backup()))
    with tarfile.open(path) as tar:
        tar.extractall(tmp_path, filter="data")
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)


def swap(made: list[Entry], name: str, content: bytes) -> list[Entry]:
    return [(one, content if one == name else there) for one, there in made]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], "it is not whole, or no backup: SHA256SUMS is not in it"),
        (GOOD, "it is not whole, or no backup: SHA256SUMS is not in it"),
        (swap(with_sums(GOOD), "folders/a.json", b'{"key": "b"}'), "the checksum of folders/a.json is wrong"),
        ([*with_sums(GOOD), ("folders/b.json", b"{}")], "folders/b.json is not named in SHA256SUMS"),
        (with_sums(GOOD)[1:], "manifest.json is not in it"),
        (with_sums(GOOD[1:]), "manifest.json is not in it"),
        (swap(with_sums(GOOD), "SHA256SUMS", b"\xff\x00"), "SHA256SUMS cannot be read"),
        (with_sums(swap(GOOD, "manifest.json", b'{"format": 2}')), "its format is 2; this module reads 1"),
        (with_sums(swap(GOOD, "folders/a.json", b"[]")), "folders/a.json is not an object"),
        (with_sums(swap(GOOD, "folders/a.json", b'{"key": "a"}')), "folders/a.json is not an object"),
        (with_sums(swap(GOOD, "folders/a.json", b'{"key": "a", "title": 1, "parent": ""}')), "is not an object"),
        (with_sums(swap(GOOD, "folders/a.json", b"{")), "folders/a.json is not JSON"),
        (with_sums(swap(GOOD, "folders/a.json", b"[" * 100_000)), "folders/a.json is not JSON"),
        (with_sums(swap(GOOD, "folders/a.json", b'{"key": ' + b"[" * 200 + b"]" * 200 + b"}")), "is not an object"),
        (with_sums(swap(GOOD, "folders/a.json", b'{"key": "b"}')), "holds another object than its name says"),
        (with_sums([*GOOD, GOOD[1]]), "folders/a.json is there twice"),
        (with_sums([*GOOD, ("../../etc/cron.d/x", b"")]), "it holds '../../etc/cron.d/x', which no backup does"),
        (with_sums([*GOOD, ("/etc/cron.d/x", b"")]), "it holds '/etc/cron.d/x', which no backup does"),
        (with_sums([*GOOD, ("folders/../x.json", b"")]), "which no backup does"),
        (with_sums([*GOOD, ("users/a.json", b"")]), "which no backup does"),
        (with_sums([*GOOD, ("folders/a.json\n", b"")]), "which no backup does"),
    ],
)
def test_a_bad_archive_is_refused(tmp_path: Path, made: list[Entry], message: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        unpack(repack(tmp_path / "x.tar.gz", made))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_files_are_read(tmp_path: Path, kind: bytes) -> None:
    def change(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname, entry.size = kind, "/etc/passwd", 0

    with pytest.raises(ArchiveError, match=r"it holds 'manifest.json/?', which is not a file"):
        unpack(repack(tmp_path / "x.tar.gz", with_sums(GOOD), change))


def test_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = repack(tmp_path / "file.tar.gz", [("folders/a.json", bytes(18 * 1024 * 1024))])
    with pytest.raises(ArchiveError, match=r"it is too large: at 'folders/a\.json'"):
        unpack(large)
    many = repack(tmp_path / "many.tar.gz", [(f"folders/{number}.json", bytes(2_000_000)) for number in range(9)])
    with pytest.raises(ArchiveError, match="it unpacks to more than 16 MiB"):
        unpack(many)
    monkeypatch.setattr(tarball, "MAX_FILES", 2)
    with pytest.raises(ArchiveError, match="it has more members than are read"):
        unpack(repack(tmp_path / "count.tar.gz", with_sums(GOOD)))
    with pytest.raises(ArchiveError, match="it would be too large to be restored"):
        pack(backup())


def raw(path: Path, *blocks: bytes) -> Path:
    """A gzipped tar of these blocks, each filled up to whole ones."""
    content = b"".join(block + bytes(-len(block) % 512) for block in blocks)
    path.write_bytes(gzip.compress(content + bytes(1024), 9))
    return path


def header(name: str, size: int, kind: bytes = b"0", **changes: bytes) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = size, kind
    block = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    for place, value in changes.items():
        offset = int(place.removeprefix("at"))
        block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}".encode() + b"\0 "
    return bytes(block)


def sparse(path: Path) -> Path:
    """Members of the old GNU format, each a hole of 17 MiB."""
    hole = b"%011o\0%011o\0" % (0, 0)
    size = b"%011o\0" % (17 << 20)
    return raw(path, *(header(f"folders/{n}.json", 0, b"S", at386=hole, at483=size) for n in range(200)))


def sparse_pax(path: Path) -> Path:
    line = b"GNU.sparse.realsize=17825792\n"
    content = b"%d %s" % (len(line) + 3, line)
    pairs = [(header("x", len(content), b"x"), content, header(f"folders/{n}.json", 0)) for n in range(200)]
    return raw(path, *(block for pair in pairs for block in pair))


def long_header(path: Path, kind: bytes) -> Path:
    content = b"99999999 comment=" + bytes(700 << 20 >> 6)
    return raw(path, header("x", len(content), kind), content)


def many_values(path: Path) -> Path:
    content = b'{"key": "a", "title": "A", "parent": "", "x": [' + b"{}," * 5_000_000 + b"{}]}"
    return repack(path, with_sums([GOOD[0], ("folders/a.json", content)]))


def many_files(path: Path) -> Path:
    """One more than may be; a name's digits are all that differs, with their sum in the header's checksum."""
    first = header("folders/00000.json", 0)
    total = int(first[148:154], 8)
    blocks = []
    for number in range(50_001):
        digits = b"%05d" % number
        checksum = b"%06o" % (total + sum(digits) - sum(b"00000"))
        blocks.append(first[:8] + digits + first[13:148] + checksum + first[154:])
    return raw(path, *blocks)


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "sparse": sparse,
    "sparse-pax": sparse_pax,
    "pax": lambda path: long_header(path, b"x"),
    "pax-global": lambda path: long_header(path, b"g"),
    "gnu-long-name": lambda path: long_header(path, b"L"),
    "huge": lambda path: raw(path, header("folders/a.json", 8 << 30)),
    "negative": lambda path: raw(path, header("folders/a.json", 0, at124=b"-0000000010\0")),
    "base-256": lambda path: raw(path, header("folders/a.json", 0, at124=b"\x80" + bytes(3) + b"\xff" * 8)),
    "zeros": lambda path: raw(path, *(header(f"folders/{n}.json", 16 << 20) + bytes(16 << 20) for n in range(2))),
    "values": many_values,
    "files": many_files,
    "gzip": lambda path: (path.write_bytes(gzip.compress(bytes(200 << 20), 9)) and path) or path,
    "concatenated": lambda path: (path.write_bytes(gzip.compress(b"") * 20_000) and path) or path,
}
MEASURE = """
import re, sys, time
from pathlib import Path
from ansible_collections.ias.observability.plugins.module_utils._grafana.archive import unpack
for path in sys.argv[1:]:
    started = time.monotonic()
    try:
        unpack(Path(path))
        message = "taken"
    except Exception as error:
        message = type(error).__name__ + ": " + str(error)
    seconds = time.monotonic() - started
    peak = re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(int(peak) // 1024, round(seconds, 2), message.replace(chr(10), " "), sep="\t")
"""


def test_a_hostile_archive_takes_neither_time_nor_memory(tmp_path: Path) -> None:
    paths = [str(make(tmp_path / f"{name}.tar.gz")) for name, make in HOSTILE.items()]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *paths],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == len(HOSTILE)
    for name, (mebibytes, seconds, message) in zip(HOSTILE, lines, strict=True):
        assert message.startswith("ArchiveError: it "), (name, message)
        assert int(mebibytes) < 100, (name, mebibytes)
        assert float(seconds) < 5, (name, seconds)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\x1f\x8b", gzip.compress(b"x" * 2000, mtime=0), b"PK\x03\x04" + bytes(100), b"\xff" * 600],
)
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"it is not whole|it is no|it ends in the middle|it is damaged"):
        unpack(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="it cannot be read: No such file"):
        unpack(tmp_path / "x.tar.gz")
    with pytest.raises(ArchiveError, match="it cannot be read: it is a folder"):
        unpack(tmp_path)


def test_cut_off_anywhere(tmp_path: Path) -> None:
    content = pack(backup())
    path = tmp_path / "x.tar.gz"
    for length in range(0, len(content) - 40, 37):
        path.write_bytes(content[:length])
        with pytest.raises(ArchiveError):
            unpack(path)


def test_any_change_is_found_or_makes_no_difference(tmp_path: Path) -> None:
    """Of the archive, and of the tar inside: the same objects, or the one error."""
    generator = random.Random(7)
    content = pack(backup())
    inside = gzip.decompress(content)
    path = tmp_path / "x.tar.gz"
    refused = 0
    for number in range(2000):
        changed = bytearray(content if number % 2 else inside)
        for _ in range(generator.choice([1, 3])):
            changed[generator.randrange(len(changed))] = generator.randrange(256)
        path.write_bytes(bytes(changed) if number % 2 else gzip.compress(changed, 1))
        try:
            assert unpack(path).objects == backup().objects
        except ArchiveError:
            refused += 1
    assert refused > 1000


def test_names_sort_by_date(tmp_path: Path) -> None:
    assert name_of(CREATED) == "grafana-backup-2026-11-25T010203Z.tar.gz"
    for year in ("2025", "2027", "2026"):
        (tmp_path / name_of(CREATED.replace("2026", year))).touch()
    (tmp_path / "grafana-backup-x.tar.gz.part").touch()
    found = newest(tmp_path)
    assert found is not None
    assert found.name.startswith("grafana-backup-2027")


@pytest.mark.parametrize("nameless", [True, False])
def test_a_file_is_written_whole_and_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    if not nameless:

        def unsupported(_: int) -> object:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")

        monkeypatch.setattr(archive, "open_nameless", unsupported)
    path = tmp_path / "x.tar.gz"
    write_new(path, b"content")
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_new(path, b"other")
    assert path.read_bytes() == b"content"
    assert [one.name for one in tmp_path.iterdir()] == ["x.tar.gz"]


@pytest.mark.parametrize("nameless", [True, False])
def test_nothing_is_left_of_a_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    if not nameless:
        monkeypatch.setattr(archive, "open_nameless", full)
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "x.tar.gz", b"content")
    assert list(tmp_path.iterdir()) == []


def test_an_object_is_json_that_people_can_read() -> None:
    name, content = entries(pack(backup()))[1]
    assert name.startswith("folders/")
    assert "\n" in content.decode()
    assert json.loads(content)["title"] == ""
