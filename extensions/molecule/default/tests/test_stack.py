# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end state that site.yml promises, looked at from outside the playbook and inside the pods."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster
from tests.lab.workloads import NAMESPACE

Ask = Callable[..., tuple[int, Any]]
Pods = Callable[[str], list[dict[str, Any]]]

PROMETHEUS = ("prometheus-kube-prometheus-prometheus", 9090)
CLAIMS = {
    "prometheus-prometheus-kube-prometheus-prometheus-db-prometheus-prometheus-kube-prometheus-prometheus-0",
    "alertmanager-prometheus-kube-prometheus-alertmanager-db-alertmanager-prometheus-kube-prometheus-alertmanager-0",
    "prometheus-grafana",
    "storage-loki-0",
    "storage-tempo-0",
}


def test_every_pod_is_ready(cluster: Cluster) -> None:
    waiting = [
        pod["metadata"]["name"]
        for pod in cluster.items("/api/v1/pods")
        if pod["status"]["phase"] != "Succeeded"
        and not all(status["ready"] for status in pod["status"].get("containerStatuses", [{"ready": False}]))
    ]
    assert waiting == []


def test_the_claims_are_bound_with_an_explicit_class(cluster: Cluster) -> None:
    claims = {
        claim["metadata"]["name"]: claim
        for claim in cluster.items(f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims")
    }
    assert set(claims) == CLAIMS
    assert {claim["status"]["phase"] for claim in claims.values()} == {"Bound"}
    assert {claim["spec"]["storageClassName"] for claim in claims.values()} <= {
        "linode-block-storage",
        "linode-block-storage-retain",
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("prometheus", "/prometheus"),
        ("grafana", "/var/lib/grafana"),
        ("loki", "/var/loki"),
        ("tempo", "/var/tempo"),
        ("alloy", "/var/lib/alloy"),
    ],
)
def test_data_outlives_its_pod(pods: Pods, name: str, path: str) -> None:
    spec = pods(f"app.kubernetes.io/name={name}")[0]["spec"]
    container = next(one for one in spec["containers"] if one["name"] == name)
    mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volume = next(volume for volume in spec["volumes"] if volume["name"] == mounted[path])
    assert {"persistentVolumeClaim", "hostPath"} & set(volume)


@pytest.mark.parametrize("name", ["prometheus", "grafana", "loki", "tempo"])
def test_no_program_of_the_stack_runs_as_root(pods: Pods, name: str) -> None:
    spec = pods(f"app.kubernetes.io/name={name}")[0]["spec"]
    container = next(one for one in spec["containers"] if one["name"] == name)
    context = {**spec["securityContext"], **container.get("securityContext", {})}
    assert context["runAsNonRoot"]
    assert context["runAsUser"] != 0


# The other images have no shell, where they are the published ones.
def test_grafana_is_who_its_chart_says(shell: Callable[[str, str], Any]) -> None:
    assert shell("app.kubernetes.io/name=grafana", "grafana").check_output("id -u") == "472"


def test_alloy_keeps_its_positions_on_the_node(shell: Callable[[str, str], Any]) -> None:
    alloy = shell("app.kubernetes.io/name=alloy", "alloy")
    assert alloy.file("/var/lib/alloy/loki.source.file.pods/positions.yml").contains("/var/log/pods/")


def test_loki_applies_its_retention(http: Ask) -> None:
    status, config = http("loki", 3100, "/config")
    assert status == 200
    loaded = yaml.safe_load(config)
    assert loaded["compactor"]["retention_enabled"]
    assert loaded["limits_config"]["retention_period"] not in {"0s", ""}


def test_grafana_takes_the_password_of_the_secret_and_no_other(http: Ask, admin: str) -> None:
    assert http("prometheus-grafana", 80, "/api/org", headers={"Authorization": admin})[0] == 200
    assert http("prometheus-grafana", 80, "/api/org", headers={"Authorization": "Basic YWRtaW46YWRtaW4="})[0] == 401


def test_the_generator_of_tempo_reaches_prometheus(http: Ask) -> None:
    status, answer = http(*PROMETHEUS, "/api/v1/query?query=sum(traces_spanmetrics_calls_total)")
    assert status == 200
    assert float(answer["data"]["result"][0]["value"][1]) > 0


def test_a_trace_makes_the_round_trip(http: Ask, eventually: Callable[[Callable[[], bool]], None]) -> None:
    trace_id, now = secrets.token_hex(16), time.time_ns()
    span = {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "name": "round-trip",
        "kind": 1,
        "startTimeUnixNano": str(now - 1_000_000),
        "endTimeUnixNano": str(now),
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "stack-test"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    assert http("tempo", 4318, "/v1/traces", body)[0] == 200
    eventually(lambda: http("tempo", 3200, f"/api/traces/{trace_id}")[0] == 200)


def test_logs_of_static_pods_arrive(http: Ask) -> None:
    query = 'count_over_time({namespace="kube-system", container="kube-apiserver"}[1h])'
    status, answer = http("loki", 3100, f"/loki/api/v1/query?query={query}".replace(" ", "%20").replace('"', "%22"))
    assert status == 200
    assert answer["data"]["result"]
