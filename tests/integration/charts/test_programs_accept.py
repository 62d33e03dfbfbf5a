# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the charts render is what the real programs take: their configurations, and the flags they are started with."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rendering import COMPONENTS, ROOT, Object, merged, objects, render, values_files

BINARIES = ROOT / ".lab" / "bin"
# The program that an image starts, where the image does not say so by its own name.
PROGRAMS = {"node-exporter": "node_exporter"}


def program(name: str) -> str:
    path = BINARIES / name
    if not path.exists():
        message = f"{name} is not built: run `make lab-build`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return str(path)


def rendered(component: str, *, lab: bool) -> list[Object]:
    return objects(render(component, merged(values_files(component, lab=lab))))


def config(component: str, key: str, folder: Path, *, lab: bool) -> Path:
    """The file of a component's own config map, written out."""
    (data,) = (
        found["data"]
        for found in rendered(component, lab=lab)
        if found["kind"] == "ConfigMap" and found["metadata"]["name"] == component
    )
    file = folder / key
    file.write_text(data[key])
    return file


@pytest.mark.parametrize("lab", [False, True], ids=["small", "lab"])
@pytest.mark.parametrize(
    ("component", "key", "check"),
    [
        ("loki", "config.yaml", ["-verify-config", "-config.file"]),
        ("tempo", "tempo.yaml", ["-config.verify=true", "-config.file"]),
        ("alloy", "config.alloy", ["validate"]),
    ],
)
def test_the_program_accepts_its_configuration(
    tmp_path: Path, component: str, key: str, check: list[str], *, lab: bool
) -> None:
    argv = [program(component), *check, str(config(component, key, tmp_path, lab=lab))]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("component", "key", "check", "spoil"),
    [
        ("loki", "config.yaml", ["-verify-config", "-config.file"], ("retention_period", "retention_perod")),
        ("tempo", "tempo.yaml", ["-config.verify=true", "-config.file"], ("block_retention", "block_retntion")),
        ("alloy", "config.alloy", ["validate"], ("loki.process.pods.receiver", "loki.process.podz.receiver")),
    ],
)
def test_the_program_refuses_a_wrong_key(
    tmp_path: Path, component: str, key: str, check: list[str], spoil: tuple[str, str]
) -> None:
    file = config(component, key, tmp_path, lab=True)
    assert spoil[0] in file.read_text()
    file.write_text(file.read_text().replace(*spoil))
    argv = [program(component), *check, str(file)]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0


def containers() -> Iterator[tuple[str, list[str]]]:
    """Program and flags of each container of the lab's stack."""
    for component in COMPONENTS:
        for made in rendered(component, lab=True):
            pod = made.get("spec", {}).get("template", {}).get("spec", {}) if "spec" in made else {}
            for container in pod.get("containers", []):
                image = container["image"].rpartition(":")[0].rpartition("/")[2]
                yield PROGRAMS.get(image, image), [flag for flag in container.get("args", []) if flag.startswith("-")]


def known_flags(name: str) -> set[str]:
    """The long flags that a program's help lists. Alloy's are those of its command `run`."""
    argv = [program(name), *(["run"] if name == "alloy" else []), "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    text = done.stdout + done.stderr
    return set(re.findall(r"--?((?:\[no-\])?[a-z][\w.-]+)", text)) | set(re.findall(r"--\[no-\]([\w.-]+)", text))


def test_the_program_knows_every_flag() -> None:
    started = [(name, flags) for name, flags in containers() if flags]
    assert {"prometheus-operator", "kube-state-metrics", "node_exporter", "loki", "tempo", "alloy"} <= dict(
        started
    ).keys()
    unknown = [
        f"{name}: {flag}"
        for name, flags in started
        if (BINARIES / name).exists() or program(name)
        for flag in flags
        if flag.lstrip("-").partition("=")[0] not in known_flags(name)
    ]
    assert unknown == []
