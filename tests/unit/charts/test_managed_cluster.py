# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a managed cluster (LKE) asks of the values: nothing looks for what it hides, nothing is open for no reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.unit.rendering import CONTRACTS, Object, leaves, merged, objects, render, values_files
from tools.contracts.values import dotted

HIDDEN = {"kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy"}
PROFILES = ("small", "ha")


@pytest.fixture(scope="module", params=PROFILES)
def values(request: pytest.FixtureRequest) -> Object:
    return merged(values_files("prometheus", request.param))


@pytest.fixture(scope="module")
def made(values: Object) -> list[Object]:
    return objects(render("prometheus", values))


def test_the_hidden_control_plane_is_not_looked_for(values: Object, made: list[Object]) -> None:
    assert {name for name in HIDDEN if values[name] == {"enabled": False}} == HIDDEN
    rules = values["defaultRules"]["rules"]
    assert not any(
        rules[name] for name in rules if re.match("etcd|kubeControllerManager|kubeProxy|kubeScheduler", name)
    )
    names = " ".join(one["metadata"]["name"] for one in made)
    assert not re.search("controller-manager|kube-scheduler|kube-etcd|kube-proxy", names)
    assert "prometheus-kube-prometheus-kubelet" in names  # what can be scraped still is


def test_node_exporter_listens_on_the_private_address_only(made: list[Object]) -> None:
    (pod,) = (one["spec"]["template"]["spec"] for one in made if one["kind"] == "DaemonSet")
    (container,) = pod["containers"]
    assert pod["hostNetwork"]
    assert "--web.listen-address=[$(HOST_IP)]:9100" in container["args"]
    address = {entry["name"]: entry for entry in container["env"]}["HOST_IP"]
    assert address["valueFrom"] == {"fieldRef": {"fieldPath": "status.hostIP"}}


def test_grafana_gives_its_volume_back_before_it_takes_it_again(made: list[Object]) -> None:
    (grafana,) = (
        one["spec"] for one in made if one["kind"] == "Deployment" and one["metadata"]["name"].endswith("grafana")
    )
    assert grafana["strategy"] == {"type": "Recreate"}
    assert grafana["replicas"] == 1
    (claim,) = (one["spec"] for one in made if one["kind"] == "PersistentVolumeClaim")
    assert claim["accessModes"] == ["ReadWriteOnce"]


def test_the_enterprise_clusters_dns_is_a_key_that_the_chart_reads(shared: Path) -> None:
    """Its label is another one; nothing else of ours knows the name of the cluster's DNS."""
    text = (CONTRACTS / "helm-values/prometheus.yaml").read_text()
    (snippet,) = re.findall(r"^#   (coreDns: .*)$", text, re.MULTILINE)
    told = yaml.safe_load(snippet)
    assert told == {"coreDns": {"service": {"selector": {"k8s-app": "coredns"}}}}
    pin = yaml.safe_load((CONTRACTS / "charts.yaml").read_text())["charts"]["prometheus"]
    keys = json.loads((shared / "charts" / f"{pin['chart']}-{pin['version']}.json").read_text())["keys"]
    (path,) = map(dotted, leaves(told))
    assert keys[path.removesuffix(".k8s-app")]["open"]
    row = "`coreDns.service.selector`: `{k8s-app: coredns}`"
    assert row in (CONTRACTS / "helm-values/README.md").read_text()
    assert merged(values_files("loki"))["gateway"] == {"enabled": False}  # its nginx would ask kube-dns by name
    for component in ("prometheus", "loki", "tempo", "alloy"):
        assert "kube-dns" not in "".join(path.read_text() for path in values_files(component))
