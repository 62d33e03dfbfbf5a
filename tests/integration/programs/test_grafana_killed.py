# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed between two of its writes: the next one does the rest, and nothing is there twice."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.grafana import SLACK_URL, fill
from tests.fakes.module import run_module
from tests.lab.grafana.faults import Fault, Faults, Kind
from tests.lab.grafana.testing import Double, running_double

PACKAGE = "ansible_collections.ias.observability.plugins.modules"
PROGRAM = """
import importlib, json, sys
from tests.fakes.module import run_module
run_module(importlib.import_module(sys.argv[1]), **json.loads(sys.argv[2]))
"""
KINDS = ("folders", "datasources", "contact-points", "dashboards")
PATIENCE = 30.0


@dataclass
class Watched(Faults):
    """Tells when the first fault strikes."""

    struck: threading.Event = field(default_factory=threading.Event)

    def strikes(self, method: str, path: str) -> Fault | None:
        fault = Faults.strikes(self, method, path)
        if fault:
            self.struck.set()
        return fault


def access(double: Double) -> dict[str, str]:
    return {"url": double.url, "username": double.user, "password": double.password}


def held(double: Double) -> list[tuple[str, str]]:
    return [
        (kind, str(one.spec.get("title") or one.spec.get("name")))
        for kind in KINDS
        for one in double.store.all_of(kind)
    ]


def dashboards(folder: Path, version: str) -> tuple[str, dict[str, Any]]:
    src = folder / "src"
    src.mkdir()
    for number in range(12):
        spec = {"uid": f"d-{number}", "title": f"Title {number}", "schemaVersion": 39, "panels": []}
        (src / f"d-{number}.json").write_text(json.dumps(spec))
    return "grafana_dashboards", {"src": str(src), "folder": "IAS Platform"}


def archive(folder: Path, version: str) -> tuple[str, dict[str, Any]]:
    with running_double(version=version) as double:
        fill(double, nested=not version.startswith("9"))
        taken = run_module(
            importlib.import_module(f"{PACKAGE}.grafana_backup"), grafana=access(double), dest=str(folder)
        )
    return "grafana_restore", {"src": taken["path"], "secrets": {"contact_points": {"slack": {"url": SLACK_URL}}}}


@pytest.mark.parametrize("version", ["13.2.0", "9.5.21"])
@pytest.mark.parametrize("applied", [True, False], ids=["carried out", "not carried out"])
@pytest.mark.parametrize("prepare", [dashboards, archive])
def test_killed(prepare: Any, applied: bool, version: str, tmp_path: Path) -> None:
    name, args = prepare(tmp_path, version)
    faults = Watched([Fault(Kind.HANG, nth=4, times=10_000, applied=applied)])
    with running_double(version=version, faults=faults) as double:
        given = {**args, "grafana": access(double)}
        command = [sys.executable, "-c", PROGRAM, f"{PACKAGE}.{name}", json.dumps(given)]
        with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as child:
            assert faults.struck.wait(PATIENCE)
            child.kill()
        assert child.returncode == -signal.SIGKILL
        before = set(held(double))
        faults.script = ()
        module = importlib.import_module(f"{PACKAGE}.{name}")
        again = run_module(module, **given)
        assert (again["changed"], again.get("msg")) == (True, None)
        there = held(double)
        assert len(there) == len(set(there))
        assert set() < before < set(there)
        assert run_module(module, **given)["changed"] is False
        assert held(double) == there
