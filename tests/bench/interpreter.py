# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python runs a module: how it was built is up to a third of what a module takes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ansible

from tests.bench.measure import ROOT

SYSTEM = "/usr/bin/python3"
"""What Ansible's discovery takes on a host."""
_FITS = "import sys, yaml; sys.exit(sys.version_info < (3, 11) or not yaml.__with_libyaml__)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`environment` is what it needs beside the one that every benchmark has."""

    program: str
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)


def this() -> Interpreter:
    """The one that runs the benchmarks, as the playbook's own runs the modules in this project's inventories."""
    return Interpreter(sys.executable, f"Python {platform.python_version()} of the virtual environment")


def system(folder: Path) -> Interpreter | None:
    """The host's own, with Ansible's module code and nothing else of the environment; None where it has no PyYAML."""
    if not Path(SYSTEM).exists():
        return None
    if subprocess.run([SYSTEM, "-c", _FITS], capture_output=True, check=False, env=_clean()).returncode:
        return None
    told = subprocess.run([SYSTEM, "-V"], capture_output=True, check=True, text=True).stdout.strip()
    (folder / "ansible").symlink_to(Path(ansible.__file__).parent)
    return Interpreter(SYSTEM, f"{told} of the system", {"PYTHONPATH": f"{ROOT / 'collections'}:{folder}"})


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
