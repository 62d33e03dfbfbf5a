# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a backup, read within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .._tar import ArchiveError, Budget, members

MAX_BYTES = 256 << 20  # unpacked
MAX_RATIO = 100
ALWAYS_BYTES = 16 << 20
MAX_FILE_BYTES = 17 << 20  # a dashboard of 16 MiB, and what is around it
MAX_FILES = 50_000


def read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file; ArchiveError where there is anything else, OSError."""
    limit = min(MAX_BYTES, max(ALWAYS_BYTES, MAX_RATIO * path.stat().st_size))
    with path.open("rb") as packed:
        for member in members(packed, Budget(limit, MAX_FILES), strict=True):
            if member.size > MAX_FILE_BYTES:
                raise ArchiveError(f"it is too large: at {member.name[:100]!r}")
            yield member.name, member.content.read()
