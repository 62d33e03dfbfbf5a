# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's S3 server: buckets, keys and region are those that the contracts' values ask for."""

from __future__ import annotations

import json
import re

import pytest

from tests.lab import images, object_storage
from tests.unit.rendering import values_files

OBJECTS = object_storage.objects()
COMPONENTS = sorted(object_storage.BUCKETS)


def found(kind: str, name: str) -> object_storage.Object:
    (one,) = (one for one in OBJECTS if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return one


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_secret_has_the_keys_that_the_values_read(component: str) -> None:
    text = "".join(path.read_text() for path in values_files(component, "ha"))
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(found("Secret", f"{component}-s3")["stringData"])
    assert set(re.findall(rf"\b(ias-{component}-[a-z]+)", text)) == set(object_storage.BUCKETS[component])
    assert f"region: {object_storage.REGION}\n" in text


def test_each_component_opens_its_own_buckets() -> None:
    accounts = json.loads(found("Secret", "accounts")["stringData"]["users.json"])["accessAccounts"]
    script = found("Deployment", "object-storage")["spec"]["template"]["spec"]["containers"][0]["lifecycle"]
    owners = re.findall(r"^(lab-\w+) (\S+)$", script["postStart"]["exec"]["command"][2], re.MULTILINE)
    assert owners == [
        (f"lab-{name}", bucket) for name in object_storage.BUCKETS for bucket in object_storage.BUCKETS[name]
    ]
    assert {account["role"] for account in accounts.values()} == {"user"}
    assert accounts.keys() == {owner for owner, _bucket in owners}


def test_its_image_waits_for_the_command_that_needs_it() -> None:
    waiting = {name for row in images.on_demand_images() for name in row.names}
    assert object_storage.IMAGE in waiting
    assert not waiting & {name for row in images.stack_images() for name in row.names}
