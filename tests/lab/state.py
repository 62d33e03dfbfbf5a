# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps things, and how it runs commands."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab"
STATE = ROOT / ".lab"
KUBECONFIG = STATE / "kubeconfig"
CLUSTER = "ias-lab"


class LabError(Exception):
    """The lab cannot go on; the message says what failed, why, and what to do."""


def cache() -> Path:
    """What is built once per machine and shared by the user's clones."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ias-observability"


def digest(*parts: str | bytes) -> str:
    """Short key of what something is built from."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"\0")
    return whole.hexdigest()[:16]


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path = ROOT,
) -> str:
    """Output of a command. A failure is a LabError with the command's last words."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, cwd=cwd, env={**os.environ, **(env or {})}, input=stdin, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise LabError(f"{words[0]} is not installed or not on PATH") from None
    if done.returncode:
        tail = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-12:])
        raise LabError(f"`{' '.join(words[:4])} ...` failed:\n{tail}")
    return done.stdout


def succeeds(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> bool:
    try:
        run(argv, env=env)
    except LabError:
        return False
    return True
