# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configurations that the charts render, read by the very programs that they are for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.unit.rendering import ROOT, merged, objects, render, values_files

CASES = [
    pytest.param("loki", "config.yaml", ["-verify-config", "-config.file={}"], id="loki"),
    pytest.param("tempo", "tempo.yaml", ["-config.verify=true", "-config.file={}"], id="tempo"),
    pytest.param("alloy", "config.alloy", ["validate", "{}"], id="alloy"),
]


def program(name: str) -> str:
    own = ROOT / ".lab" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if not found:
        pytest.fail(f"needs the program {name}: run `make lab-build`")
    return found


def read(component: str, key: str, argv: list[str], values: dict[str, object], folder: Path) -> tuple[int, str]:
    """(exit code, what it said) of the program that reads the rendered text."""
    (text,) = [
        found["data"][key]
        for found in objects(render(component, values))
        if found["kind"] == "ConfigMap" and key in found["data"]
    ]
    file = folder / key
    file.write_text(text)
    done = subprocess.run(
        [program(component), *(word.format(file) for word in argv)],
        env={**os.environ, "HOSTNAME": "node", "LOKI_URL": "http://loki:3100/loki/api/v1/push", "CLUSTER_NAME": "lab"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("lab", [False, True], ids=["production", "lab"])
@pytest.mark.parametrize(("component", "key", "argv"), CASES)
def test_the_program_accepts_its_configuration(
    tmp_path: Path, component: str, key: str, argv: list[str], lab: bool
) -> None:
    code, said = read(component, key, argv, merged(values_files(component, lab=lab)), tmp_path)
    assert code == 0, said


@pytest.mark.parametrize(
    ("component", "key", "argv", "wrong"),
    [
        ("loki", "config.yaml", CASES[0].values[2], {"loki": {"limits_config": {"enforce_metric_name": True}}}),
        ("tempo", "tempo.yaml", CASES[1].values[2], {"tempo": {"metricsGenerator": {"processor": {"nonsense": {}}}}}),
        ("alloy", "config.alloy", CASES[2].values[2], {"alloy": {"configMap": {"content": "nonsense {}"}}}),
    ],
    ids=["loki", "tempo", "alloy"],
)
def test_it_refuses_a_wrong_one(
    tmp_path: Path, component: str, key: str, argv: list[str], wrong: dict[str, object]
) -> None:
    overlay = tmp_path / "wrong.yaml"
    overlay.write_text(yaml.safe_dump(wrong))
    code, said = read(component, key, argv, merged([*values_files(component), overlay]), tmp_path)
    assert code != 0, said
