# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts that the lab deploys: real ones from a folder, or where none can be pulled stand-ins of our own.

`.lab/charts/<chart>` is where the lab's inventory looks; without that folder it takes the contracts' pins. The
stand-ins' custom resource definitions come from the operator's own module, of the version that really runs.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import chart_images, toolchain
from tests.lab.mode import Mode
from tests.lab.state import LAB, STATE, LabError, run

STAND_INS = LAB / "charts"
PLACE = STATE / "charts"
NAMES = tuple(chart_images.COMPONENTS.values())
ON_DEMAND = tuple(chart_images.ON_DEMAND.values())
OPERATOR = "github.com/prometheus-operator/prometheus-operator"


def definitions() -> Path:
    """The folder of the operator's custom resource definitions, in Go's module cache."""
    tool = toolchain.load()["prometheus-operator"]
    found = run(["go", "mod", "download", "-json", OPERATOR], cwd=tool.folder)
    for line in found.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == '"Dir"':
            return Path(value.strip('",')) / "example" / "prometheus-operator-crd"
    raise LabError(f"Go does not say where module {OPERATOR} is:\n{found}")


def assemble(mode: Mode, real: Path | None) -> None:
    """Make `.lab/charts` anew: from `real` (unpacked charts), else offline from the stand-ins."""
    if real:
        missing = [name for name in NAMES if not (real / name / "Chart.yaml").is_file()]
        if missing:
            raise LabError(f"CHARTS={real} has no unpacked chart {', '.join(missing)}; it needs {', '.join(NAMES)}")
    shutil.rmtree(PLACE, ignore_errors=True)
    if mode == "online" and not real:
        return
    for name in (*NAMES, *ON_DEMAND):
        source = (
            real if real and (real / name).is_dir() else STAND_INS
        )  # nobody needs the real one of what is on demand
        shutil.copytree(source / name, PLACE / name)
    if not real:
        crds = PLACE / "kube-prometheus-stack" / "crds"
        crds.mkdir()
        for source in sorted(definitions().glob("*.yaml")):
            (crds / source.name).write_bytes(source.read_bytes())
