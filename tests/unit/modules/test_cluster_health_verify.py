# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module against a fake API and a fake helm: one message with everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.module_utils._kube.permissions import DEPLOYER
from ansible_collections.ias.observability.plugins.module_utils._release import helm as release_helm
from ansible_collections.ias.observability.plugins.modules import cluster_health_verify
from tests.fakes.cluster import add_healthy_cluster
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube

NODE = "/api/v1/nodes/worker"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        add_healthy_cluster(server)
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    return FakeHelm(tmp_path)


@pytest.fixture
def run(kube: FakeKube, helm: FakeHelm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "helm_binary": str(helm.binary),
            "namespace": "ias-system",
            "storage_classes": ["fast"],
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            cluster_health_verify.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def ids(result: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in result["findings"]]


def test_a_healthy_cluster(kube: FakeKube, run: Run) -> None:
    assert run() == {"changed": False, "findings": []}
    assert run(storage_classes=[])["findings"] == []
    assert kube.writes() == []


@pytest.mark.parametrize(("minor", "expected"), [("28", ["cluster/version"]), ("29", []), ("29+", []), ("100", [])])
def test_version(kube: FakeKube, run: Run, minor: str, expected: list[str]) -> None:
    kube.version = {"major": "1", "minor": minor, "gitVersion": f"v1.{minor}.0"}
    assert ids(run()) == expected


def test_node_not_ready(kube: FakeKube, run: Run) -> None:
    kube.objects[NODE]["status"]["conditions"][0] |= {"status": "Unknown", "message": "Kubelet stopped posting"}
    result = run()
    assert ids(result) == ["cluster/node-not-ready"]
    assert "error: node worker: it is not ready: Kubelet stopped posting" in result["msg"]
    kube.objects[NODE]["status"] = {}
    assert "it has not reported yet" in run()["msg"]
    del kube.objects[NODE]
    assert ids(run()) == ["cluster/no-nodes"]


@pytest.mark.parametrize(("ready", "severity"), [(2, "warning"), (1, "error")])
def test_few_nodes_that_are_not_ready_are_a_warning(kube: FakeKube, run: Run, ready: int, severity: str) -> None:
    for number in range(ready):
        kube.add(f"/api/v1/nodes/other-{number}", status={"conditions": [{"type": "Ready", "status": "True"}]})
    kube.objects[NODE]["status"] = {}
    result = run()
    assert [finding["severity"] for finding in result["findings"]] == [severity]
    assert result.get("failed", False) is (severity == "error")


def test_storage_class(kube: FakeKube, run: Run) -> None:
    result = run(storage_classes=["fast", "faster"])
    assert ids(result) == ["cluster/storage-class"]
    assert "storage class faster does not exist (The cluster has fast)" in result["msg"]
    kube.objects["/apis/storage.k8s.io/v1/storageclasses/fast"]["metadata"]["annotations"] = {}
    assert "no storage class is the default (The cluster has fast)" in run(storage_classes=[])["msg"]


def test_rights(kube: FakeKube, run: Run) -> None:
    kube.denied |= {("create", "secrets"), ("patch", "clusterroles")}
    result = run()
    assert ids(result) == ["cluster/permission"]
    assert "may not, in namespace ias-system: patch clusterroles (cluster-wide), create secrets" in result["msg"]
    assert kube.writes() == []


def test_each_permission_that_is_missing_is_named(kube: FakeKube, run: Run) -> None:
    kube.denied |= {(permission.verb, permission.resource) for permission in DEPLOYER}
    *_, last = [finding["message"] for finding in run()["findings"] if finding["id"] == "cluster/permission"]
    listed = ", ".join(map(str, DEPLOYER))
    assert last == f"these credentials may not, in namespace ias-system: {listed}"


def test_a_right_to_look_is_missing(kube: FakeKube, run: Run) -> None:
    kube.denied.add(("list", "nodes"))
    kube.objects["/apis/storage.k8s.io/v1/storageclasses/fast"]["metadata"]["annotations"] = {}
    assert ids(run(storage_classes=[])) == ["cluster/permission", "cluster/storage-class", "cluster/permission"]


def test_namespace_that_is_being_deleted(kube: FakeKube, run: Run) -> None:
    kube.add("/api/v1/namespaces/ias-system", status={"phase": "Terminating"})
    assert ids(run()) == ["cluster/namespace-terminating"]


def test_everything_wrong_is_one_message(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    kube.version = {"major": "1", "minor": "20", "gitVersion": "v1.20.0"}
    kube.objects[NODE]["status"] = {}
    kube.denied.add(("create", "secrets"))
    helm.answers["version"] = "v3.19.0"
    helm.save()
    result = run(storage_classes=["fast", "faster"])
    assert ids(result) == [
        "cluster/version",
        "cluster/node-not-ready",
        "cluster/storage-class",
        "cluster/permission",
        "cluster/helm",
    ]
    assert result["msg"].startswith(f"the cluster at {kube.url} cannot take the stack: 5 errors\n")
    assert len(result["msg"].splitlines()) == 6


def test_no_cluster_and_no_helm(run: Run, tmp_path: Path) -> None:
    result = run(kubeconfig=str(tmp_path / "none"), helm_binary=str(tmp_path / "no-helm"))
    assert ids(result) == ["cluster/api", "cluster/helm"]


def test_an_inline_kubeconfig_does_not_show_its_secrets(kube: FakeKube, run: Run) -> None:
    kube.denied.add(("create", "secrets"))
    result = run(kubeconfig=kube.kubeconfig(), _ansible_inject_invocation=True)
    assert ids(result) == ["cluster/permission"]
    assert kube.token not in json.dumps(result)


def test_a_helm_that_never_ends(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(release_helm, "TIMEOUT_SECONDS", 0.2)
    result = run(helm_binary=str(hanging))
    assert "helm version did not end within 0.2 s (Is the chart's registry reachable?)" in result["msg"]


def test_a_helm_that_cannot_be_run(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/nowhere\n")
    broken.chmod(0o755)
    assert f"{broken} cannot be run: No such file or directory" in run(helm_binary=str(broken))["msg"]
