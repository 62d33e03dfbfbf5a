# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module against a fake API and a fake helm: one message with everything that is wrong."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.module_utils._kube.permissions import DEPLOYER, PREFLIGHT
from ansible_collections.ias.observability.plugins.module_utils._release import helm as release_helm
from ansible_collections.ias.observability.plugins.module_utils._release import history
from ansible_collections.ias.observability.plugins.modules import cluster_health_verify
from tests.fakes.cluster import add_healthy_cluster
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube
from tests.unit._preflight.clusters import apart, container, pod, workload

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
    assert run() == {"changed": False, "findings": [], "platform": "", "waived": []}
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
    (message,) = [finding["message"] for finding in run()["findings"] if finding["id"] == "cluster/permission"]
    listed = ", ".join(map(str, DEPLOYER))
    assert message == f"these credentials may not, in namespace ias-system: {listed}"


def test_a_right_to_look_is_missing(kube: FakeKube, run: Run) -> None:
    kube.denied.add(("list", "nodes"))
    kube.objects["/apis/storage.k8s.io/v1/storageclasses/fast"]["metadata"]["annotations"] = {}
    assert ids(run(storage_classes=[])) == ["cluster/storage-class", "cluster/permission", "cluster/unread"]


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


LOKI = workload("StatefulSet", "loki", container("100m", "2Gi"), replicas=2, affinity=apart("loki"), claims="fast")
RELEASE = {"name": "loki", "namespace": "ias-system", "chart_ref": "oci://example/loki", "chart_version": "1.0.0"}


def deployed(kube: FakeKube, manifest: str, status: str = "deployed", **values: Any) -> None:
    """A revision of release loki."""
    metadata = {"labels": {"owner": "helm", "name": "loki", "version": "1", "status": status}}
    body = {
        "version": 1,
        "info": {"status": status},
        "manifest": manifest,
        "config": values,
        "chart": {"metadata": {"name": "loki", "version": "1.0.0"}},
    }
    kube.add("/api/v1/namespaces/ias-system", status={"phase": "Active"})
    kube.add(
        "/api/v1/namespaces/ias-system/secrets/sh.helm.release.v1.loki.v1",
        metadata={**metadata, "creationTimestamp": kube.clock()},
        data={"release": history.encode(body)},
    )


def test_pods_that_do_not_fit(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    helm.answer("template", json.dumps(LOKI))
    result = run(releases=[RELEASE])
    assert ids(result) == ["cluster/fit"]
    assert "1 pod does not fit: loki-1 needs 100m CPU, 2 GiB memory" in result["msg"]
    assert "on a node that has no other loki" in result["msg"]
    kube.add("/api/v1/nodes/other", **{name: kube.objects[NODE][name] for name in ("status",)})
    assert ids(run(releases=[RELEASE])) == []


def test_what_is_deployed_is_neither_rendered_nor_added_again(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    kube.add("/api/v1/nodes/other", **{name: kube.objects[NODE][name] for name in ("status",)})
    deployed(kube, json.dumps(LOKI), key="value")
    for number, name in enumerate(("worker", "other")):
        body = pod(f"loki-{number}", name, ("StatefulSet", "loki"), container("100m", "2Gi"))
        body["metadata"].pop("namespace")
        kube.add(f"/api/v1/namespaces/ias-system/pods/loki-{number}", **body)
    for name in (NODE, "/api/v1/nodes/other"):
        kube.objects[name]["status"] |= {"allocatable": {"cpu": "200m", "memory": "2Gi", "pods": "9"}}
    assert ids(run(releases=[{**RELEASE, "values": {"key": "value"}}])) == []
    assert helm.calls() == []
    helm.answer("template", json.dumps(LOKI))
    assert ids(run(releases=[{**RELEASE, "values": {"key": "other"}}])) == []
    assert [call["arguments"][0] for call in helm.calls()] == ["template"]


def test_a_chart_that_cannot_be_rendered(helm: FakeHelm, run: Run) -> None:
    helm.answer("template", error="values don't meet the specifications: key is s3cret-value")
    result = run(releases=[{**RELEASE, "values": {"key": "s3cret-value"}}])
    assert ids(result) == ["cluster/render"]
    assert "release loki: helm template loki" in result["msg"]
    assert "s3cret-value" not in json.dumps(result)


def test_what_may_not_be_read_is_a_warning_that_names_it(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    asked = [one for one in PREFLIGHT if one.resource not in {"configmaps", "endpointslices"}]  # where there is need
    kube.denied |= {(permission.verb, permission.resource) for permission in asked}
    helm.answer("template", json.dumps({**LOKI, "spec": {**LOKI["spec"], "replicas": 1}}))
    result = run(releases=[RELEASE])
    assert ids(result) == ["cluster/unread"]
    (finding,) = result["findings"]
    assert finding["severity"] == "warning"
    assert all(str(permission) in finding["message"] for permission in asked)
    assert "failed" not in result


def test_a_finding_may_be_waived(kube: FakeKube, run: Run, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("waivers: [{id: cluster/storage-class, reason: It is made later, until: 2999-01-01}]\n")
    result = run(storage_classes=["faster"], waivers=str(waivers))
    assert result["findings"] == []
    assert [finding["id"] for finding in result["waived"]] == ["cluster/storage-class"]


def test_what_others_have_left(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    deployed(kube, "", "pending-upgrade")
    webhook = {
        "name": "check.example.com",
        "clientConfig": {"service": {"namespace": "gone", "name": "hook"}},
        "rules": [{"operations": ["*"], "apiGroups": ["*"], "resources": ["pods"]}],
    }
    kube.add("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check", webhooks=[webhook])
    kube.add(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/prometheuses.monitoring.coreos.com",
        metadata={"annotations": {"meta.helm.sh/release-name": "crds", "meta.helm.sh/release-namespace": "other"}},
    )
    prometheus = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "p"}, "spec": {}}
    helm.answer("template", json.dumps(prometheus))
    result = run(releases=[RELEASE])
    assert ids(result) == ["cluster/webhook", "cluster/crd-owner", "cluster/pending-release"]
    assert "service gone/hook has no ready endpoint, so what this run writes is refused" in result["msg"]
    assert "prometheuses.monitoring.coreos.com belong to Helm release other/crds" in result["msg"]
    kube.add(
        "/apis/discovery.k8s.io/v1/namespaces/gone/endpointslices/hook",
        metadata={"labels": {"kubernetes.io/service-name": "hook"}},
        endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
    )
    assert "cluster/webhook" not in ids(run(releases=[RELEASE]))


def test_a_clock_that_is_wrong(kube: FakeKube, run: Run) -> None:
    kube.skew = -300.0
    result = run()
    assert ids(result) == ["cluster/clock"]
    assert re.match(r"this host's clock is 30[01] s ahead of the API server's", result["findings"][0]["message"])
    kube.skew = 0.0
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90)
    kube.add(
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker",
        spec={"renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
    )
    (finding,) = run()["findings"]
    assert finding["object"] == "node worker"
    assert "s ahead of the API server's" in finding["message"]


def test_the_values_of_releases_are_not_shown(helm: FakeHelm, run: Run) -> None:
    helm.answer("template", "")
    result = run(releases=[{**RELEASE, "values": {"password": "s3cret-value"}}], _ansible_inject_invocation=True)
    assert "s3cret-value" not in json.dumps(result)
