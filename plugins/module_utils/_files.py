# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a user names, read with bounds: no pipe or device is waited for, nothing huge is taken in. And written."""

from __future__ import annotations

import stat
from pathlib import Path

MAX_BYTES = 16 << 20


class UnreadableError(ValueError):
    """The file is not read. `reason` is one of too-large, encoding, unreadable; `hint` says what to do."""

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.hint = hint


def read_text(path: Path) -> str:
    """The UTF-8 text, without a byte order mark. UnreadableError for everything else."""
    try:
        content = _content(path)
    except OSError as error:
        raise UnreadableError("unreadable", error.strerror or str(error), "check the path") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not a UTF-8 text: byte {error.start + 1} is 0x{error.object[error.start]:02x}"
        raise UnreadableError("encoding", message, "save the file as UTF-8; is it a text at all?") from error


def write_text(path: Path, text: str, *, dry_run: bool) -> bool:
    """Whether the file holds something else, which is put right unless `dry_run`; its folder is made. OSError."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    if not dry_run:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return True


def check_regular(path: Path) -> int:
    """The size in bytes. UnreadableError where there is no plain file, OSError where nothing is to be found."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise UnreadableError("unreadable", "it is a folder", "give the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("unreadable", "it is a pipe or a device, not a file", "save its content as a file")
    return found.st_size


def _content(path: Path) -> bytes:
    if (size := check_regular(path)) <= MAX_BYTES:
        with path.open("rb") as file:
            content = file.read(size + 1)  # no room for the largest file each time
            if len(content) > size:  # it has grown, or does not tell its size
                content += file.read(MAX_BYTES + 1 - len(content))
        if len(content) <= MAX_BYTES:
            return content
    raise UnreadableError("too-large", f"the file has more than {MAX_BYTES >> 20} MiB", "split it")
