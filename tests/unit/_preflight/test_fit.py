# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods fit onto nodes one by one, not by totals, and what does not fit says what would help."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._preflight.placement import Volume
from tests.unit._preflight.clusters import (
    NAMESPACE,
    Object,
    apart,
    container,
    fitting,
    node,
    pod,
    workload,
)

BIG = container("1500m", "3Gi")
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
DRIVER = "linodebs.csi.linode.com"


def csi(name: str, count: int) -> Object:
    return {"metadata": {"name": name}, "spec": {"drivers": [{"name": DRIVER, "allocatable": {"count": count}}]}}


def test_a_stack_that_fits() -> None:
    stack = [workload("StatefulSet", "loki", BIG, replicas=3, affinity=apart("loki")), workload("DaemonSet", "alloy")]
    assert fitting([node(f"w{number}") for number in range(3)], stack) == []


def test_totals_are_not_enough() -> None:
    """Three gibibytes are free in all, and no node has two of them."""
    cluster = [node(f"w{number}", memory="4Gi") for number in range(3)]
    others = [
        pod(f"other-{number}", f"w{number}", ("ReplicaSet", "other"), container("1", "3Gi")) for number in range(3)
    ]
    stack = [workload("StatefulSet", "loki", container("100m", "2Gi"))]
    (finding,) = fitting(cluster, stack, others)
    assert finding.id == "cluster/fit"
    assert finding.message == (
        "1 pod does not fit: loki-0 needs 100m CPU, 2 GiB memory (of 3 nodes, 3 with too little memory); "
        "the largest free is 1 CPU, 1 GiB memory on w0"
    )
    assert finding.hint.startswith("Add 1 node like w0 (2 CPU, 4 GiB memory), or choose a smaller profile")


def test_replicas_that_must_be_apart_need_as_many_nodes() -> None:
    stack = [workload("StatefulSet", "loki", container("1", "2Gi"), replicas=3, affinity=apart("loki"))]
    (finding,) = fitting([node("a", "8", "32Gi"), node("b", "8", "32Gi")], stack)
    assert "1 pod does not fit: loki-2 needs 1 CPU, 2 GiB memory on a node that has no other loki" in finding.message
    assert "of 2 nodes, 2 with another pod of loki" in finding.message
    assert finding.hint.startswith("Add 1 node like a")
    assert finding.evidence["pods"] == ["loki-2"]


def test_a_label_of_the_node_may_say_what_apart_means() -> None:
    zones = [node(f"w{number}", labels={"zone": "ab"[number % 2]}) for number in range(4)]
    stack = [workload("StatefulSet", "loki", replicas=3, affinity=apart("loki", "zone"))]
    (finding,) = fitting(zones, stack)
    assert "loki-2" in finding.message


def test_what_runs_already_is_not_added_twice() -> None:
    stack = [workload("StatefulSet", "loki", BIG, replicas=2, affinity=apart("loki")), workload("DaemonSet", "alloy")]
    running = [
        *(pod(f"loki-{number}", f"w{number}", ("StatefulSet", "loki"), BIG) for number in range(2)),
        *(pod(f"alloy-{number}", f"w{number}", ("DaemonSet", "alloy")) for number in range(2)),
    ]
    assert fitting([node("w0"), node("w1")], stack, running) == []


def test_a_deployment_is_known_by_its_replica_set() -> None:
    stack = [workload("Deployment", "grafana", BIG)]
    running = [pod("grafana-5d9c-x", "w0", ("ReplicaSet", "grafana"), BIG)]
    assert fitting([node("w0")], stack, running) == []
    assert fitting([node("w0")], [workload("Deployment", "other", BIG)], running) != []


def test_what_runs_stays_where_a_new_pod_could_not_go() -> None:
    """Nothing evicts it from a node that is cordoned or not ready, as long as it asks for the same."""
    stack = [workload("StatefulSet", "loki", BIG)]
    running = [pod("loki-0", "w0", ("StatefulSet", "loki"), BIG)]
    cordoned = [node("w0", unschedulable=True)]
    assert fitting(cordoned, stack, running) == []
    grown = [workload("StatefulSet", "loki", container("1600m", "3Gi"))]
    (finding,) = fitting(cordoned, grown, running)
    assert "with the taint node.kubernetes.io/unschedulable" in finding.message
    assert "no node takes it at all" in finding.message
    assert finding.hint.startswith("Add a node that takes loki-0, with at least 1600m CPU, 3 GiB memory free")


def test_pods_that_have_ended_take_nothing() -> None:
    done = pod("job", "w0", ("Job", "job"), BIG)
    done["status"]["phase"] = "Succeeded"
    assert fitting([node("w0")], [workload("Deployment", "grafana", BIG)], [done]) == []


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({}, False),
        ({"tolerations": [{"key": "gpu", "operator": "Exists"}]}, True),
        ({"tolerations": [{"operator": "Exists"}]}, True),
        ({"tolerations": [{"key": "gpu", "value": "no"}]}, False),
    ],
)
def test_taints(spec: dict[str, Any], fits: bool) -> None:
    assert (fitting([node("w0", taints=[TAINT])], [workload("Deployment", "grafana", **spec)]) == []) is fits


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({"nodeSelector": {"pool": "a"}}, True),
        ({"nodeSelector": {"pool": "b"}}, False),
        ({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["a"]}]}]}}}}, False),
        ({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}]}}}}, True),
    ],
)  # fmt: skip
def test_node_selectors(spec: dict[str, Any], fits: bool) -> None:
    assert (fitting([node("w0", labels={"pool": "a"})], [workload("Deployment", "grafana", **spec)]) == []) is fits


def test_hard_topology_spread() -> None:
    spread = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    selector = {"labelSelector": {"matchLabels": {"app": "loki"}}}
    cluster = [node("a", "8", "8Gi", labels={"zone": "a"}), node("b", "200m", "8Gi", labels={"zone": "b"})]
    stack = [workload("Deployment", "loki", replicas=4, topologySpreadConstraints=[spread | selector])]
    (finding,) = fitting(cluster, [workload("Deployment", "loki", container("150m"), replicas=4,
                                            topologySpreadConstraints=[spread | selector])])  # fmt: skip
    assert "1 pod does not fit" in finding.message
    assert "with its share of them (zone)" in finding.message
    assert fitting(cluster, stack) == []
    soft = spread | selector | {"whenUnsatisfiable": "ScheduleAnyway"}
    assert fitting(cluster, [workload("Deployment", "loki", replicas=9, topologySpreadConstraints=[soft])]) == []


def test_pods_of_others_that_keep_ours_away() -> None:
    theirs = pod("alone", "w0", ("StatefulSet", "alone"), affinity=apart("grafana"))
    (finding,) = fitting([node("w0")], [workload("Deployment", "grafana")], [theirs])
    assert "with a pod that keeps it away" in finding.message


def test_pods_that_must_be_near_others() -> None:
    near = {"podAffinity": apart("other")["podAntiAffinity"]}
    stack = [workload("Deployment", "grafana", affinity=near)]
    other = pod("other-1", "w1", ("StatefulSet", "other"))
    assert fitting([node("w0"), node("w1")], stack, [other]) == []
    (finding,) = fitting([node("w0"), node("w1")], stack)
    assert "without a pod that it must be near" in finding.message


def test_the_number_of_pods_is_bounded() -> None:
    (finding,) = fitting([node("w0", pods="2")], [workload("Deployment", "grafana", replicas=3)])
    assert "1 with too little room for pods" in finding.message


def test_an_init_container_may_need_the_most() -> None:
    init = [container("100m", "5Gi"), container("100m", "1Gi", restartPolicy="Always")]
    (finding,) = fitting([node("w0")], [workload("Deployment", "grafana", initContainers=init)])
    assert "grafana needs 200m CPU, 5 GiB memory" in finding.message


def test_a_limit_without_a_request_is_one() -> None:
    limited = {"name": "main", "resources": {"limits": {"memory": "5Gi"}}}
    assert len(fitting([node("w0")], [workload("Deployment", "grafana", limited)])) == 1


def test_volumes_need_slots_of_their_node() -> None:
    stack = [workload("StatefulSet", "loki", replicas=3, claims="fast")]
    volumes = {(NAMESPACE, f"data-loki-{number}"): Volume(DRIVER) for number in range(3)}
    assert fitting([node("w0")], stack, volumes=volumes, csi=[csi("w0", 3)]) == []
    assert fitting([node("w0")], stack, volumes=volumes) == []
    (finding,) = fitting([node("w0")], stack, volumes=volumes, csi=[csi("w0", 2)])
    assert f"1 with too few slots for volumes of {DRIVER}" in finding.message


def test_a_volume_that_exists_binds_its_pod() -> None:
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["w0"]}]}]
    volumes = {(NAMESPACE, "data-loki-0"): Volume(DRIVER, terms)}
    cluster = [node("w0", unschedulable=True), node("w1")]
    (finding,) = fitting(cluster, [workload("StatefulSet", "loki", claims="fast")], volumes=volumes)
    assert "1 out of reach of its volume data-loki-0" in finding.message
    assert finding.hint.startswith("Make room on a node that reaches the volume of loki-0, or choose")


def test_a_daemon_set_needs_every_node() -> None:
    cluster = [node("w0"), node("w1"), node("gpu", taints=[TAINT])]
    full = [pod("full", "w1", ("StatefulSet", "full"), container("1950m"))]
    (finding,) = fitting(cluster, [workload("DaemonSet", "alloy")], full)
    assert str(finding).startswith(
        "DaemonSet ias-system/alloy: its pod, which needs 100m CPU, 128 MiB memory, does not fit on node w1: "
        "too little CPU"
    )
    assert fitting([node("w0", unschedulable=True)], [workload("DaemonSet", "alloy")]) == []


def test_a_port_of_the_node_that_somebody_has() -> None:
    port = container(ports=[{"containerPort": 9100}])
    ours = [workload("DaemonSet", "node-exporter", port, hostNetwork=True)]
    theirs = [
        pod(f"exporter-{name}", name, ("DaemonSet", "exporter"), port, hostNetwork=True, space="monitoring")
        for name in ("w0", "w1")
    ]
    (finding,) = fitting([node("w0"), node("w1"), node("w2")], ours, theirs)
    assert str(finding).startswith(
        "DaemonSet ias-system/node-exporter: port 9100 is taken by DaemonSet monitoring/exporter on nodes w0, w1"
    )
    assert finding.id == "cluster/host-port"
    bound = container(ports=[{"containerPort": 9100, "hostIP": "127.0.0.1", "hostPort": 9100}])
    other = container(ports=[{"containerPort": 9100, "hostIP": "10.0.0.1", "hostPort": 9100}])
    assert fitting([node("w0")], [workload("DaemonSet", "a", bound)], [pod("b", "w0", ("DaemonSet", "b"), other)]) == []


def test_more_nodes_than_one_may_be_needed() -> None:
    (finding,) = fitting([node("w0")], [workload("StatefulSet", "loki", BIG, replicas=4)])
    assert finding.message.startswith("3 pods do not fit: loki-1 and 2 more of StatefulSet ias-system/loki each needs")
    assert finding.hint.startswith("Add 3 nodes like w0")


def test_without_a_node_there_is_no_room() -> None:
    (finding,) = fitting([], [workload("Deployment", "grafana")])
    assert "there is no node" in finding.message
