# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's values against the real charts' keys: a key that a chart does not know is ignored without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.rendering import ALL, CONTRACTS, ROOT, leaves, merged, values_files
from tools import yaml_text
from tools.contracts.values import dotted, known

VARIANTS = [
    pytest.param(component, profile, lab, id=f"{component}-{profile}{'-lab' if lab else ''}")
    for component in ALL
    for profile, lab in (("small", False), ("small", True), ("ha", False))
]


@pytest.fixture(scope="session")
def pins() -> dict[str, Any]:
    charts: dict[str, Any] = yaml_text.load((CONTRACTS / "charts.yaml").read_text())["charts"]
    return charts


@pytest.mark.parametrize(("component", "profile", "lab"), VARIANTS)
def test_the_real_chart_knows_every_key(
    shared: Path, pins: dict[str, Any], component: str, profile: str, lab: bool
) -> None:
    pin = pins[component]
    keys = json.loads((shared / "charts" / f"{pin['chart']}-{pin['version']}.json").read_text())["keys"]
    values = merged(values_files(component, profile, mimir=True, lab=lab))
    assert [path for path in map(dotted, leaves(values)) if not known(keys, path)] == []


@pytest.mark.parametrize("component", ALL)
def test_the_stand_in_has_the_pinned_version(pins: dict[str, Any], component: str) -> None:
    pin = pins[component]
    chart = yaml_text.load((ROOT / "tests" / "lab" / "charts" / pin["chart"] / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (pin["version"], pin["app_version"])
