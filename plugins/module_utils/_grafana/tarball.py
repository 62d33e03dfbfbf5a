# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a gzipped tar of files as one stream, within a budget.

The standard library's reader makes gigabytes of a sparse file or of an extended header that is a few bytes when packed.
Here there are files and the names of long ones, nothing else.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

BLOCK = 512
MAX_BYTES = 256 << 20  # unpacked
# Dashboards are packed to about a tenth; what is packed far better than any text is made to fill the memory.
MAX_RATIO = 100
ALWAYS_BYTES = 16 << 20
MAX_FILE_BYTES = 17 << 20  # a dashboard of 16 MiB, and what is around it
MAX_FILES = 50_000
MAX_HEADER_BYTES = 8192
FILE_TYPES, EXTENDED = (b"0", b"\0"), b"x"
PLAIN_KEYS = frozenset({"path", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname"})


class ArchiveError(ValueError):
    """What is wrong with an archive, in one line."""


def read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file; raises ArchiveError and OSError."""
    try:
        with Bounded(path) as stream:
            yield from _members(stream)
            while stream.read(1 << 16):  # to the end, where gzip has its checksum
                pass
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        reason = "not gzipped, or damaged" if isinstance(error, gzip.BadGzipFile) else error
        raise ArchiveError(f"it is not a whole gzipped tar: {reason}") from error


class Bounded(gzip.GzipFile):
    """A stream that ends with an error where a small archive would become a huge one."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.limit = min(MAX_BYTES, max(ALWAYS_BYTES, MAX_RATIO * path.stat().st_size))
        self.left = self.limit

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= self.left:
            raise ArchiveError(f"it is too large: it unpacks to more than {self.limit >> 20} MiB")
        content = super().read(size)
        self.left -= len(content)
        return content

    def exactly(self, size: int) -> bytes:
        """The content of a member, without what fills its last block."""
        content = self.read(-(-size // BLOCK) * BLOCK)
        if len(content) < size:
            raise ArchiveError("it is not a whole gzipped tar: it is cut off")
        return content[:size]


def _members(stream: Bounded) -> Iterator[tuple[str, bytes]]:
    long_name = ""
    count = 0
    while header := stream.read(BLOCK):
        if not any(header):
            return
        name, size, kind = _read_header(header)
        if kind == EXTENDED:
            if size > MAX_HEADER_BYTES:
                raise ArchiveError(f"it is too large: the header of a file has {size} bytes")
            long_name = _read_extended(stream.exactly(size))
            continue
        name, long_name = long_name or name, ""
        if kind not in FILE_TYPES:
            raise ArchiveError(f"it holds {name[:100]!r}, which is not a file")
        count += 1
        if size > MAX_FILE_BYTES or count > MAX_FILES:
            raise ArchiveError(f"it is too large: at {name[:100]!r}")
        yield name, stream.exactly(size)


def _read_header(header: bytes) -> tuple[str, int, bytes]:
    """Name, size and type of a member."""
    checksum = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    if len(header) < BLOCK or _octal(header[148:156]) != checksum:
        raise ArchiveError("it is not a whole gzipped tar: a header is damaged")
    name, prefix = _text(header[:100]), _text(header[345:500])
    if header[257:263] == b"ustar\0" and prefix:
        name = f"{prefix}/{name}"
    return name, _octal(header[124:136]), header[156:157]


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]{0,12}", digits):
        raise ArchiveError("it is not a whole gzipped tar: a header is damaged")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _read_extended(content: bytes) -> str:
    """The name in an extended header: lines of the form "LENGTH KEY=VALUE"."""
    name = ""
    while content:
        length, space, _ = content.partition(b" ")
        if not space or not re.fullmatch(rb"[0-9]{1,5}", length) or not len(length) + 1 < int(length) <= len(content):
            raise ArchiveError("it is not a whole gzipped tar: a header is damaged")
        key, _, value = content[len(length) + 1 : int(length)].rstrip(b"\n").partition(b"=")
        content = content[int(length) :]
        if key.decode("utf-8", "replace") not in PLAIN_KEYS:
            raise ArchiveError(f"it holds an extended header with {key[:100].decode('utf-8', 'replace')!r}")
        name = value.decode("utf-8", "replace") if key == b"path" else name
    return name
