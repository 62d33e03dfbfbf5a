# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a benchmark measures: whole processes that take turns, and the fastest round of each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import toolchain

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("IAS_SHARED") or ROOT.parent / "shared")
MEMORY_GOAL_MIB = 60
# Python's own default, whatever is set here: what has been imported once is not compiled again.
_BYTECODE = tempfile.TemporaryDirectory(prefix="bench-bytecode-")
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT / "collections"),
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": _BYTECODE.name,
}
MODULES = "ansible_collections.ias.observability.plugins.modules"


@dataclass(frozen=True, slots=True)
class Ran:
    """One process: wall seconds, and what it said."""

    seconds: float
    status: int
    said: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. ``goal`` is a ratio: of our time to theirs (at most), or of theirs to ours (at least) when ``faster``;
    None where the figure is only told.

    ``bound`` says what the time is spent on, ``memory_mib`` what our process takes at most, where that was measured.
    """

    what: str
    against: str
    ours: float
    theirs: float
    goal: float | None
    bound: str
    faster: bool = False
    memory_mib: float | None = None
    memory_goal_mib: float = MEMORY_GOAL_MIB
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours if self.faster else self.ours / self.theirs

    @property
    def met(self) -> bool:
        if self.memory_mib is not None and self.memory_mib > self.memory_goal_mib:
            return False
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.faster else self.ratio <= self.goal

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "against": self.against,
            "ours_seconds": round(self.ours, 5),
            "theirs_seconds": round(self.theirs, 5),
            "ratio": round(self.ratio, 2),
            "ratio_is": "theirs/ours" if self.faster else "ours/theirs",
            "goal": self.goal,
            "met": self.met,
            "bound": self.bound,
            **({} if self.memory_mib is None else {"memory_mib": round(self.memory_mib, 1)}),
            **self.details,
        }

    def as_row(self) -> str:
        """A line of the table in docs/performance.md."""
        factor = f"{self.ratio:.1f} x faster" if self.faster else f"{self.ratio:.2f} x"
        goal = "" if self.goal is None else f"≥ {self.goal:g} x faster" if self.faster else f"≤ {self.goal:g} x"
        memory = "" if self.memory_mib is None else f"{self.memory_mib:.0f} MiB"
        cells = (self.what, self.against, _shown(self.ours), _shown(self.theirs), factor, goal, memory, self.bound)
        return f"| {' | '.join(cells)} |"


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


class UnmeasurableError(Exception):
    """What is missing for a benchmark, in one line."""


def run(command: Sequence[str], text: str = "", **environment: str) -> Ran:
    """Raises UnmeasurableError where it says nothing at all: then it did not do the work."""
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as said,
        tempfile.TemporaryFile("w+") as bad,
    ):
        given.write(text)
        given.seek(0)
        start = time.perf_counter()
        done = subprocess.run(
            command,
            stdin=given,
            stdout=said,
            stderr=bad,
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, **environment},
            check=False,
        )
        seconds = time.perf_counter() - start
        said.seek(0)
        output = said.read()
        if not output:
            bad.seek(0)
            raise UnmeasurableError(f"{command[0]} said nothing: {bad.read()[-500:]}")
    return Ran(seconds, done.returncode, output)


def module(name: str, python: str = sys.executable) -> list[str]:
    """The module as Ansible starts it; it reads its arguments from its standard input."""
    return [python, "-m", f"{MODULES}.{name}"]


def own_peak_memory() -> float:
    """MiB that this process has taken at most."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def peak_memory(name: str, text: str, python: str = sys.executable, **environment: str) -> float:
    """MiB that a module's process has taken at most, as it reads of itself.

    Its resource usage would not tell: to the kernel a child has once been as large as the parent that it came from.
    """
    program = f"""import re, runpy, sys
sys.argv = ["{name}"]
try:
    runpy.run_module("{MODULES}.{name}", run_name="__main__", alter_sys=True)
except SystemExit:
    pass
print("\\n" + re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])"""
    return int(run([python, "-c", program], text, **environment).said.splitlines()[-1]) / 1024


def pint() -> str:
    """The program that the variable PINT names, or that is on PATH: it is no part of the toolchain."""
    binary = shutil.which(os.environ.get("PINT") or "pint")
    if binary is None:
        raise UnmeasurableError("pint is not on PATH: build github.com/cloudflare/pint, and set PINT to the program")
    return binary


def promtool() -> str:
    """The program that the tests have built; nothing is built here."""
    binary = toolchain.cache() / f"promtool-{toolchain.load()['promtool'].key}"
    if not binary.exists():
        raise UnmeasurableError("promtool is not in the cache: make unit builds it")
    return str(binary)
