# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""charts.yaml has the form that its schema states, and the schema refuses what would not be a pin."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tools import yaml_text

Pins = dict[str, Any]


@pytest.fixture(scope="module")
def pins(root: Path) -> Pins:
    loaded: Pins = yaml_text.load((root / "contracts/charts.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def schema(root: Path) -> Any:
    return json.loads((root / "contracts/charts.schema.json").read_text())


def test_the_pins_keep_to_the_schema(pins: Pins, schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(pins, schema)


def prometheus(**changes: object) -> Callable[[Pins], None]:
    return lambda pins: pins["charts"]["prometheus"].update(changes)


def image(**changes: object) -> Callable[[Pins], None]:
    return lambda pins: pins["charts"]["loki"]["images"][0].update(changes)


@pytest.mark.parametrize(
    "spoil",
    [
        prometheus(version="88.x"),
        prometheus(version="^88.5.3"),
        prometheus(ref="oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack:88.5.3"),
        prometheus(ref="prometheus-community/kube-prometheus-stack"),
        prometheus(digest="88.5.3"),
        prometheus(reason=""),
        prometheus(images=[]),
        prometheus(digset=""),
        image(tag="latest"),
        image(repository="grafana/loki"),
        image(repository="docker.io/grafana/loki:3.7.6"),
        image(digest="sha256:123"),
        lambda pins: pins["charts"].pop("tempo"),
        lambda pins: pins["charts"]["tempo"].pop("crds"),
    ],
)
def test_what_is_no_pin_is_refused(pins: Pins, schema: Any, spoil: Callable[[Pins], None]) -> None:
    spoiled = copy.deepcopy(pins)
    spoil(spoiled)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoiled, schema)


def test_the_pins_are_the_versions_that_the_key_lists_describe(pins: Pins, shared: Path) -> None:
    for pin in pins["charts"].values():
        described = json.loads((shared / "charts" / f"{pin['chart']}-{pin['version']}.json").read_text())
        assert pin["app_version"] == described["appVersion"]
