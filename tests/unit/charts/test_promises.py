# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project promises of every container: requests and limits, and an image that charts.yaml names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.rendering import ALL, CONTRACTS, Object, merged, objects, render, values_files
from tools import yaml_text

# The operator makes these pods: it is told of their containers.
MADE_BY_THE_OPERATOR = ("Prometheus", "Alertmanager")


# The lab's Loki knows a volume only, its Mimir no caches; what profile ha says of them is read in test_profiles.py.
RENDERED = [(name, "small") for name in ALL] + [(name, "ha") for name in ALL if name not in ("loki", "mimir")]


def rendered(component: str, profile: str = "small") -> list[Object]:
    return objects(render(component, merged(values_files(component, profile))))


def containers(made: list[Object]) -> Iterator[Object]:
    """Every container, and what the operator makes one of (which has image and resources in the same place)."""
    for found in made:
        if found["kind"] in MADE_BY_THE_OPERATOR:
            yield found["spec"] | {"name": found["metadata"]["name"]}
        elif "template" in found.get("spec", {}):
            pod = found["spec"]["template"]["spec"]
            yield from [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize(("component", "profile"), RENDERED)
def test_every_container_has_requests_and_a_limit(component: str, profile: str) -> None:
    """No limit for the processor: throttled, a program is slow while its node has time."""
    made = rendered(component, profile)
    found = {container["name"]: container.get("resources") or {} for container in containers(made)}
    assert found
    for name, resources in found.items():
        assert {"cpu", "memory"} <= resources.get("requests", {}).keys(), name
        assert "memory" in resources.get("limits", {}), name


@pytest.mark.parametrize("component", ALL)
def test_every_image_is_listed(component: str) -> None:
    pins: list[dict[str, Any]] = yaml_text.load((CONTRACTS / "charts.yaml").read_text())["charts"][component]["images"]
    listed = {f"{image['repository']}:{image['tag']}" for image in pins}
    started = {container["image"].partition("@")[0] for container in containers(rendered(component))}
    assert started <= listed


@pytest.mark.parametrize(("component", "profile"), RENDERED)
def test_the_stack_lives_in_any_namespace(component: str, profile: str) -> None:
    """Nothing but the release's namespace says where it is deployed."""
    text = render(component, merged(values_files(component, profile)), namespace="observability")
    assert "observability" in text
    assert "ias-system" not in text
