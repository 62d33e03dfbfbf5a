# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gzipped tar archives of somebody else, read with bounds.

Python's tarfile reads what a header announces before one can look at it: long names, extended headers, the maps of
sparse files. Here it parses single blocks only, and a budget is asked before anything is read.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

_LONG_NAME = frozenset((tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE))
_MAX_HEADER = 8 << 10
"""Bytes of an extended header: a path and some dates."""
_CHUNK = 64 << 10


class ArchiveError(Exception):
    """It is no archive, or more of it than is read."""


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(slots=True)
class Budget:
    """What one reading may take, with all archives that are found inside."""

    unpacked_bytes: int
    members: int
    limit: int = 0
    """The bytes that there were at first."""

    def __post_init__(self) -> None:
        self.limit = self.unpacked_bytes

    def take_bytes(self, count: int) -> None:
        self.unpacked_bytes -= count
        if self.unpacked_bytes < 0:
            raise ArchiveError(f"it unpacks to more than {self.limit >> 20} MiB")

    def take_member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise ArchiveError("it has more members than are read")


class Member(NamedTuple):
    """A regular file. Its content can be read until the next member is asked for."""

    name: str
    size: int
    content: Readable


class _Content:
    def __init__(self, stream: Readable, size: int) -> None:
        self.stream = stream
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, all that are left by default."""
        wanted = self.left if size < 0 else min(size, self.left)
        parts = []
        while wanted:
            part = self.stream.read(min(wanted, _CHUNK))
            if not part:
                raise ArchiveError("it ends in the middle of a file")
            parts.append(part)
            wanted -= len(part)
            self.left -= len(part)
        return b"".join(parts)

    def skip(self) -> None:
        while self.read(_CHUNK):
            pass


class _Unzipped:
    def __init__(self, packed: Readable, budget: Budget) -> None:
        self.stream = gzip.GzipFile(fileobj=packed)  # type: ignore[call-overload]
        self.budget = budget

    def read(self, size: int = -1, /) -> bytes:
        self.budget.take_bytes(size)
        try:
            found: bytes = self.stream.read(size)
        except gzip.BadGzipFile as error:
            raise ArchiveError("it is not gzipped, or damaged") from error
        except (zlib.error, EOFError) as error:
            raise ArchiveError(f"it is damaged: {error}") from error
        self.budget.unpacked_bytes += size - len(found)
        return found


def members(packed: Readable, budget: Budget, *, strict: bool = False) -> Iterator[Member]:
    """The regular files of a gzipped tar archive, in its order. ArchiveError, OSError.

    A strict reading refuses folders, links and the like, which are passed over otherwise, and checks the checksum.
    """
    stream = _Unzipped(packed, budget)
    long_name = ""
    while (block := _Content(stream, tarfile.BLOCKSIZE).read()).count(0) < tarfile.BLOCKSIZE:
        header = _header(block)
        budget.take_member()
        content = _Content(stream, header.size)
        if header.type in _LONG_NAME:
            if header.size > _MAX_HEADER:
                raise ArchiveError(f"it has a header of {header.size} bytes")
            long_name = _name(header.type, content.read()) or long_name
        elif header.type == tarfile.GNUTYPE_SPARSE:
            raise ArchiveError(f"it holds {header.name[:100]!r}, a sparse file")
        elif strict and not header.isreg():
            raise ArchiveError(f"it holds {(long_name or header.name)[:100]!r}, which is not a file")
        elif header.isreg():
            yield Member(long_name or header.name, header.size, content)
        if header.type not in _LONG_NAME:
            long_name = ""
        content.skip()
        _Content(stream, -header.size % tarfile.BLOCKSIZE).skip()
    while strict and stream.read(_CHUNK):  # to the end, where gzip has its checksum
        pass


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.TarError as error:
        raise ArchiveError(f"it is no tar: {error}") from error
    if header.size < 0:
        raise ArchiveError("it is no tar: a size is negative")
    return header


def _name(kind: bytes, content: bytes) -> str:
    """The name that a header gives to the member after it; "" where it says nothing of that."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return content.rstrip(b"\0").decode("utf-8", "replace")
    name = ""
    while content:
        length, _space, _rest = content.partition(b" ")
        if not (length.isdigit() and 0 < int(length) <= len(content)):
            raise ArchiveError("it has an extended header that cannot be read")
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        key, _equals, value = record.rstrip(b"\n").partition(b"=")
        if key.startswith(b"GNU.sparse") or key == b"size":
            raise ArchiveError("it holds a file that is sparse, or larger than is read")
        if key == b"path":
            name = value.decode("utf-8", "replace")
    return name
