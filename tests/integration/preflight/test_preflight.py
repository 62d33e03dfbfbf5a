# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps the stack from being deployed is said in one clear message, before anything is written."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube
from tests.fakes.s3 import running_s3
from tests.integration.preflight.conftest import Site, Start


def refused(output: str, kube: FakeKube, *messages: str) -> None:
    for message in messages:
        assert message in output
    assert "Traceback" not in output
    assert output.count("FAILED!") == 1
    assert kube.writes() == []


def test_kubeconfig_that_does_not_exist(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "nowhere"
    refused(site(observability_kubeconfig=str(path)), kube, f"the kubeconfig {path} does not exist")


def test_credentials_that_are_not_accepted(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    path = kube.write_kubeconfig(tmp_path / "old")
    kube.token = "renewed"
    refused(site(observability_kubeconfig=str(path)), kube, "the Kubernetes API refused the credentials")


def test_api_that_cannot_be_reached(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        path = tmp_path / "closed"
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        path.write_text(kube.write_kubeconfig(tmp_path / "open").read_text().replace(kube.url, url))
        refused(site(observability_kubeconfig=str(path)), kube, f"the Kubernetes API at {url} cannot be reached")


def test_storage_class_that_does_not_exist(kube: FakeKube, site: Site) -> None:
    output = site(observability_storage_class="faster")
    refused(output, kube, "storage class faster does not exist (The cluster has fast)")


def test_object_storage_of_one_of_two_components(kube: FakeKube, site: Site) -> None:
    """Loki's is tried and is well; Tempo has no keys."""
    kube.add(
        "/api/v1/namespaces/ias-system/secrets/loki-s3",
        data={"LOKI_S3_ACCESS_KEY_ID": "eA==", "LOKI_S3_SECRET_ACCESS_KEY": "eQ=="},
    )
    with running_s3("ias-loki-chunks", "ias-loki-ruler") as s3:
        connection = {"endpoint": s3.endpoint, "insecure": True}
        values = {"loki": {"storage": {"object_store": {"s3": connection}}}}
        output = site(observability_profile="ha", loki_values=values)
    refused(output, kube, "error: tempo: Secret tempo-s3 does not exist in namespace ias-system")
    assert len(s3.headers) == 2 * 6
    assert s3.buckets == {"ias-loki-chunks": {}, "ias-loki-ruler": {}}


def test_object_storage_that_only_the_cluster_reaches_is_not_tried(kube: FakeKube, site: Site) -> None:
    """The run goes on to its lease."""
    kube.failures["POST /apis/coordination.k8s.io/v1/namespaces/ias-system/leases"] = [403]
    output = site(observability_profile="ha", observability_object_storage_check=False)
    assert "scripted failure" in output
    assert "Secret tempo-s3" not in output


def test_node_that_is_not_ready(kube: FakeKube, site: Site) -> None:
    kube.objects["/api/v1/nodes/worker"]["status"]["conditions"][0] |= {"status": "False", "message": "PLEG"}
    refused(site(), kube, "node worker: it is not ready: PLEG")


def test_helm_that_is_missing(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    output = site(observability_helm_binary=str(tmp_path / "no-helm"))
    refused(output, kube, "Helm is missing", "Install Helm >= 4 or set helm_binary to its path")


def test_helm_that_is_too_old(kube: FakeKube, helm: FakeHelm, site: Site) -> None:
    helm.answers["version"] = "v3.19.0+g1234567"
    helm.save()
    refused(site(), kube, "is v3.19.0+g1234567 (Helm >= 4 is required)")


def test_values_file_that_is_not_yaml(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("loki:\n  limits: [1, 2\n")
    output = site(tempo_values_files=[str(path)])
    refused(output, kube, f"the file {path} is not YAML: ")
    assert kube.requests == []


def test_alert_rules_that_are_wrong(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    rule = {"alert": "Broken", "expr": "sum(rate(http_requests_total)"}
    path.write_text(str({"groups": [{"name": "broken", "rules": [rule]}]}).replace("'", '"'))
    refused(site(prometheus_rule_files=[str(path)]), kube, "Broken")
    assert kube.requests == []


def test_routing_that_values_make_wrong(kube: FakeKube, site: Site) -> None:
    """The file is right; what is laid upon it is not."""
    route = {"alertmanager": {"config": {"route": {"receiver": "nobody"}}}}
    refused(site(prometheus_values=route), kube, "no receiver is called 'nobody'")
    assert kube.requests == []


def test_values_file_with_a_key_that_is_written_twice(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("tempo:\n  retention: 24h\n  retention: 48h\n")
    message = f"the file {path} cannot be used: key 'retention' is written twice in line 3, column 3"
    refused(site(tempo_values_files=[str(path)]), kube, message)
    assert kube.requests == []


def test_rule_file_that_is_listed_twice(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    refused(site(prometheus_rule_files=[str(path), str(path)]), kube, f"{path}: listed more than once")
    assert kube.requests == []


def test_receiver_that_the_routing_does_not_have(kube: FakeKube, site: Site) -> None:
    output = site(prometheus_receivers=[{"name": "pager", "type": "webhook", "secret": "pager"}])
    assert "receiver 'pager' does not exist: the routing has page, ticket, info, watchdog, none" in output
    assert kube.requests == []


def test_everything_that_is_wrong_is_one_message(kube: FakeKube, site: Site, tmp_path: Path) -> None:
    kube.objects["/api/v1/nodes/worker"]["status"] = {}
    kube.denied.add(("create", "secrets"))
    output = site(observability_storage_class="faster", observability_helm_binary=str(tmp_path / "no-helm"))
    refused(output, kube, "cannot take the stack: 4 errors", "cluster/node-not-ready", "cluster/storage-class")
    refused(output, kube, "cluster/permission", "cluster/helm")


LEASES = "/apis/coordination.k8s.io/v1/namespaces/ias-system/leases"
LEASE = f"{LEASES}/ias-observability"


def test_inventory_without_a_cluster(kube: FakeKube, site: Site) -> None:
    output = site(group="monitoring")
    refused(output, kube, "The inventory has no host in group observability", "Use an inventory like inventories/prod")
    assert kube.requests == []


def test_another_run_is_deploying(kube: FakeKube, site: Site) -> None:
    kube.serves.add(LEASES)
    kube.add("/api/v1/namespaces/ias-system")
    now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    spec = {"holderIdentity": "elsewhere/1", "leaseDurationSeconds": 600, "acquireTime": now, "renewTime": now}
    kube.add(LEASE, spec=spec)
    refused(site(), kube, "elsewhere/1 is deploying to namespace ias-system since")


def test_a_run_that_fails_lets_the_next_one_begin(kube: FakeKube, site: Site) -> None:
    """It fails once it deploys: the API in memory has no discovery, which kubernetes.core wants."""
    kube.serves.add(LEASES)
    output = site()
    assert "TASK [ias.observability.prometheus : Look for the namespace]" in output
    assert [request.method for request in kube.writes() if request.path in {LEASES, LEASE}] == ["POST", "DELETE"]
    assert LEASE not in kube.objects


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_no_file(kube: FakeKube, start: Start, tmp_path: Path, end: int) -> None:
    """What a module is given may hold secrets. It is killed while a module waits for an answer."""
    kube.silent.add("/nodes")
    with start() as process:
        while not any(request.path.endswith("/nodes") for request in kube.requests):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                raise AssertionError(process.communicate()[0])
        os.killpg(process.pid, end)
    left = [file for folder in ("remote", "local") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    code = "ansiballz_cache"  # the module's code alone
    assert [file for file in left if file.stat().st_size and file.parent.name != code] == []
