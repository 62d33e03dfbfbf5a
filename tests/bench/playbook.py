# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play on localhost, run by ansible-playbook from this checkout."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.bench.measure import ROOT, Ran, UnmeasurableError, run


def play(folder: Path, tasks: Sequence[Mapping[str, Any]]) -> Ran:
    """Raises UnmeasurableError where a task failed."""
    book = [{"name": "Bench", "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": list(tasks)}]
    path = folder / "play.yaml"
    path.write_text(yaml.safe_dump(book, sort_keys=False), encoding="utf-8")
    program = str(Path(sys.executable).parent / "ansible-playbook")
    environment = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    ran = run([program, "-i", "localhost,", str(path)], **environment)
    if ran.status:
        raise UnmeasurableError(f"the play failed: {ran.said[-800:]}")
    return ran
