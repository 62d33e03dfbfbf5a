# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the cluster, with what is wrong with them."""

from __future__ import annotations

from typing import Any

from tests.fakes.kube import FakeKube
from tests.unit._causes.states import HOME, event, healthy, pod, thing, workload

ALLOY = {"app": "alloy"}
GROUPS = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "events": "/api/v1",
    "deployments": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "servicemonitors": "/apis/monitoring.coreos.com/v1",
    "podmonitors": "/apis/monitoring.coreos.com/v1",
    "prometheuses": "/apis/monitoring.coreos.com/v1",
    "prometheusrules": "/apis/monitoring.coreos.com/v1",
}
ALERTMANAGER_LOG = f"/api/v1/namespaces/{HOME}/pods/alertmanager-0/log"
LIMITS = {"sampled": {"sampleLimit": 1}, "labelled": {"labelLimit": 4}}
RELABELINGS = {"dropper": [{"action": "drop", "sourceLabels": ["__name__"], "regex": "dropped_.*"}]}


def scraped(kinds: dict[str, list[Any]], name: str, **more: Any) -> None:
    """A service with a pod and a monitor, as they should be."""
    labels = {"app": name}
    ports = [{"name": "metrics", "port": 80, "targetPort": "http"}]
    kinds["pods"].append(pod(f"{name}-1", labels))
    kinds["services"].append(thing(name, labels=labels, spec={"selector": labels, "ports": ports}))
    endpoint = {"port": more.pop("port", "metrics"), "metricRelabelings": RELABELINGS.get(name, [])}
    spec = {"selector": {"matchLabels": labels}, "endpoints": [endpoint], **LIMITS.get(name, {})}
    kinds["servicemonitors"].append(thing(name, labels={"team": more.pop("team", "a")}, spec=spec))
    kinds["deployments"].append(workload(name, labels, replicas=1))


def state() -> dict[str, list[Any]]:
    kinds = healthy()
    for name in ("sampled", "labelled", "dropper", "renamed", "slow", "closed", "missing-path"):
        scraped(kinds, name)
    scraped(kinds, "misnamed", port="metric")
    scraped(kinds, "unselected", team="b")
    scraped(kinds, "pending")
    kinds["pods"][-1]["status"] = {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient cpu."}
        ],
    }
    scraped(kinds, "scaled")
    kinds["pods"].pop()
    kinds["deployments"][-1]["spec"]["replicas"] = 0
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
    policy = {"podSelector": {"matchLabels": {"app": "slow"}}, "policyTypes": ["Ingress"], "ingress": [rule]}
    kinds["networkpolicies"] = [thing("slow", spec=policy)]
    rules = {"groups": [{"name": "site", "rules": [{"alert": "Unselected"}]}]}
    kinds["prometheusrules"].append(thing("unselected", labels={"team": "b"}, spec=rules))
    for part, port in (("loki", 3100), ("tempo", 3200)):
        ports = [{"port": number} for number in ([port, 4317, 4318] if part == "tempo" else [port])]
        kinds["services"].append(thing(part, spec={"selector": {"app": part}, "ports": ports}))
        kinds["pods"].append(pod(f"{part}-0", {"app": part}))
        kinds["pods"][-1]["spec"]["containers"][0]["ports"] = [{"containerPort": one["port"]} for one in ports]
    kinds["pods"].append(pod("alertmanager-0", {"app.kubernetes.io/name": "alertmanager"}))
    _logging(kinds)
    return kinds


LOGS = {
    "limited": 'level=warn msg="error sending batch" status=429 error="Ingestion rate limit exceeded for user fake"',
    "skewed": 'level=error status=400 error="entry for stream has timestamp too new: 2031-01-01T00:00:00Z"',
}
"""Node → what the collector there says."""


def _logging(kinds: dict[str, list[Any]]) -> None:
    """Pods that write on nodes with collectors of which each is ill in its own way."""
    for node in ("limited", "skewed", "full", "dead"):
        kinds["nodes"].append(thing(node, "", status={"conditions": [{"type": "Ready", "status": "True"}]}))
        kinds["pods"].append(pod(f"writer-{node}", {"app": "writer"}, node=node))
        kinds["pods"].append(pod(f"alloy-{node}", ALLOY, node=node, ready=node in LOGS))
    by_name = {one["metadata"]["name"]: one for one in kinds["pods"]}
    by_name["alloy-full"]["status"] = {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node had condition: [DiskPressure].",
    }
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    by_name["alloy-dead"]["status"]["containerStatuses"] = [
        {"name": "main", "state": waiting, "lastState": ended, "restartCount": 7}
    ]
    kinds["events"].append(event("Pod", "alloy-dead", "BackOff", "Back-off restarting failed container"))


def fill(kube: FakeKube) -> None:
    for kind, items in state().items():
        if kind in GROUPS:
            kube.serves.add(f"{GROUPS[kind]}/{kind}")
        for item in items:
            meta = item["metadata"]
            base = GROUPS.get(kind, "/api/v1")
            space = "" if kind in {"nodes", "namespaces"} else f"/namespaces/{meta['namespace']}"
            kube.objects[f"{base}{space}/{kind}/{meta['name']}"] = item
    for node in ("limited", "skewed", "full", "dead"):
        kube.texts[f"/api/v1/namespaces/{HOME}/pods/writer-{node}/log"] = "2026-01-01T00:00:00Z a line\n"
        kube.texts[f"/api/v1/namespaces/{HOME}/pods/alloy-{node}/log"] = LOGS.get(node, "") + "\n"
