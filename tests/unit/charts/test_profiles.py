# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sizes: small fits three small nodes, ha survives the loss of one and keeps its keys in Secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.chart_images import COMPONENTS
from tests.unit.rendering import CONTRACTS, Object, claims, leaves, merged, objects, render, values_files
from tools import yaml_text

PROFILES = ("small", "ha")
NODES = 3
NODE_MEMORY, NODE_CPU = 8 * 2**30, 4.0
OTHERS = 0.5
"""The share of the nodes that is left to the system and the platform."""
MOST_VOLUMES, SMALLEST_VOLUME = 6, 10 * 2**30
MADE_BY_THE_OPERATOR = ("Prometheus", "Alertmanager")
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "m": 1e-3, "": 1}


def quantity(written: object) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\D*)", str(written)).groups()
    return float(number) * UNITS[unit]


def values(component: str, profile: str) -> Object:
    return merged(values_files(component, profile))


@pytest.fixture(scope="module")
def small() -> list[Object]:
    return [made for component in COMPONENTS for made in objects(render(component, values(component, "small")))]


def pods(made: Object) -> int:
    return NODES if made["kind"] == "DaemonSet" else made.get("spec", {}).get("replicas", 1)


def resources(made: Object, reloader: Object) -> Iterator[Object]:
    """Of each container of one pod; the operator adds a reloader to the pods that it makes."""
    if made["kind"] in MADE_BY_THE_OPERATOR:
        yield from (made["spec"]["resources"], reloader)
    elif "template" in made.get("spec", {}):
        pod = made["spec"]["template"]["spec"]
        yield from (container["resources"] for container in pod["containers"])


def test_small_fits_three_nodes_of_eight_gibibytes(small: list[Object]) -> None:
    reloader = values("prometheus", "small")["prometheusOperator"]["prometheusConfigReloader"]["resources"]
    asked = {"cpu": 0.0, "memory": 0.0}
    for made in small:
        found = list(resources(made, reloader))
        for kind in asked:
            asked[kind] += pods(made) * sum(quantity(one["requests"][kind]) for one in found)
        # whatever a pod may use fits beside the collectors of its node
        assert sum(quantity(one["limits"]["memory"]) for one in found) < OTHERS * NODE_MEMORY, made["metadata"]["name"]
    assert 2 * 2**30 < asked["memory"] < (1 - OTHERS) * NODES * NODE_MEMORY
    assert 0.5 < asked["cpu"] < (1 - OTHERS) * NODES * NODE_CPU


def test_small_has_at_most_six_volumes(small: list[Object]) -> None:
    found = [claim for made in small if "spec" in made for claim in claims(made) for _pod in range(pods(made))]
    assert len(found) == 5
    assert len(found) <= MOST_VOLUMES


def volumes(node: Any) -> Iterator[tuple[str, str]]:
    """(size, class) of every volume that values ask for."""
    if not isinstance(node, dict):
        return
    if "volumeClaimTemplate" in node:
        spec = node["volumeClaimTemplate"]["spec"]
        yield spec["resources"]["requests"]["storage"], spec.get("storageClassName", "")
    if isinstance(node.get("persistence"), dict):
        claim = node["persistence"]
        assert claim["enabled"]
        yield claim["size"], claim.get("storageClassName") or claim.get("storageClass", "")
    for value in node.values():
        yield from volumes(value)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_volume_has_the_providers_smallest_size_and_a_class(profile: str) -> None:
    """Smaller ones are made larger without a word; without a class they outlive the stack and go on costing."""
    found = [one for component in COMPONENTS for one in volumes(values(component, profile))]
    assert len(found) == 5
    for size, storage_class in found:
        assert quantity(size) >= SMALLEST_VOLUME
        assert storage_class in {"linode-block-storage", "linode-block-storage-retain"}


def test_samples_stay_below_their_volume() -> None:
    for profile in PROFILES:
        spec = values("prometheus", profile)["prometheus"]["prometheusSpec"]
        (volume,) = (quantity(size) for size, _class in volumes({"x": spec["storageSpec"]}))
        kept = float(spec["retentionSize"].removesuffix("GB")) * 1e9
        assert 0.7 * volume < kept < 0.9 * volume


def known(shared: Path, component: str) -> Object:
    pin = yaml_text.load((CONTRACTS / "charts.yaml").read_text())["charts"][component]
    keys: Object = json.loads((shared / "charts" / f"{pin['chart']}-{pin['version']}.json").read_text())["keys"]
    return keys


def test_ha_runs_several_on_nodes_of_their_own(shared: Path) -> None:
    prometheus, loki = values("prometheus", "ha"), values("loki", "ha")
    specs = (prometheus["prometheus"]["prometheusSpec"], prometheus["alertmanager"]["alertmanagerSpec"])
    assert [(spec["replicas"], spec["podAntiAffinity"]) for spec in specs] == [(2, "hard"), (3, "hard")]
    assert loki["singleBinary"]["replicas"] == loki["loki"]["commonConfig"]["replication_factor"] == 3
    apart = "singleBinary.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    assert apart in known(shared, "loki")  # the chart's own, which is left alone
    assert "affinity" not in loki["singleBinary"]


def at(whole: Object, path: tuple[str | int, ...]) -> Any:
    found: Any = whole
    for name in path:
        found = found[name]
    return found


def test_ha_gives_up_one_of_several_at_a_time(shared: Path) -> None:
    budgets = {
        "prometheus": {"prometheus.podDisruptionBudget", "alertmanager.podDisruptionBudget"},
        "loki": {"singleBinary.podDisruptionBudget"},
        "tempo": set[str](),  # its chart has none
    }
    for component, wanted in budgets.items():
        whole = values(component, "ha")
        enabled = {".".join(map(str, path[:-1])) for path in leaves(whole)
                   if path[-2:] == ("podDisruptionBudget", "enabled") and at(whole, path) is True}  # fmt: skip
        assert enabled == wanted
        assert enabled <= known(shared, component).keys()
    assert not [key for key in known(shared, "tempo") if "isruption" in key]
    assert values("loki", "ha")["singleBinary"]["podDisruptionBudget"]["maxUnavailable"] == 1


def test_ha_keeps_one_tempo_and_says_why() -> None:
    assert values("tempo", "ha")["replicas"] == 1
    assert "tempo-distributed 3 needs Kafka" in values_files("tempo", "ha")[1].read_text()


def test_ha_writes_span_metrics_to_each_prometheus() -> None:
    urls = [one["url"] for one in values("tempo", "ha")["tempo"]["metricsGenerator"]["storage"]["remote_write"]]
    replicas = values("prometheus", "ha")["prometheus"]["prometheusSpec"]["replicas"]
    assert [re.search(r"prometheus-(\d)\.prometheus-operated:", url)[1] for url in urls] == [
        str(number) for number in range(replicas)
    ]
    assert values("prometheus", "ha")["prometheus"]["service"]["sessionAffinity"] == "ClientIP"


def test_ha_keeps_logs_and_traces_in_an_object_store() -> None:
    loki, tempo = values("loki", "ha")["loki"], values("tempo", "ha")["tempo"]
    assert loki["storage"]["use_thanos_objstore"] is True  # the other client's checksums are refused
    assert (loki["storage"]["type"], loki["storage"]["object_store"]["type"]) == ("s3", "s3")
    assert {config["object_store"] for config in loki["schemaConfig"]["configs"]} == {"s3"}
    assert loki["compactor"]["delete_request_store"] == "s3"
    assert tempo["storage"]["trace"]["backend"] == "s3"
    for bucket in (loki["storage"]["object_store"]["s3"], tempo["storage"]["trace"]["s3"]):
        assert not bucket["endpoint"].startswith("http")
        assert bucket["endpoint"].startswith(f"{bucket['region']}.")


SECRETS = re.compile(r"key|secret|password|token|credential", re.IGNORECASE)
PUBLIC = {"existingSecret", "secretRef.name", "max_label_names_per_series"}


@pytest.mark.parametrize("profile", PROFILES)
def test_credentials_come_from_secrets_only(profile: str) -> None:
    used = set()
    for component in COMPONENTS:
        whole = values(component, profile)
        for path in leaves(whole):
            names = [str(name) for name in path]
            found = at(whole, path)
            if SECRETS.search(names[-1]) and isinstance(found, str) and names[-1] not in PUBLIC:
                used.add((component, found))
                assert re.fullmatch(r"\$\{[A-Z0-9_]+\}", found), names
    if profile == "small":
        assert used == set()
        return
    assert used == {
        (component, f"${{{component.upper()}_S3_{part}}}")
        for component in ("loki", "tempo")
        for part in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    }
    loki, tempo = values("loki", "ha")["defaults"], values("tempo", "ha")["tempo"]
    assert "-config.expand-env=true" in loki["extraArgs"]
    assert tempo["extraArgs"]["config.expand-env"] is True
    assert [one["secretRef"]["name"] for one in (*loki["extraEnvFrom"], *tempo["extraEnvFrom"])] == [
        "loki-s3",
        "tempo-s3",
    ]


def test_ha_bounds_what_the_lab_does_not_render() -> None:
    loki = values("loki", "ha")
    for spec in (loki["singleBinary"], loki["memcachedExporter"]):
        assert {"cpu", "memory"} <= spec["resources"]["requests"].keys()
        assert "memory" in spec["resources"]["limits"]
    # the chart asks for a fifth more than that, and allows no more
    assert all(0 < loki[cache]["allocatedMemory"] <= 2048 for cache in ("chunksCache", "resultsCache"))
