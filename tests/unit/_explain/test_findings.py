# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read for the findings of the contract's and the dashboards' proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ansible_collections.ias.observability.plugins.module_utils import _kube
from ansible_collections.ias.observability.plugins.module_utils._causes.merge import merged
from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._explain import findings as causes
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._grafana.client import Grafana
from ansible_collections.ias.observability.plugins.module_utils._http import Api
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.kube import FakeKube

HOME = "ias-system"
CONTRACT = """
services:
  web:
    job: web
    metrics:
      a_total: {type: counter, unit: requests, help: A.}
      b_total: {type: counter, unit: requests, help: B.}
"""
PROXY = "/api/datasources/proxy/uid/prometheus"


@pytest.fixture
def server() -> Iterator[Server]:
    """A Prometheus without a series, also behind Grafana."""
    with running_server() as running:
        for prefix in ("", PROXY):
            running.ok("POST", f"{prefix}/api/v1/query", {"data": {"resultType": "vector", "result": []}})
            running.ok("GET", f"{prefix}/api/v1/targets", {"data": {"activeTargets": [], "droppedTargetCounts": {}}})
            running.ok("GET", f"{prefix}/api/v1/rules", {"data": {"groups": []}})
        source = {"uid": "prometheus", "name": "Prometheus", "type": "prometheus", "isDefault": True}
        running.ok("GET", "/api/datasources", [source])
        yield running


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[_kube.Cluster]:
    """web is scaled to 0."""
    with FakeKube() as kube:
        labels = {"app": "web"}
        space = f"namespaces/{HOME}"
        monitoring = f"/apis/monitoring.coreos.com/v1/{space}"
        ports = [{"name": "http", "port": 80}]
        kube.serves |= {"/api/v1/pods", "/api/v1/services"}
        kube.add(
            f"/api/v1/{space}/services/web", metadata={"labels": labels}, spec={"selector": labels, "ports": ports}
        )
        kube.add(
            f"{monitoring}/servicemonitors/web",
            spec={"selector": {"matchLabels": labels}, "endpoints": [{"port": "http"}]},
        )
        kube.add(f"{monitoring}/prometheuses/main", spec={"serviceMonitorSelector": {}})
        template = {"metadata": {"labels": labels}}
        kube.add(f"/apis/apps/v1/{space}/deployments/web", spec={"replicas": 0, "template": template})
        yield _kube.Cluster(_kube.connect({"kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig"))}))


@pytest.fixture
def api(server: Server) -> Api:
    return Api(urllib3.PoolManager(), server.url)


GONE = "Deployment ias-system/web is scaled to 0: "


def contract_findings(cluster: _kube.Cluster, api: Api, *findings: Finding) -> list[str]:
    known = load("services.yaml", CONTRACT, RuleReport())
    return [one.message for one in merged(causes.contract(cluster, api, HOME, known, findings))]


def finding(identity: str, about: str, **evidence: Any) -> Finding:
    return Finding(identity, "error", "it is not there", object=about, evidence=evidence)


def test_metrics_of_one_service_that_is_gone_are_one_finding(cluster: _kube.Cluster, api: Api) -> None:
    missing = [finding("contract/missing", f"web/{name}_total") for name in "ab"]
    assert contract_findings(cluster, api, *missing) == [f"{GONE}2 metrics have no series"]
    assert contract_findings(cluster, api, finding("contract/no-target", "web")) == [f"{GONE}it is not there"]
    assert contract_findings(cluster, api, finding("contract/type", "web/a_total")) == ["it is not there"]


def test_where_nothing_answers_findings_stay_as_they_are(server: Server, cluster: _kube.Cluster, api: Api) -> None:
    server.on("POST", "/api/v1/query", Reply(503))
    assert contract_findings(cluster, api, finding("contract/missing", "web/a_total")) == ["it is not there"]


@pytest.mark.parametrize(
    ("of_dashboards", "cause"),
    [
        (lambda: finding("dashboards/job-gone", "job web"), GONE),
        (
            lambda: finding("dashboards/no-data", "A/b", panels={"A/b": "sum(rate(c_total[$__rate_interval]))"}),
            "Prometheus has no metric c_total",
        ),
        (lambda: finding("dashboards/no-data", "A/b", panels={"A/b": '{app="web"} |= "x"'}), "it is not there"),
        (lambda: finding("dashboards/missing", "A"), "it is not there"),
    ],
)
def test_what_dashboards_miss(
    cluster: _kube.Cluster, api: Api, of_dashboards: Callable[[], Finding], cause: str
) -> None:
    (found,) = merged(causes.dashboards(cluster, Grafana(api), HOME, [of_dashboards()]))
    assert found.message.startswith(cause)
