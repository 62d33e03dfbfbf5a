# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stores the contracts' values name."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._values.object_stores import object_stores
from tests.lab import object_storage
from tests.unit.rendering import merged, values_files


@pytest.mark.parametrize("component", sorted(object_storage.BUCKETS))
def test_each_component_of_profile_ha_names_its_store(component: str) -> None:
    (store,) = object_stores(merged(values_files(component, "ha")), component)
    assert store == {
        "component": component,
        "endpoint": "us-ord-1.linodeobjects.com",
        "region": "us-ord-1",
        "insecure": False,
        "buckets": list(object_storage.BUCKETS[component]),
        "secrets": [f"{component}-s3"],
        "access_key": f"{component.upper()}_S3_ACCESS_KEY_ID",
        "secret_key": f"{component.upper()}_S3_SECRET_ACCESS_KEY",
    }


@pytest.mark.parametrize(("component", "stores"), [("loki", 0), ("tempo", 0), ("prometheus", 0), ("mimir", 1)])
def test_profile_small_keeps_its_objects_on_volumes_but_for_mimir(component: str, stores: int) -> None:
    assert len(object_stores(merged(values_files(component)), component)) == stores


def test_keys_that_are_no_variables_are_left_alone() -> None:
    values = merged(values_files("tempo", "ha"))
    values["tempo"]["storage"]["trace"]["s3"]["secret_key"] = "in the values"
    assert object_stores(values, "tempo") == []
