# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab runs other versions than the charts ask for: each program must still know the flags it is started with."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.lab.chart_images import COMPONENTS
from tests.unit.rendering import ROOT, merged, objects, render, values_files

# RecordedRequest for their help as their containers start them.
PROGRAMS = {
    "alloy": ["alloy", "run"],
    "kube-state-metrics": ["kube-state-metrics"],
    "loki": ["loki"],
    "node-exporter": ["node_exporter"],
    "prometheus-operator": ["prometheus-operator"],
    "tempo": ["tempo"],
}


def started() -> dict[str, list[str]]:
    """The flags of each container of the lab's stack that has any, by the image's last name."""
    pods = [
        made["spec"]["template"]["spec"]
        for component in COMPONENTS
        for made in objects(render(component, merged(values_files(component, lab=True))))
        if "template" in made.get("spec", {})
    ]
    return {
        container["image"].rpartition(":")[0].rpartition("/")[2]: [flag for flag in container["args"] if flag[0] == "-"]
        for pod in pods
        for container in pod["containers"]
        if container.get("args")
    }


@pytest.fixture(scope="module")
def flags() -> dict[str, list[str]]:
    return started()


def test_every_container_with_flags_is_checked(flags: dict[str, list[str]]) -> None:
    assert set(flags) == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_knows_its_flags(name: str, flags: dict[str, list[str]]) -> None:
    file, *command = PROGRAMS[name]
    binary = ROOT / ".lab" / "bin" / file
    if not binary.exists():
        pytest.fail(f"needs the program {file}: run `make lab-build`")
    done = subprocess.run([str(binary), *command, "--help"], capture_output=True, text=True, timeout=60, check=False)
    known = set(re.findall(r"^ +(?:-\w, )?--?(?:\[no-\])?([a-z][\w.-]+)", done.stdout + done.stderr, re.MULTILINE))
    assert [flag for flag in flags[name] if flag.lstrip("-").partition("=")[0] not in known] == []
