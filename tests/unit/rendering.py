# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the lab's charts with the project's values, as Helm does."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._values.merge import load, merge
from tests.lab.chart_images import ALL

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
CHARTS = ROOT / "tests" / "lab" / "charts"
NAMESPACE = "ias-system"

Object = dict[str, Any]
Path_ = tuple[str | int, ...]


def program(name: str) -> str:
    """One of the lab's programs, or the one on PATH. A test that needs it fails without: it is never left out."""
    own = ROOT / ".lab" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        pytest.fail(f"this test needs {name}: run `make lab-build`, or put it on PATH")
    return found


def helm() -> str:
    return program("helm")


def values_files(component: str, profile: str = "small", *, mimir: bool = False, lab: bool = False) -> list[Path]:
    base = CONTRACTS / "helm-values"
    files = [base / f"{component}.yaml", base / "profiles" / profile / f"{component}.yaml"]
    if mimir and component == "prometheus":
        files.append(base / "with-mimir" / "prometheus.yaml")
    return [*files, ROOT / "tests" / "lab" / "values" / f"{component}.yaml"] if lab else files


def merged(files: list[Path]) -> Object:
    """Values files laid upon each other, as Helm lays them."""
    return functools.reduce(merge, (load(str(file)) for file in files), {})


def render(component: str, values: Object, namespace: str = NAMESPACE, chart: Path | None = None) -> str:
    """The text that `helm template` makes of these values and a chart, by default the stand-in."""
    chart = chart or CHARTS / ALL[component]
    done = subprocess.run(
        [helm(), "template", component, str(chart), "--namespace", namespace, "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout


def objects(text: str) -> list[Object]:
    return [found for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found]


def claims(made: Object) -> list[Object]:
    """The claims of a workload, a claim itself, or an operator's object, as the records write them."""
    kind, spec = made["kind"], made["spec"]
    if kind == "PersistentVolumeClaim":
        found = [(made["metadata"]["name"], spec)]
    elif kind in ("Prometheus", "Alertmanager"):
        found = [(None, spec["storage"]["volumeClaimTemplate"]["spec"])] if "storage" in spec else []
    else:
        found = [(claim["metadata"]["name"], claim["spec"]) for claim in spec.get("volumeClaimTemplates", [])]
    return [
        {"name": name, "size": claim["resources"]["requests"]["storage"], "storageClass": claim.get("storageClassName")}
        for name, claim in found
    ]


def leaves(values: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The paths of all values that are not mappings with something in them."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    else:
        yield path
