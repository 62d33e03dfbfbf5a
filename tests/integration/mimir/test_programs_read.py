# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mimir reads the configuration that the chart renders, each of its programs with the flags that it is started with."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.rendering import merged, objects, program, render, values_files

NO_CACHES: dict[str, Any] = {f"{name}-cache": {"enabled": False} for name in ("chunks", "index", "metadata", "results")}
PROGRAMS = (
    "distributor",
    "querier",
    "query-frontend",
    "query-scheduler",
    "ingester",
    "store-gateway",
    "compactor",
)


def values(profile: str, *, lab: bool = False, **changes: Any) -> dict[str, Any]:
    return merged(values_files("mimir", profile, lab=lab)) | NO_CACHES | changes


def start(name: str, wanted: dict[str, Any], folder: Path) -> str:
    """What the program says when it is started as its container starts it, and ends after it has read everything."""
    made = {(one["kind"], one["metadata"]["name"]): one for one in objects(render("mimir", wanted))}
    file = folder / "mimir.yaml"
    file.write_text(made["ConfigMap", "mimir-config"]["data"]["mimir.yaml"])
    (pod,) = (
        one["spec"]["template"]["spec"]
        for (_, found), one in made.items()
        if found == f"mimir-{name}" and "template" in one["spec"]
    )
    flags = [flag.replace("/etc/mimir/mimir.yaml", str(file)) for flag in pod["containers"][0]["args"]]
    done = subprocess.run(
        [program("mimir"), *flags, "-modules"], capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(("profile", "lab"), [("small", False), ("small", True), ("ha", False)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_accepts_its_configuration(tmp_path: Path, name: str, profile: str, lab: bool) -> None:
    assert start(name, values(profile, lab=lab), tmp_path) == ""


def test_it_refuses_a_wrong_one(tmp_path: Path) -> None:
    wanted = values("small")
    wanted["mimir"]["structuredConfig"]["limits"]["nonsense"] = 1
    assert "field nonsense not found" in start("ingester", wanted, tmp_path)
