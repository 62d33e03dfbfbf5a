# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary on a real S3 server (versitygw), as the lab runs it: what it says of each thing that can be wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._values.object_stores import object_stores
from ansible_collections.ias.observability.plugins.modules import object_storage_verify
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.integration.mimir.conftest import free_port
from tests.lab import object_storage
from tests.unit.rendering import merged, values_files

Run = Callable[..., dict[str, Any]]
SECRETS = "/api/v1/namespaces/ias-system/secrets"


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        for component in object_storage.BUCKETS:
            give(kube, component, object_storage.component_keys(component))
        yield kube


def give(kube: FakeKube, component: str, keys: dict[str, str]) -> None:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in keys.items()}
    kube.add(f"{SECRETS}/{component}-s3", data=data)


@pytest.fixture
def stores(endpoint: str) -> list[dict[str, Any]]:
    """What profile ha says, with the server's address."""
    found = [
        store for name in object_storage.BUCKETS for store in object_stores(merged(values_files(name, "ha")), name)
    ]
    return [store | {"endpoint": endpoint, "insecure": True} for store in found]


@pytest.fixture
def run(kube: FakeKube, tmp_path: Path) -> Run:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    return lambda stores, **options: run_module(object_storage_verify, kubeconfig=kubeconfig, stores=stores, **options)


def found(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["id"], finding["object"]) for finding in result["findings"]]


def test_each_component_puts_reads_lists_and_deletes(run: Run, stores: list[dict[str, Any]]) -> None:
    result = run(stores)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 20, "passed": 20}
    assert "secret-key" not in json.dumps(result)


def test_a_wrong_secret_key_is_that_of_one_component(run: Run, stores: list[dict[str, Any]], kube: FakeKube) -> None:
    give(kube, "tempo", object_storage.component_keys("tempo") | {"TEMPO_S3_SECRET_ACCESS_KEY": "not-it"})
    result = run(stores)
    assert found(result) == [("object-storage/secret-key", "tempo/ias-tempo-traces")]
    assert "not-it" not in json.dumps(result)


def test_an_unknown_access_key(run: Run, stores: list[dict[str, Any]], kube: FakeKube) -> None:
    give(kube, "mimir", object_storage.component_keys("mimir") | {"MIMIR_S3_ACCESS_KEY_ID": "nobody"})
    assert found(run(stores)) == [("object-storage/key", "mimir/ias-mimir-blocks")]


def test_a_bucket_that_nobody_made(run: Run, stores: list[dict[str, Any]]) -> None:
    wrong = [
        store | ({"buckets": ["ias-loki-chunks", "none"]} if store["component"] == "loki" else {}) for store in stores
    ]
    result = run(wrong)
    assert found(result) == [("object-storage/bucket", "loki/none")]
    assert "bucket none does not exist (put: 404 NoSuchBucket" in result["msg"]


def test_the_bucket_of_somebody_else(run: Run, stores: list[dict[str, Any]]) -> None:
    wrong = [store | {"buckets": ["ias-tempo-traces"]} for store in stores if store["component"] == "loki"]
    assert found(run(wrong)) == [("object-storage/denied", "loki/ias-tempo-traces")]


def test_another_region(run: Run, stores: list[dict[str, Any]]) -> None:
    wrong = [store | {"region": "us-east-1"} for store in stores if store["component"] == "tempo"]
    result = run(wrong)
    assert found(result) == [("object-storage/region", "tempo/ias-tempo-traces")]
    assert "us-east-1 is not the region" in result["msg"]


def test_a_port_where_nothing_listens(run: Run, stores: list[dict[str, Any]]) -> None:
    result = run(
        [store | {"endpoint": f"127.0.0.1:{free_port()}"} for store in stores if store["component"] == "mimir"]
    )
    assert found(result) == [("object-storage/endpoint", "mimir/ias-mimir-blocks")]


def test_check_mode_leaves_nothing_and_still_knows_the_key(
    kube: FakeKube, tmp_path: Path, stores: list[dict[str, Any]]
) -> None:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    result = run_module(object_storage_verify, check=True, kubeconfig=kubeconfig, stores=stores)
    assert result["summary"] == {"checked": 4, "passed": 4}
    give(kube, "mimir", object_storage.component_keys("mimir") | {"MIMIR_S3_ACCESS_KEY_ID": "nobody"})
    result = run_module(object_storage_verify, check=True, kubeconfig=kubeconfig, stores=stores)
    assert found(result) == [("object-storage/key", "mimir/ias-mimir-blocks")]
