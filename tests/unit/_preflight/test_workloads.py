# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods and volumes of what the charts render, the operator's too."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._preflight.quantities import shown, thousandths
from ansible_collections.ias.observability.plugins.module_utils._preflight.workloads import Workload, workloads
from ansible_collections.ias.observability.plugins.module_utils._release import manifest
from tests.unit.rendering import NAMESPACE, merged, render, values_files

GIB = 1024**3 * 1000
KINDS = {"Alertmanager", "DaemonSet", "Deployment", "PersistentVolumeClaim", "Prometheus", "Service", "StatefulSet"}


def made(component: str, profile: str = "small") -> dict[str, Workload]:
    text = render(component, merged(values_files(component, profile)))
    return {str(one.owner): one for one in workloads(manifest.outline(text, KINDS, "isDefault"), NAMESPACE)}


def test_the_pods_of_a_prometheus_are_the_operators() -> None:
    found = made("prometheus", "ha")["StatefulSet ias-system/prometheus-prometheus-kube-prometheus-prometheus"]
    assert [pod.name for pod in found.pods] == [f"{found.owner.name}-{number}" for number in (0, 1)]
    # the program and its reloader
    assert found.pods[0].needs == {"cpu": 1005, "memory": 6 * GIB + 24 * GIB // 1024, "pods": 1000}
    claims = [(claim.name, claim.storage_class, claim.size) for claim in found.claims]
    name = "prometheus-prometheus-kube-prometheus-prometheus"
    assert claims[0] == (f"{name}-db-{name}-0", "linode-block-storage-retain", 100 * GIB)
    assert found.pods[0].claims == (claims[0][0],)


def test_every_workload_of_the_stack_is_found() -> None:
    names = {name for component in ("prometheus", "loki", "alloy", "tempo") for name in made(component)}
    assert names == {
        "DaemonSet ias-system/alloy",
        "DaemonSet ias-system/prometheus-prometheus-node-exporter",
        "Deployment ias-system/prometheus-grafana",
        "Deployment ias-system/prometheus-kube-prometheus-operator",
        "Deployment ias-system/prometheus-kube-state-metrics",
        "PersistentVolumeClaim ias-system/prometheus-grafana",
        "StatefulSet ias-system/alertmanager-prometheus-kube-prometheus-alertmanager",
        "StatefulSet ias-system/loki",
        "StatefulSet ias-system/prometheus-prometheus-kube-prometheus-prometheus",
        "StatefulSet ias-system/tempo",
    }


def test_the_port_of_node_exporter_is_the_nodes() -> None:
    (pod,) = made("prometheus")["DaemonSet ias-system/prometheus-prometheus-node-exporter"].pods
    assert [port.port for port in pod.ports] == [9100]


@pytest.mark.parametrize("component", ["prometheus", "loki", "alloy", "tempo"])
def test_an_outline_has_what_the_whole_has(component: str) -> None:
    text = render(component, merged(values_files(component)))
    whole = manifest.parse(text)
    outline = manifest.outline(text, KINDS, "isDefault")
    assert [(item["kind"], item["apiVersion"]) for item in outline] == [
        (item["kind"], item["apiVersion"]) for item in whole
    ]
    assert [item for item in outline if "metadata" in item] == [
        item for item in whole if item["kind"] in KINDS or "isDefault" in str(item)
    ]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1000),
        ("500m", 500),
        ("1u", 1),
        ("1.5", 1500),
        ("1e3", 1_000_000),
        ("1k", 1_000_000),
        ("1Ki", 1_024_000),
        ("2G", 2 * 10**12),
        ("2Gi", 2 * GIB),
        (4, 4000),
    ],
)
def test_quantities(text: str | int, amount: int) -> None:
    assert thousandths(text) == amount


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1..2", "--1"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity of Kubernetes"):
        thousandths(text)


def test_quantities_are_shown_as_people_write_them() -> None:
    assert shown("memory", 3 * GIB // 2) == "1.5 GiB memory"
    assert shown("cpu", 250) == "250m CPU"
    assert shown("cpu", 2000) == "2 CPU"
    assert shown("pods", 3000) == "3 pods"
