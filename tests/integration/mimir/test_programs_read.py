# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mimir reads the configuration that the chart renders, each of its programs with the flags that it is started with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.lab import toolchain
from tests.lab.state import run
from tests.unit.rendering import Object, merged, objects, program, render, values_files

NO_CACHES: Object = {f"{name}-cache": {"enabled": False} for name in ("chunks", "index", "metadata", "results")}
PROGRAMS = (
    "distributor",
    "querier",
    "query-frontend",
    "query-scheduler",
    "ingester",
    "store-gateway",
    "compactor",
)


MODULE = "github.com/grafana/mimir"


@pytest.fixture(scope="module")
def real_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real chart of the version that Mimir's Go module has, without the subcharts that our values leave out."""
    folder = tmp_path_factory.mktemp("real") / "mimir-distributed"
    found = run(["go", "mod", "download", "-json", MODULE], cwd=toolchain.load()["mimir"].folder)
    source = Path(json.loads(found)["Dir"]) / "operations" / "helm" / "charts" / "mimir-distributed"
    folder.mkdir()
    for path in source.rglob("*"):
        if path.is_file() and path.name != "Chart.lock":
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    chart = yaml.safe_load((source / "Chart.yaml").read_text())
    del chart["dependencies"]
    (folder / "Chart.yaml").write_text(yaml.safe_dump(chart))
    return folder


def values(profile: str, *, lab: bool = False) -> Object:
    return merged(values_files("mimir", profile, lab=lab)) | (NO_CACHES if profile == "ha" else {})


def start(name: str, rendered: str, folder: Path) -> str:
    """What the program says when it is started as its container starts it, and ends after it has read everything."""
    made = {(one["kind"], one["metadata"]["name"]): one for one in objects(rendered)}
    file = folder / "mimir.yaml"
    file.write_text(made["ConfigMap", "mimir-config"]["data"]["mimir.yaml"])
    (pod,) = (
        one["spec"]["template"]["spec"]
        for (_kind, found), one in made.items()
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
    assert start(name, render("mimir", values(profile, lab=lab)), tmp_path) == ""


@pytest.mark.parametrize("profile", ["small", "ha"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_and_that_of_the_real_chart(tmp_path: Path, name: str, profile: str, real_chart: Path) -> None:
    rendered = render("mimir", merged(values_files("mimir", profile)), chart=real_chart)
    assert start(name, rendered, tmp_path) == ""


def test_it_refuses_a_wrong_one(tmp_path: Path) -> None:
    wanted = values("small")
    wanted["mimir"]["structuredConfig"]["limits"]["nonsense"] = 1
    assert "field nonsense not found" in start("ingester", render("mimir", wanted), tmp_path)
