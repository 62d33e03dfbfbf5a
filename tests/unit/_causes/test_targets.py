# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a monitor has no target, and why a target is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._causes.scrapes import target_chain
from ansible_collections.ias.observability.plugins.module_utils._causes.targets import idle_chain, job_chain
from ansible_collections.ias.observability.plugins.module_utils._prometheus import Target

from .states import HOME, event, healthy, objects, pod, said, thing, workload

POOL = f"serviceMonitor/{HOME}/web/0"
Kinds = dict[str, list[dict[str, Any]]]
Change = Callable[[Kinds], object]


def idle(change: Change = lambda kinds: None, pools: dict[str, int] | None = None) -> str:
    kinds = healthy()
    change(kinds)
    return said(idle_chain(POOL, {"other": 1} if pools is None else pools, objects(kinds, moment=2e9), HOME))


def monitor(kinds: Kinds) -> Any:
    return kinds["servicemonitors"][0]


def scaled(kinds: Kinds) -> None:
    kinds["pods"] = kinds["pods"][1:]
    kinds["deployments"][0]["spec"]["replicas"] = 0


def quota(kinds: Kinds) -> None:
    kinds["pods"] = kinds["pods"][1:]
    owner = {"ownerReferences": [{"kind": "Deployment", "name": "web"}]}
    kinds["replicasets"] = [thing("web-7f")]
    kinds["replicasets"][0]["metadata"] |= owner
    kinds["events"] = [event("ReplicaSet", "web-7f", "FailedCreate", "exceeded quota: small, used: pods=5")]


def pending(kinds: Kinds) -> None:
    conditions = [
        {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient memory."}
    ]
    kinds["pods"][0]["status"] = {"phase": "Pending", "conditions": conditions}


def waiting(reason: str, message: str = "") -> Change:
    def change(kinds: Kinds) -> None:
        kinds["pods"][0] = pod("web-1", {"app": "web"}, ready=False)
        state = {"waiting": {"reason": reason, "message": message}}
        last = {"terminated": {"exitCode": 3, "reason": "Error"}}
        kinds["pods"][0]["status"]["containerStatuses"] = [
            {
                "name": "main",
                "state": state,
                "lastState": last if reason == "CrashLoopBackOff" else {},
                "restartCount": 4,
            }
        ]

    return change


def unmounted(kinds: Kinds) -> None:
    waiting("ContainerCreating")(kinds)
    kinds["events"] = [
        event("Pod", "web-1", "Scheduled", "old", "2026-11-01T11:00:00Z"),
        event("Pod", "web-1", "FailedMount", 'secret "web-tls" not found'),
    ]


def unready(kinds: Kinds) -> None:
    kinds["pods"][0] = pod("web-1", {"app": "web"}, ready=False)
    kinds["events"] = [event("Pod", "web-1", "Unhealthy", "Readiness probe failed: HTTP 503")]


def lost_node(kinds: Kinds) -> None:
    kinds["pods"][0] = pod("web-1", {"app": "web"}, ready=False)
    kinds["nodes"][0]["status"]["conditions"] = [
        {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    ]


def operator_away(kinds: Kinds) -> None:
    kinds["deployments"][1]["spec"]["replicas"] = 0


def reordered(kinds: Kinds) -> None:
    monitor(kinds)["spec"]["endpoints"][0]["relabelings"] = [{"action": "drop", "regex": "web"}]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda kinds: monitor(kinds)["metadata"].update(labels={"team": "b"}),
            "is not selected by Prometheus ias-system/main",
        ),
        (lambda kinds: kinds["prometheuses"].clear(), "no Prometheus object exists in namespace ias-system"),
        (
            lambda kinds: monitor(kinds)["spec"]["selector"]["matchLabels"].update(app="wbe"),
            "selects no service in namespace ias-system: none has app=wbe; "
            "the nearest, Service ias-system/web, has app=web",
        ),
        (
            lambda kinds: monitor(kinds)["spec"].update(namespaceSelector={"matchNames": ["shop"]}),
            "Service ias-system/web has its labels, in another namespace",
        ),
        (
            lambda kinds: monitor(kinds)["spec"]["endpoints"][0].update(port="metric"),
            "asks for port metric, which no selected service has: they have metrics",
        ),
        (
            lambda kinds: kinds["services"][0]["spec"].update(selector={"app": "web", "track": "blue"}),
            "no pod has the labels app=web,track=blue",
        ),
        (
            lambda kinds: kinds["services"][0]["spec"]["ports"][0].update(targetPort="htpp"),
            "leads to container port htpp, which its pods do not have: they name http",
        ),
        (scaled, "Deployment ias-system/web is scaled to 0"),
        (quota, "Deployment ias-system/web cannot make its pods: FailedCreate: exceeded quota: small"),
        (pending, "pod ias-system/web-1 is not scheduled: 0/3 nodes are available: 3 Insufficient memory."),
        (
            waiting("CrashLoopBackOff"),
            "pod ias-system/web-1 crashes: container main ended with exit code 3, 4 restarts",
        ),
        (waiting("ImagePullBackOff", "not found"), "cannot start: container main: ImagePullBackOff: not found"),
        (
            waiting("CreateContainerConfigError", 'secret "x" not found'),
            'CreateContainerConfigError: secret "x" not found',
        ),
        (unmounted, 'FailedMount: secret "web-tls" not found'),
        (unready, "pod ias-system/web-1 is not ready: Unhealthy: Readiness probe failed: HTTP 503"),
        (lost_node, "its node n1 is not ready: Kubelet stopped posting node status."),
        (operator_away, "Deployment ias-system/operator is scaled to 0"),
        (lambda kinds: kinds["deployments"].pop(), "no Deployment of Prometheus' operator is there"),
    ],
)
def test_a_monitor_without_a_target(change: Change, text: str) -> None:
    assert text in idle(change)


def test_relabelings_that_drop_everything() -> None:
    assert "relabelings of ServiceMonitor ias-system/web drop its targets: drop web" in idle(reordered, {POOL: 3})


def test_a_monitor_that_has_not_arrived() -> None:
    """As long as the reloader may be late nothing is wrong with it."""

    def written(kinds: Kinds) -> None:
        monitor(kinds)["metadata"]["creationTimestamp"] = "2033-05-18T03:32:00Z"  # 80 s before the moment

    assert idle(written) == ""
    assert "Prometheus' configuration does not have ServiceMonitor ias-system/web" in idle(
        lambda kinds: monitor(kinds)["metadata"].update(creationTimestamp="2033-05-18T03:00:00Z")
    )


def test_what_the_operator_says_against_a_monitor() -> None:
    kinds = healthy()
    operator = pod("operator-1", {"app": "operator"})
    operator["spec"]["containers"][0]["image"] = "quay.io/prometheus-operator/prometheus-operator:v1"
    kinds["pods"].append(operator)
    line = (
        'ts=1 level=warn msg="skipping servicemonitor" error="invalid relabel action" servicemonitor=ias-system/web\n'
    )
    state = objects(kinds, logs={"ias-system/operator-1": line}, moment=2e9)
    assert said(idle_chain(POOL, {"x": 0}, state, HOME)).endswith(
        "refuses ServiceMonitor ias-system/web: invalid relabel action"
    )


def test_what_may_not_be_read_is_not_said_to_be_missing() -> None:
    kinds = healthy()
    for kind in ("services", "pods", "deployments", "prometheuses"):
        del kinds[kind]
    assert said(idle_chain(POOL, {POOL: 0}, objects(kinds), HOME)) == ""


def down(error: str, change: Change = lambda kinds: None, url: str = "http://10.0.0.1:8080/metrics") -> str:
    kinds = healthy()
    change(kinds)
    labels = {"namespace": HOME, "pod": "web-1", "job": "web"}
    target = Target("web", url, "down", error, POOL, labels=labels, timeout="10s")
    return said(target_chain(target, objects(kinds), HOME))


def closed(kinds: Kinds) -> None:
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [rule]}
    kinds["networkpolicies"] = [thing("only-web", spec=spec)]


def opened(kinds: Kinds) -> None:
    closed(kinds)
    peer = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
    kinds["networkpolicies"][0]["spec"]["ingress"].append({"from": [peer], "ports": [{"port": "http"}]})


@pytest.mark.parametrize(
    ("error", "change", "text"),
    [
        ("Get x: connection refused", waiting("CrashLoopBackOff"), "pod ias-system/web-1 crashes"),
        ("Get x: connection refused", lambda kinds: kinds["pods"].pop(0), "pod ias-system/web-1 is gone"),
        ("server returned HTTP status 404 Not Found", None, "has no metrics at path /metrics: HTTP 404"),
        ("server returned HTTP status 401 Unauthorized", None, "wants other credentials than ServiceMonitor"),
        (
            "server returned HTTP status 503 Service Unavailable",
            None,
            "pod ias-system/web-1 answers a scrape of /metrics with HTTP 503",
        ),
        (
            "sample limit exceeded",
            lambda kinds: monitor(kinds)["spec"].update(sampleLimit=5),
            "sampleLimit 5 of ServiceMonitor ias-system/web refuses",
        ),
        (
            'label_limit exceeded (metric: "m", number of labels: 9, limit: 5)',
            lambda kinds: monitor(kinds)["spec"].update(labelLimit=5),
            "labelLimit 5 of",
        ),
        (
            'label_value_length_limit exceeded (metric: "m", label name: "a", value: "b", length: 9)',
            lambda kinds: monitor(kinds)["spec"].update(labelValueLengthLimit=5),
            "labelValueLengthLimit 5 of",
        ),
        ("body size limit exceeded", None, "bodySizeLimit (of the Prometheus object) refuses"),
        (
            "http: server gave HTTP response to HTTPS client",
            None,
            "asks by https, but pod ias-system/web-1 speaks http",
        ),
        (
            "tls: failed to verify certificate: x509: unknown authority",
            None,
            "the certificate of pod ias-system/web-1 is not trusted",
        ),
        ("context deadline exceeded", None, "pod ias-system/web-1 does not answer a scrape within 10s"),
        (
            "context deadline exceeded",
            closed,
            "NetworkPolicy ias-system/only-web does not let pod ias-system/prometheus-0 in to port 8080",
        ),
        ("context deadline exceeded", opened, "does not answer a scrape within 10s"),
        ("dial tcp 10.0.0.1:8080: i/o timeout", None, "no connection to port 8080 of pod ias-system/web-1 comes about"),
        ('expected a valid start token, got "<"', None, "is not in Prometheus' format"),
        ("something new", None, "is down: something new"),
    ],
)
def test_what_an_error_means(error: str, change: Change | None, text: str) -> None:
    assert text in down(error, change or (lambda kinds: None))


def test_a_port_on_which_nothing_listens() -> None:
    text = "nothing listens on port 9999 of pod ias-system/web-1; its containers declare 8080"
    assert down("connect: connection refused", url="http://10.0.0.1:9999/metrics") == text


def test_a_job_without_a_target() -> None:
    kinds = healthy()
    assert "no Service and no monitor is called webb" in said(job_chain("webb", {}, objects(kinds), HOME))
    kinds["services"][0]["metadata"]["labels"] = {"app": "shop"}
    kinds["servicemonitors"][0]["metadata"]["name"] = "other"
    assert said(job_chain("web", {}, objects(kinds), HOME)).startswith(
        "no ServiceMonitor selects Service ias-system/web"
    )
    kinds = healthy()
    scaled(kinds)
    assert "scaled to 0" in said(job_chain("web", {}, objects(kinds), HOME))


def test_a_job_whose_monitor_selects_others_too() -> None:
    kinds = healthy()
    scaled(kinds)
    other = pod("api-1", {"app": "api"})
    ports = [{"name": "metrics", "port": 80, "targetPort": "http"}]
    kinds["pods"].append(other)
    kinds["services"].insert(
        0, thing("api", labels={"part-of": "shop"}, spec={"selector": {"app": "api"}, "ports": ports})
    )
    kinds["services"][1]["metadata"]["labels"] = {"part-of": "shop"}
    monitor(kinds)["spec"]["selector"] = {"matchLabels": {"part-of": "shop"}}
    assert said(job_chain("web", {POOL: 0}, objects(kinds), HOME)) == "Deployment ias-system/web is scaled to 0"


def test_a_pod_monitor() -> None:
    kinds = healthy()
    spec = {"selector": {"matchLabels": {"app": "web"}}, "podMetricsEndpoints": [{"port": "http"}]}
    kinds["podmonitors"] = [thing("web", labels={"team": "a"}, spec=spec)]
    pool = f"podMonitor/{HOME}/web/0"
    assert said(idle_chain(pool, {pool: 0}, objects(kinds), HOME)) == ""
    spec["podMetricsEndpoints"] = [{"port": "metrics"}]
    assert "asks for port metrics, which no selected pod has: they have http" in said(
        idle_chain(pool, {}, objects(kinds), HOME)
    )
    spec["selector"] = {"matchLabels": {"app": "batch"}}
    kinds["deployments"].append(workload("batch", {"app": "batch"}, replicas=0))
    assert "Deployment ias-system/batch is scaled to 0" in said(idle_chain(pool, {}, objects(kinds), HOME))
