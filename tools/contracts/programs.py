# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that have the last word: promtool, amtool. The lab's own build, or the one on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".lab" / "bin"


# `FILE: 1:45: what is wrong`, or `line 3: what is wrong`, as libraries for YAML say it.
_PLACE = re.compile(r"^(?:\S+: (?P<place>\d+:\d+): |.*\bline (?P<line>\d+): )")


class MissingProgramError(Exception):
    """A program was not found; the message says what to do."""


def run(name: str, *arguments: str, cwd: Path = ROOT) -> tuple[int, str]:
    """(exit code, its output). Raises MissingProgramError."""
    program = shutil.which(name, path=f"{BIN}:{os.environ.get('PATH', '')}")
    if program is None:
        raise MissingProgramError(f"{name} was not found; run python -m tests.lab.toolchain {name}")
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, f"{done.stdout}{done.stderr}".strip()


def places(output: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(place in the file of these lines, what is wrong there): as the output says it.

    Where it names no place, all of the output, at the first line that holds a word which it quotes.
    """
    matches = [(line, _PLACE.match(line)) for line in dict.fromkeys(output.splitlines())]
    located = [(found["place"] or found["line"], line[found.end() :]) for line, found in matches if found]
    if located:
        yield from located
        return
    quoted = [word for word in re.findall(r'"([^"]*)"', output) if len(word) > 1]
    yield next((str(at) for word in quoted for at, line in enumerate(lines, 1) if word in line), "1"), output
