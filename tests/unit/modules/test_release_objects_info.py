# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module against a fake API with one release, what it made, and what belongs to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.modules import release_objects_info
from tests.fakes.kube import FakeKube
from tests.unit.modules.releases import record, store

Run = Callable[..., dict[str, Any]]
OURS = {"app.kubernetes.io/managed-by": "ias.observability"}
MANIFEST = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: demo}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: demo}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator}
spec:
  template:
    spec:
      containers:
        - {name: operator, args: [--kubelet-service=kube-system/demo-kubelet, --log-level=info]}
"""
HOOK = """
apiVersion: batch/v1
kind: Job
metadata: {name: certificate}
spec:
  template:
    spec:
      containers:
        - {name: make, args: [create, --namespace=ias-system, --secret-name=demo-admission]}
"""


def resource(kind: str, plural: str, *, namespaced: bool = True) -> dict[str, Any]:
    return {"kind": kind, "name": plural, "namespaced": namespaced}


DISCOVERY = {
    "/api/v1": [
        resource("Secret", "secrets"),
        resource("Service", "services"),
        resource("PersistentVolumeClaim", "persistentvolumeclaims"),
    ],
    "/apis/apps/v1": [resource("StatefulSet", "statefulsets"), resource("Deployment", "deployments")],
    "/apis/batch/v1": [resource("Job", "jobs")],
    "/apis/rbac.authorization.k8s.io/v1": [resource("ClusterRole", "clusterroles", namespaced=False)],
    "/apis/monitoring.coreos.com/v1": [
        resource("Prometheus", "prometheuses"),
        resource("PrometheusRule", "prometheusrules"),
    ],
    "/apis/apiextensions.k8s.io/v1": [
        resource("CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
    ],
}
SPACE = "namespaces/ias-system"
OPERATOR = f"/apis/monitoring.coreos.com/v1/{SPACE}"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CLAIMS = f"/api/v1/{SPACE}/persistentvolumeclaims"


def claim(kube: FakeKube, name: str, instance: str, manager: str = "Helm") -> None:
    labels = {"app.kubernetes.io/instance": instance, "app.kubernetes.io/managed-by": manager}
    kube.add(f"{CLAIMS}/{name}", spec={"volumeName": f"pv-{name}"}, metadata={"labels": labels})


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.discovery.update(DISCOVERY)
        server.serves.add(DEFINITIONS)
        store(server, record(2, "deployed", MANIFEST, hooks=[{"manifest": HOOK}]))
        server.add(f"/apis/apps/v1/{SPACE}/statefulsets/demo")
        server.add("/apis/rbac.authorization.k8s.io/v1/clusterroles/demo")
        server.add(f"{OPERATOR}/prometheuses/main")
        server.add(f"/apis/apps/v1/{SPACE}/deployments/operator")
        server.add("/api/v1/namespaces/kube-system/services/demo-kubelet")
        server.add(f"/api/v1/{SPACE}/secrets/demo-admission")
        server.add(f"/api/v1/{SPACE}/secrets/admin", metadata={"labels": OURS})
        server.add(f"{OPERATOR}/prometheusrules/alerts", metadata={"labels": OURS})
        for name in ("data-demo-0", "data-demo-1"):
            claim(server, name, "demo")
        claim(server, "db-prometheus-main-0", "demo-main", "prometheus-operator")
        # of others
        claim(server, "data-postgres-0", "postgres")
        claim(server, "data-demo-0-of-another", "demo-two")
        claim(server, "db-prometheus-theirs-0", "theirs-main", "prometheus-operator")
        server.add("/api/v1/namespaces/kube-system/services/kubelet")
        yield server


@pytest.fixture
def run(kube: FakeKube, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "namespace": "ias-system",
            "releases": ["demo", "not-installed"],
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            release_objects_info.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def named(result: dict[str, Any]) -> set[str]:
    return {f"{item['origin']} {item['kind']} {item['namespace']}/{item['name']}" for item in result["objects"]}


def test_everything_that_a_release_brought_and_nothing_of_others(run: Run) -> None:
    assert named(run()) == {
        "release StatefulSet ias-system/demo",
        "release ClusterRole /demo",
        "release Prometheus ias-system/main",
        "release Deployment ias-system/operator",
        "program Service kube-system/demo-kubelet",
        "program Secret ias-system/demo-admission",
        "claim PersistentVolumeClaim ias-system/data-demo-0",
        "claim PersistentVolumeClaim ias-system/data-demo-1",
        "claim PersistentVolumeClaim ias-system/db-prometheus-main-0",
        "collection Secret ias-system/admin",
        "collection PrometheusRule ias-system/alerts",
    }


def test_a_claim_names_its_volume(run: Run) -> None:
    volumes = {item["name"]: item["volume"] for item in run()["objects"] if item["volume"]}
    assert volumes["data-demo-0"] == "pv-data-demo-0"


@pytest.mark.parametrize("owner", ["ias-system", "search"])
def test_a_definition_that_others_use_says_so(kube: FakeKube, run: Run, owner: str) -> None:
    spec = {
        "group": "monitoring.coreos.com",
        "names": {"kind": "PrometheusRule", "plural": "prometheusrules"},
        "versions": [{"name": "v1", "served": True}],
    }
    managers = [{"manager": "ias.observability"}]
    kube.add(f"{DEFINITIONS}/prometheusrules.monitoring.coreos.com", spec=spec, metadata={"managedFields": managers})
    kube.add(
        f"{DEFINITIONS}/certificates.cert-manager.io", spec=spec, metadata={"managedFields": [{"manager": "helm"}]}
    )
    if owner == "search":
        kube.add("/apis/monitoring.coreos.com/v1/namespaces/search/prometheusrules/theirs")
    definitions = {item["name"]: item["in_use"] for item in run()["objects"] if item["origin"] == "definition"}
    assert definitions == {"prometheusrules.monitoring.coreos.com": owner == "search"}


def test_what_is_left_of_an_earlier_list(kube: FakeKube, run: Run) -> None:
    before = run()["objects"]
    for path in list(kube.objects):
        if not path.endswith("/demo-kubelet"):
            del kube.objects[path]
    assert named(run(objects=before)) == {"program Service kube-system/demo-kubelet"}


def test_the_claims_of_a_release_that_is_gone(kube: FakeKube, run: Run) -> None:
    """Kept by an earlier uninstall; the records of Helm are gone."""
    del kube.objects[f"/api/v1/{SPACE}/secrets/sh.helm.release.v1.demo.v2"]
    assert {name for name in named(run()) if name.startswith("claim ")} == {
        "claim PersistentVolumeClaim ias-system/data-demo-0",
        "claim PersistentVolumeClaim ias-system/data-demo-1",
        "claim PersistentVolumeClaim ias-system/db-prometheus-main-0",
    }


def test_a_right_that_is_missing_is_named(kube: FakeKube, run: Run) -> None:
    kube.denied.add(("list", "persistentvolumeclaims"))
    result = run()
    assert result["failed"] is True
    assert "the objects of demo, not-installed cannot be listed" in result["msg"]
    assert "persistentvolumeclaims" in result["msg"]
