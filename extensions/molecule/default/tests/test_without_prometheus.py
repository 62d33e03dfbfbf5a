# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proofs can fail: with Prometheus gone, Grafana's data source and the whole verification say so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, KubeError
from tests.lab.workloads import NAMESPACE

Ask = Callable[..., tuple[int, Any]]

CUSTOM_RESOURCE = (
    f"/apis/monitoring.coreos.com/v1/namespaces/{NAMESPACE}/prometheuses/prometheus-kube-prometheus-prometheus"
)
PROMETHEUS = ("prometheus-kube-prometheus-prometheus", 9090)


def scale(cluster: Cluster, replicas: int) -> None:
    """Set the replicas as a user of Helm's own field manager would, without a trace of another owner."""
    answer = cluster.client.rest_client.pool_manager.request(
        "PATCH",
        cluster.host + CUSTOM_RESOURCE + "?fieldManager=helm",
        body=f'{{"spec": {{"replicas": {replicas}}}}}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.status == 200, answer.data


@pytest.fixture
def without_prometheus(cluster: Cluster, http: Ask, eventually: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    def answers() -> bool:
        try:
            return http(*PROMETHEUS, "/-/ready")[0] == 200
        except KubeError:
            return False

    scale(cluster, 0)
    try:
        eventually(lambda: not answers())
        yield
    finally:
        scale(cluster, 1)
        eventually(answers)


def test_the_proofs_fail_without_prometheus(
    without_prometheus: None, http: Ask, admin: str, prove: Callable[[], subprocess.CompletedProcess[str]]
) -> None:
    health = http("prometheus-grafana", 80, "/api/datasources/uid/prometheus/health", headers={"Authorization": admin})
    assert health[0] == 400
    assert health[1]["status"] == "ERROR"
    ended = prove()
    assert ended.returncode != 0
    assert "prometheus" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
