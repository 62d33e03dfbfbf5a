# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each module takes before it does anything: CPU time and memory of its import, against Ansible's own part."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import MODULES, ROOT, Figure, run

ROUNDS = 3
ANSIBLE = "ansible.module_utils.basic"
CLIENT = f"{MODULES.removesuffix('modules')}module_utils._kube.client"
LARGE = ("kubernetes", "urllib3", "yaml")
"""What modules may import beside Python's and Ansible's own code."""
_PROGRAM = f"""import importlib, json, sys, time
importlib.import_module(sys.argv[1])
seconds = time.process_time()
from tests.bench.measure import own_peak_memory
large = [name for name in {LARGE} if name in sys.modules]
print(json.dumps({{"seconds": seconds, "memory_mib": own_peak_memory(), "large": large}}))"""


@dataclass(frozen=True, slots=True)
class Import:
    """CPU seconds with the interpreter's start, the process' peak memory, and what is large in it."""

    seconds: float
    memory_mib: float
    large: tuple[str, ...]


def figures(_folder: Path) -> Iterator[Figure]:
    names = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")
    base = imported(ANSIBLE)
    for name in names:
        yield _figure(f"import of {name}", imported(f"{MODULES}.{name}"), base)
    yield _figure("the Kubernetes client, where a run connects to a cluster", imported(CLIENT), base)


def _figure(what: str, ours: Import, base: Import) -> Figure:
    bound = ", ".join(["Python and Ansible's module code", *ours.large, "its own code"])
    return Figure(what, ANSIBLE, ours.seconds, base.seconds, None, bound, memory_mib=ours.memory_mib)


def imported(name: str) -> Import:
    """The fastest of a few; the first one leaves the bytecode for the others."""
    told = [json.loads(run([sys.executable, "-c", _PROGRAM, name]).said) for _ in range(ROUNDS)]
    best = min(told, key=lambda one: float(one["seconds"]))
    return Import(best["seconds"], best["memory_mib"], tuple(best["large"]))
