# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""charts.yaml names what the pods of the charts take of their nodes: all of it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._checks.security import WIDE_ROLES, read_declared, taken
from tests.lab.chart_images import COMPONENTS
from tests.unit.rendering import Object, merged, objects, render, values_files
from tools import yaml_text


@pytest.fixture(scope="module")
def rendered() -> list[Object]:
    return [
        made
        for component in COMPONENTS
        for made in objects(render(component, merged(values_files(component, "small"))))
    ]


def test_what_the_pods_take_of_their_nodes(rendered: list[Object], root: Path) -> None:
    declared = read_declared(yaml_text.load((root / "contracts" / "charts.yaml").read_text("utf-8")))
    found: dict[str, set[str]] = {}
    for made in rendered:
        template = made.get("spec", {}).get("template") or {}
        if things := set(taken(template)):
            found.setdefault(template["metadata"]["labels"]["app.kubernetes.io/name"], set()).update(things)
    assert found == {name: set(things) for name, things in declared.host.items()}


def test_no_chart_binds_a_role_of_kubernetes_itself(rendered: list[Object]) -> None:
    bound = {made["roleRef"]["name"] for made in rendered if made["kind"] in {"ClusterRoleBinding", "RoleBinding"}}
    assert bound
    assert not bound & WIDE_ROLES
