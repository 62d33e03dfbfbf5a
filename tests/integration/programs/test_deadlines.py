# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every proof ends with its timeout, whatever the servers do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._verify import proof
from ansible_collections.ias.observability.plugins.modules import (
    alert_delivery_verify,
    cluster_health_verify,
    dashboards_verify,
    grafana_backup,
    pod_logs_verify,
    rollout_verify,
    scrape_targets_verify,
    trace_verify,
)
from tests.fakes import hostile
from tests.fakes.hostile import Script, hostile_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.unit.modules.proofs import PROOFS

NAMESPACE = "/api/v1/namespaces/ias-system"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices"
TIMEOUT = 1
AT_MOST = TIMEOUT + 2.0  # a second for the last check, and one for this machine
LATE = [hostile.drips_its_body, hostile.asks_to_wait]
"""One that is slow and one that makes the client slow; tests/unit/_http has all."""


def timed(module: ModuleType, **options: Any) -> dict[str, Any]:
    started = time.monotonic()
    result = run_module(module, **options)
    assert time.monotonic() - started < AT_MOST
    assert result["failed"] is True
    return result


@pytest.mark.parametrize("script", LATE)
@pytest.mark.parametrize("module", PROOFS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_late_service(module: ModuleType, script: Script) -> None:
    services, options = PROOFS[module]
    with hostile_server(script) as url:
        result = timed(module, timeout=TIMEOUT, **options, **{service: {"url": url} for service in services})
    assert [finding["id"] for finding in result["findings"]] == ["verify/unreachable"]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.serves.add(SLICES)
        for service, port in (("loki", 3100), ("prometheus-kube-prometheus-prometheus", 9090)):
            server.add(f"{NAMESPACE}/services/{service}", spec={"ports": [{"name": "http", "port": port}]})
            server.add(
                f"{SLICES}/{service}-1",
                metadata={"labels": {"kubernetes.io/service-name": service}},
                ports=[{"name": "http", "port": port}],
                endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": f"{service}-0"}}],
            )
        containers = [{"name": "web", "state": {"running": {"startedAt": "1"}}}]
        server.add(f"{NAMESPACE}/pods/web-0", status={"containerStatuses": containers})
        yield server


@pytest.fixture(autouse=True)
def short_last_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "LAST_CHECK_SECONDS", 0.2)
    monkeypatch.setattr(rollout_verify, "LAST_CHECK_SECONDS", 0.2)


@pytest.fixture
def kubeconfig(kube: FakeKube, tmp_path: Path) -> str:
    return str(kube.write_kubeconfig(tmp_path / "kubeconfig"))


IN_A_CLUSTER = [pod_logs_verify, scrape_targets_verify]


@pytest.mark.parametrize("module", IN_A_CLUSTER)
def test_a_port_forward_that_never_opens(module: ModuleType, kube: FakeKube, kubeconfig: str) -> None:
    kube.silent.add("/portforward")
    assert "did not open within" in timed(module, kubeconfig=kubeconfig, timeout=TIMEOUT)["msg"]


@pytest.mark.parametrize("module", IN_A_CLUSTER)
@pytest.mark.parametrize("script", LATE)
def test_a_tunnel_to_a_late_pod(module: ModuleType, script: Script, kube: FakeKube, kubeconfig: str) -> None:
    with hostile_server(script) as url:
        port = int(url.rpartition(":")[2])
        kube.ports |= {("loki-0", 3100): port, ("prometheus-kube-prometheus-prometheus-0", 9090): port}
        timed(module, kubeconfig=kubeconfig, timeout=TIMEOUT)


@pytest.mark.parametrize("module", [*IN_A_CLUSTER, rollout_verify])
@pytest.mark.parametrize("script", LATE)
def test_a_late_api_server(module: ModuleType, script: Script, kube: FakeKube, tmp_path: Path) -> None:
    releases = {"releases": [{"name": "loki", "namespace": "ias-system"}]} if module is rollout_verify else {}
    with hostile_server(script) as url:
        timed(module, kubeconfig=elsewhere(kube, url, tmp_path), timeout=TIMEOUT, **releases)


def test_an_api_server_that_is_overloaded(kube: FakeKube, kubeconfig: str) -> None:
    kube.failures[f"{NAMESPACE}/services/loki"] = [429] * 20
    kube.headers["Retry-After"] = "3600"
    assert "429" in timed(pod_logs_verify, kubeconfig=kubeconfig, timeout=TIMEOUT)["msg"]


@pytest.mark.parametrize("script", LATE)
def test_a_module_without_a_timeout(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "CALL_SECONDS", TIMEOUT)
    with hostile_server(script) as url:
        timed(grafana_backup, grafana={"url": url, "token": "x"}, dest=str(tmp_path))


@pytest.mark.parametrize("script", LATE)
def test_the_health_of_a_late_cluster(
    script: Script, kube: FakeKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_health_verify, "WHOLE_SECONDS", TIMEOUT)
    with hostile_server(script) as url:
        timed(cluster_health_verify, kubeconfig=elsewhere(kube, url, tmp_path), namespace="ias-system")


@pytest.mark.parametrize("module", [*IN_A_CLUSTER, alert_delivery_verify, dashboards_verify, trace_verify])
def test_where_there_is_no_cluster_none_is_waited_for(
    module: ModuleType, kube: FakeKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "UNREACHABLE_SECONDS", 0.1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        path = elsewhere(kube, f"http://127.0.0.1:{taken.getsockname()[1]}", tmp_path)
        options = {"folder": "x"} if module is dashboards_verify else {}
        result = timed(module, kubeconfig=path, timeout=600, interval=0, **options)
    assert "cannot be reached: " in result["msg"]
    assert [finding["id"] for finding in result["findings"]] == ["verify/no-cluster"]


@pytest.mark.parametrize("module", [*IN_A_CLUSTER, alert_delivery_verify])
def test_a_kubeconfig_that_is_not_there_is_told_at_once(module: ModuleType, tmp_path: Path) -> None:
    assert "does not exist" in timed(module, kubeconfig=str(tmp_path / "none"), timeout=600)["msg"]


def elsewhere(kube: FakeKube, url: str, folder: Path) -> str:
    """A kubeconfig that names another server."""
    config = kube.kubeconfig()
    config["clusters"][0]["cluster"]["server"] = url
    path = folder / "elsewhere"
    path.write_text(yaml.safe_dump(config))
    return str(path)
