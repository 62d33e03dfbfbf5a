# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the namespace and the cluster would refuse, beside room."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._preflight import (
    clocks,
    control_plane,
    data_sources,
    owners,
    pod_security,
    verdict,
    webhooks,
)
from ansible_collections.ias.observability.plugins.module_utils._preflight.inventory import Inventory, terms_of
from ansible_collections.ias.observability.plugins.module_utils._preflight.verdict import Seen
from ansible_collections.ias.observability.plugins.module_utils._preflight.workloads import workloads
from tests.unit._preflight.clusters import NAMESPACE, Object, container, node, pod, workload

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
FAST = {
    "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "fast.example.com",
}


def seen(stack: Iterable[Object], running: Iterable[Object] = (), **more: Any) -> Seen:
    objects = list(stack)
    wanted = workloads(objects, NAMESPACE)
    inventory = Inventory(
        frozenset(one.owner for one in wanted),
        terms_of(wanted),
        control_plane.services_elsewhere(objects, NAMESPACE),
    )
    for item in running:
        inventory.add(item)
    worker = node("w0", "16", "64Gi")
    worker["status"] |= READY
    known: dict[str, Any] = {"nodes": [worker], "classes": [FAST], **more}
    version = {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    found = Seen(NAMESPACE, [], version, 0.0, 0.0, objects=objects, workloads=wanted, inventory=inventory)
    for name, value in known.items():
        setattr(found, name, value)
    return found


def found(stack: Iterable[Object], running: Iterable[Object] = (), **more: Any) -> list[Finding]:
    return verdict.findings(seen(stack, running, **more))


def limited(cpu: str, memory: str, limit: str) -> Object:
    resources = {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}
    return {"name": "main", "resources": resources}


def limit_range(kind: str = "Container", **limits: Any) -> Object:
    return {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": kind, **limits}]}}


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> Object:
    return {"metadata": {"name": "team"}, "spec": {"hard": hard, **spec}, "status": {"hard": hard, "used": used or {}}}


def test_nothing_is_wrong() -> None:
    assert found([workload("StatefulSet", "loki", claims="fast")]) == []


def test_a_limit_range_refuses_what_is_too_large() -> None:
    stack = [workload("StatefulSet", "loki", limited("100m", "1Gi", "3Gi"), claims="fast")]
    (finding,) = found(stack, ranges=[limit_range(max={"memory": "2Gi"})])
    assert str(finding).startswith(
        "StatefulSet ias-system/loki: limit range limits refuses container main, which may take 3 GiB memory, "
        "more than 2 GiB memory"
    )
    assert finding.id == "cluster/limit-range"
    assert found(stack, ranges=[limit_range(max={"memory": "3Gi"})]) == []
    (finding,) = found(stack, ranges=[limit_range("PersistentVolumeClaim", max={"storage": "5Gi"})])
    assert "refuses claim data-loki-0, which may take 10 GiB storage, more than 5 GiB storage" in finding.message


def test_a_limit_range_gives_what_is_not_said() -> None:
    stack = [workload("StatefulSet", "loki", {"name": "main"})]
    given = limit_range(default={"memory": "80Gi"}, defaultRequest={"memory": "70Gi"})
    (finding,) = found(stack, ranges=[given])
    assert "loki-0 needs 70 GiB memory" in finding.message


def test_a_quota_has_too_little_left() -> None:
    stack = [workload("StatefulSet", "loki", limited("1", "2Gi", "3Gi"), replicas=3, claims="fast")]
    (finding,) = found(stack, quotas=[quota({"requests.memory": "8Gi", "pods": "10"}, {"requests.memory": "4Gi"})])
    assert str(finding).startswith(
        "quota team: requests.memory: the stack needs 6 GiB memory more than it has, and 4 GiB memory is left"
    )
    assert found(stack, quotas=[quota({"requests.memory": "8Gi"}, {"requests.memory": "2Gi"})]) == []
    (finding,) = found(stack, quotas=[quota({"persistentvolumeclaims": "2"})])
    assert "persistentvolumeclaims: the stack needs 3 persistentvolumeclaims more than it has" in finding.message
    assert found(stack, quotas=[quota({"persistentvolumeclaims": "2"}, scopes=["Terminating"])]) == []


def test_what_runs_of_the_stack_is_in_the_quota_already() -> None:
    own = limited("1", "2Gi", "3Gi")
    running = [pod("loki-0", "w0", ("StatefulSet", "loki"), own)]
    used = quota({"requests.memory": "4Gi"}, {"requests.memory": "2Gi"})
    assert found([workload("StatefulSet", "loki", own, replicas=2)], running, quotas=[used]) == []


def test_a_quota_refuses_pods_that_do_not_say_what_it_counts() -> None:
    stack = [workload("StatefulSet", "loki", limited("1", "2Gi", "3Gi"))]
    (finding,) = found(stack, quotas=[quota({"limits.cpu": "8"})])
    assert "limits.cpu: it refuses every pod with a container that has none, as main of StatefulSet" in finding.message
    assert found(stack, quotas=[quota({"limits.cpu": "8"})], ranges=[limit_range(default={"cpu": "1"})]) == []


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        ({}, "baseline"),
        ({"hostNetwork": True}, "privileged"),
        ({"volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}]}, "privileged"),
        (
            {
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [
                    {
                        "name": "main",
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    }
                ],
            },
            "restricted",
        ),
    ],
)
def test_the_level_of_pod_security_that_a_pod_needs(spec: dict[str, Any], level: str) -> None:
    assert pod_security.needed({"containers": [container()], **spec}) == level


def test_pod_security_of_the_namespace() -> None:
    reader = container(securityContext={"capabilities": {"add": ["DAC_READ_SEARCH"]}})
    stack = [workload("DaemonSet", "alloy", reader)]
    space = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    (finding,) = found(stack, space=space)
    assert str(finding).startswith(
        "DaemonSet ias-system/alloy: namespace ias-system enforces pod security level baseline, which refuses it: "
        "container main adds DAC_READ_SEARCH (kubectl label namespace ias-system --overwrite "
        "pod-security.kubernetes.io/enforce=privileged)"
    )
    assert found(stack) == []


def hook(**changes: Any) -> Object:
    rule = {"operations": ["CREATE"], "apiGroups": ["apps"], "resources": ["statefulsets"]}
    service = {"namespace": "other", "name": "hook"}
    return {"metadata": {"name": "old"}, "webhooks": [
        {"name": "a.example.com", "rules": [rule], "clientConfig": {"service": service}, **changes}]}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, "error"),
        ({"failurePolicy": "Ignore"}, "warning"),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, ""),
        ({"rules": [{"operations": ["*"], "apiGroups": [""], "resources": ["nodes"]}]}, ""),
        ({"rules": [{"operations": ["DELETE"], "apiGroups": ["*"], "resources": ["*"]}]}, ""),
        ({"rules": [{"operations": ["*"], "apiGroups": ["*"], "resources": ["*/*"]}]}, "error"),
        ({"clientConfig": {"url": "https://example.com"}}, ""),
    ],
)
def test_webhooks_that_nobody_answers(changes: dict[str, Any], severity: str) -> None:
    written = webhooks.resources([workload("StatefulSet", "loki")])
    labels = {"kubernetes.io/metadata.name": NAMESPACE}
    hooks = list(webhooks.of_interest("validatingwebhookconfiguration", [hook(**changes)], labels, written))
    findings = webhooks.findings(hooks, {("other", "hook"): False})
    assert [finding.severity for finding in findings] == [severity] * bool(severity)
    assert webhooks.findings(hooks, {("other", "hook"): True}) == []
    assert all("kubectl delete validatingwebhookconfiguration old" in finding.hint for finding in findings)


def test_definitions_of_another_owner() -> None:
    groups = owners.groups_of([{"apiVersion": "monitoring.coreos.com/v1"}, {"apiVersion": "apps/v1"}])
    assert groups == {"monitoring.coreos.com"}

    def definition(name: str, **metadata: Any) -> Object:
        return {"metadata": {"name": name, **metadata}}

    items = [
        definition("probes.monitoring.coreos.com", labels={"olm.managed": "true"}),
        definition("prometheuses.monitoring.coreos.com", labels={"olm.managed": "true"}),
        definition("alertmanagers.monitoring.coreos.com"),
        definition("things.example.com", labels={"olm.managed": "true"}),
        definition("podmonitors.monitoring.coreos.com", annotations={"meta.helm.sh/release-name": "prometheus"}),
    ]
    (finding,) = owners.definitions(items, groups, ["prometheus"])
    assert finding.message.startswith("probes.monitoring.coreos.com and 1 more definitions belong to the Operator Life")


def test_releases_that_helm_has_not_ended() -> None:
    newest = [("loki", "pending-upgrade", 3600.0), ("tempo", "deployed", 9.0), ("other", "pending-install", 60.0)]
    first, second = owners.unfinished(newest, NAMESPACE, ["loki", "tempo"])
    assert first.message.startswith("Helm has been at upgrade of it for 3600 s")
    assert "recovers it" in first.hint
    assert second.hint == "helm rollback other -n ias-system"


@pytest.mark.parametrize(
    ("git", "spec", "labels", "platform"),
    [
        ("v1.34.1", {"providerID": "kind://docker/a/b"}, {}, "kind"),
        ("v1.34.1", {"providerID": "linode://1"}, {"lke.linode.com/pool-id": "1"}, "LKE"),
        ("v1.34.1+lke2", {"providerID": "linode://1"}, {"lke.linode.com/pool-id": "1"}, "LKE Enterprise"),
        ("v1.34.1-eks-abc", {}, {}, "EKS"),
        ("v1.34.1-gke.5", {}, {}, "GKE"),
        ("v1.34.1", {"providerID": "azure:///x"}, {"kubernetes.azure.com/cluster": "x"}, "AKS"),
        ("v1.34.1", {}, {}, ""),
    ],
)
def test_platforms(git: str, spec: dict[str, str], labels: dict[str, str], platform: str) -> None:
    nodes = [{"metadata": {"name": "a", "labels": labels}, "spec": spec}]
    assert control_plane.platform({"gitVersion": git}, nodes) == platform


def service(name: str, **selector: str) -> Object:
    metadata = {"name": f"prometheus-kube-prometheus-{name}", "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": selector}}


def test_a_monitor_of_the_control_plane_that_has_nothing_to_scrape() -> None:
    dns = pod("coredns-1", "w0", ("ReplicaSet", "coredns"), space="kube-system")
    dns["metadata"]["labels"]["k8s-app"] = "coredns"
    stack = [service("coredns", **{"k8s-app": "kube-dns"}), workload("StatefulSet", "loki")]
    (finding,) = found(stack, [dns])
    assert "no pod of kube-system has the labels k8s-app=kube-dns" in finding.message
    assert "coreDns: {service: {selector: {k8s-app: coredns}}}" in finding.hint
    dns["metadata"]["labels"]["k8s-app"] = "kube-dns"
    assert found(stack, [dns]) == []


def test_a_control_plane_that_is_the_providers() -> None:
    etcd = pod("etcd-1", "w0", ("Node", "w0"), space="kube-system")
    etcd["metadata"]["labels"]["component"] = "etcd"
    nodes = [node("w0", labels={"lke.linode.com/pool-id": "1"})]
    nodes[0]["status"] |= READY
    stack = [service("kube-etcd", component="etcd"), workload("StatefulSet", "loki")]
    (finding,) = found(stack, [etcd], nodes=nodes)
    assert "LKE runs it where nothing in the cluster can reach it" in finding.message
    assert finding.hint == "Set prometheus_values: {kubeEtcd: {enabled: false}}"
    assert found(stack, [etcd]) == []


def sources(name: str, default: str, kind: str = "ConfigMap") -> Object:
    text = f"datasources:\n- {{name: {name}, isDefault: {default}}}\n"
    content = text if kind == "ConfigMap" else base64.b64encode(text.encode()).decode()
    return {"kind": kind, "metadata": {"name": name.lower(), "namespace": "x"}, "data": {"sources.yaml": content}}


def test_two_default_data_sources() -> None:
    both = [sources("Prometheus", "true"), sources("Loki", "true", "Secret"), sources("Tempo", "false")]
    (finding,) = data_sources.findings(both)
    assert "Prometheus of ConfigMap x/prometheus, Loki of Secret x/loki" in finding.message
    assert data_sources.findings(both[1:]) == []
    broken = {"kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"b.yaml": "isDefault: ["}}
    assert data_sources.findings([*both[1:], broken]) == []


def test_the_sidecar_that_gathers_data_sources() -> None:
    gathering = container(
        env=[{"name": "LABEL", "value": "grafana_datasource"}, {"name": "FOLDER", "value": "/etc/grafana/datasources"}]
    )
    found_one = data_sources.sidecar(workloads([workload("Deployment", "grafana", gathering)], NAMESPACE))
    assert found_one is not None
    assert found_one.selector == "grafana_datasource"
    assert data_sources.sidecar(workloads([workload("Deployment", "grafana")], NAMESPACE)) is None


@pytest.mark.parametrize(("offset", "told"), [(0, ""), (-9, ""), (30, "30 s ahead"), (-90, "90 s behind")])
def test_clocks_of_nodes(offset: int, told: str) -> None:
    lease = {
        "metadata": {"name": "w0"},
        "spec": {"renewTime": f"2026-01-01T00:{10 + offset // 60:02}:{offset % 60:02}Z"},
    }
    at_ten = 1767226200.0
    messages = [finding.message for finding in clocks.nodes([lease], at_ten, ())]
    assert [told in message for message in messages] == [True] * bool(told)
    assert clocks.nodes([lease], at_ten, ["w0"]) == []
