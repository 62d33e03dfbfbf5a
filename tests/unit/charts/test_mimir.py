# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With Mimir: who writes and who asks find it where it listens, its keys stay in a Secret, and nothing needs Kafka."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.rendering import CONTRACTS, Object, leaves, merged, objects, render, values_files

PROFILES = ("small", "ha")
OPENS_THE_BUCKET = {"ingester", "store-gateway", "compactor", "querier"}


def mimir(profile: str = "small") -> Object:
    return merged(values_files("mimir", profile))


def prometheus(profile: str = "small") -> Object:
    return merged(values_files("prometheus", profile, mimir=True))


@pytest.fixture(scope="module")
def ports() -> dict[str, set[int]]:
    """The ports of each service of the chart."""
    made = objects(render("mimir", mimir()))
    return {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]}
        for one in made
        if one["kind"] == "Service"
    }


def test_prometheus_writes_where_a_distributor_listens(ports: dict[str, set[int]]) -> None:
    (target,) = prometheus()["prometheus"]["prometheusSpec"]["remoteWrite"]
    url = urlsplit(target["url"])
    assert (url.hostname, url.path) == ("mimir-distributor", "/api/v1/push")
    assert url.port in ports[url.hostname]
    wanted = (target["sendExemplars"], target["sendNativeHistograms"], target["metadataConfig"]["send"])
    assert wanted == (True, True, True)
    assert target["queueConfig"]["retryOnRateLimit"] is True


def test_the_same_data_source_asks_mimir(ports: dict[str, set[int]]) -> None:
    alone, together = (
        merged(files)["grafana"]["datasources"]["prometheus.yaml"]
        for files in (values_files("prometheus"), values_files("prometheus", mimir=True))
    )
    (before,) = alone["datasources"]
    after, rules = together["datasources"]
    url = urlsplit(after["url"])
    assert (url.hostname, url.path) == ("mimir-query-frontend", "/prometheus")
    assert url.port in ports[url.hostname]
    assert {key: after[key] for key in ("name", "uid", "type", "isDefault")} == {
        key: before[key] for key in ("name", "uid", "type", "isDefault")
    }
    assert after["jsonData"]["exemplarTraceIdDestinations"] == before["jsonData"]["exemplarTraceIdDestinations"]
    # Whoever evaluates the rules stays in sight, and goes with Mimir.
    assert (rules["url"], rules.get("isDefault")) == (before["url"], None)
    assert [gone["name"] for gone in alone["deleteDatasources"]] == [rules["name"]]
    assert together["deleteDatasources"] == []


def test_prometheus_keeps_more_than_its_rules_look_back() -> None:
    """Two days more than the longest range of a rule, which is three days at most of all burn rates."""
    ranges = re.findall(r"\[(\d+)d[\]:]", "".join(path.read_text() for path in CONTRACTS.glob("*alerts.yaml")))
    (days,) = re.findall(r"^(\d+)d$", prometheus()["prometheus"]["prometheusSpec"]["retention"])
    assert int(days) >= max([0, *map(int, ranges)]) + 2


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_needs_kafka(profile: str) -> None:
    config = mimir(profile)["mimir"]["structuredConfig"]
    assert config["ingest_storage"] == {"enabled": False}
    assert config["ingester"]["push_grpc_method_enabled"] is True
    assert mimir(profile)["kafka"] == {"enabled": False}


@pytest.mark.parametrize("profile", PROFILES)
def test_of_two_prometheus_one_is_kept(profile: str) -> None:
    """By the labels that the operator gives to what leaves them."""
    config = mimir(profile)["mimir"]["structuredConfig"]
    assert config["distributor"]["ha_tracker"] == {"enable_ha_tracker": True, "kvstore": {"store": "memberlist"}}
    limits = config["limits"]
    assert limits["accept_ha_samples"] is True
    assert (limits["ha_cluster_label"], limits["ha_replica_label"]) == ("prometheus", "prometheus_replica")
    spec = prometheus(profile)["prometheus"]["prometheusSpec"]
    assert not {"prometheusExternalLabelName", "replicaExternalLabelName"} & spec.keys()


def test_each_sample_is_on_as_many_ingesters_as_there_are() -> None:
    for profile, copies in (("small", 1), ("ha", 3)):
        whole = mimir(profile)
        config = whole["mimir"]["structuredConfig"]
        assert config["ingester"]["ring"]["replication_factor"] == whole["ingester"]["replicas"] == copies
        assert (
            config["store_gateway"]["sharding_ring"]["replication_factor"]
            == whole["store_gateway"]["replicas"]
            == copies
        )
    for name in ("ingester", "store_gateway"):
        (apart,) = mimir("ha")[name]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert apart["topologyKey"] == "kubernetes.io/hostname"
        assert apart["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == name.replace("_", "-")


def test_a_page_of_panels_finds_room() -> None:
    """Each query of 30 days becomes many; those of one querier only wait for each other."""
    for profile in PROFILES:
        whole = mimir(profile)
        config = whole["mimir"]["structuredConfig"]
        assert config["query_scheduler"]["max_outstanding_requests_per_tenant"] >= 2000
        split = config.get("frontend", {}).get("parallelize_shardable_queries", True)
        assert split == (whole["querier"]["replicas"] > 1)


def test_keys_come_from_a_secret_and_go_where_the_bucket_is_opened() -> None:
    made = objects(render("mimir", mimir()))
    given = {
        one["metadata"]["name"].removeprefix("mimir-")
        for one in made
        for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
        if container.get("envFrom") == [{"secretRef": {"name": "mimir-s3"}}]
    }
    assert given == OPENS_THE_BUCKET
    bucket = mimir()["mimir"]["structuredConfig"]["common"]["storage"]["s3"]
    assert (bucket["access_key_id"], bucket["secret_access_key"]) == (
        "${MIMIR_S3_ACCESS_KEY_ID}",
        "${MIMIR_S3_SECRET_ACCESS_KEY}",
    )
    assert bucket["endpoint"].startswith(f"{bucket['region']}.")


@pytest.mark.parametrize("profile", PROFILES)
def test_volumes_have_a_size_and_a_class(profile: str) -> None:
    whole = mimir(profile)
    volumes = {name: whole[name]["persistentVolume"] for name in ("ingester", "store_gateway", "compactor")}
    assert {volume["size"] for volume in volumes.values()} == {"10Gi"}
    # What is on the ingesters is nowhere else yet.
    assert {name for name, volume in volumes.items() if volume["storageClass"].endswith("-retain")} == {"ingester"}


def test_what_the_lab_does_not_render_is_bounded_and_pinned(shared: Path) -> None:
    whole = mimir("ha")
    caches = [name for name in whole if name.endswith("-cache")]
    assert len(caches) == 4
    for name in (*caches, "memcachedExporter"):
        resources = whole[name]["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys()
        assert "memory" in resources["limits"]
    for name in caches:
        (memory,) = re.findall(r"^(\d+)Mi$", whole[name]["resources"]["limits"]["memory"])
        assert int(memory) >= 1.2 * whole[name]["allocatedMemory"]


def test_what_the_chart_brings_and_nobody_asked_for_is_off(shared: Path) -> None:
    keys: Any = json.loads((shared / "charts" / "mimir-distributed-6.2.0.json").read_text())["keys"]
    off = {".".join(map(str, path)) for path in leaves(mimir()) if path[-1] == "enabled" and len(path) == 2}
    assert {"gateway.enabled", "kafka.enabled", "minio.enabled", "rollout_operator.enabled", "ruler.enabled"} <= off
    assert off <= keys.keys()
