# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's objects, and what the lab's inventory wants of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.lab import workloads


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in workloads.objects() if one["kind"] == kind}


def test_every_receiver_of_the_inventory_has_its_address(root: Path) -> None:
    inventory = yaml.safe_load((root / "inventories/lab/group_vars/all/main.yml").read_text())
    secrets = named("Secret")
    wanted = {(entry["secret"], entry["key"]) for entry in inventory["prometheus_receivers"]}
    assert wanted == {(name, key) for name, secret in secrets.items() for key in secret["stringData"]}
    for name, secret in secrets.items():
        for key, address in secret["stringData"].items():
            assert address == f"http://{name}.ias-system.svc:8080/alerts/{key}"


def test_the_receiver_is_no_part_of_what_is_watched() -> None:
    part_of = {
        name: one["metadata"]["labels"].get("app.kubernetes.io/part-of") for name, one in named("Service").items()
    }
    assert part_of == dict.fromkeys(workloads.PARTS, "ias-platform") | {workloads.RECEIVER: None}
    assert workloads.RECEIVER in named("Deployment")
