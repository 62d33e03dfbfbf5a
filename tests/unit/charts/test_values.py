# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's values against the real charts' keys: a key that a chart does not know is ignored without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.rendering import COMPONENTS, CONTRACTS, ROOT, dotted, leaves, merged, values_files

VARIANTS = [
    pytest.param(component, profile, lab, id=f"{component}-{profile}{'-lab' if lab else ''}")
    for component in COMPONENTS
    for profile, lab in (("small", False), ("small", True), ("ha", False))
]


def known(keys: dict[str, Any], path: str) -> bool:
    """Whether the chart reads the path: listed, or below something that takes anything."""
    if path in keys:
        return not keys[path].get("unread", False)
    parts = path.split(".")
    return any(keys.get(".".join(parts[:end]), {}).get("open") for end in range(1, len(parts)))


@pytest.fixture(scope="session")
def pins() -> dict[str, Any]:
    charts: dict[str, Any] = yaml.safe_load((CONTRACTS / "charts.yaml").read_text())["charts"]
    return charts


@pytest.mark.parametrize(("component", "profile", "lab"), VARIANTS)
def test_the_real_chart_knows_every_key(
    shared: Path, pins: dict[str, Any], component: str, profile: str, lab: bool
) -> None:
    pin = pins[component]
    keys = json.loads((shared / "charts" / f"{pin['chart']}-{pin['version']}.json").read_text())["keys"]
    values = merged(values_files(component, profile, lab=lab))
    assert [path for path in map(dotted, leaves(values)) if not known(keys, path)] == []


def test_the_check_finds_a_key_that_is_none() -> None:
    keys = {"a": {"open": False}, "a.b": {"open": False}, "c": {"open": True}, "d": {"open": False, "unread": True}}
    assert [known(keys, path) for path in ("a.b", "a.x", "c.anything.at.all", "d", "e")] == [
        True,
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_stand_in_has_the_pinned_version(pins: dict[str, Any], component: str) -> None:
    pin = pins[component]
    chart = yaml.safe_load((ROOT / "tests" / "lab" / "charts" / pin["chart"] / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (pin["version"], pin["app_version"])
