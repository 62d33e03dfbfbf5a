# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small cluster as the API lists it, in which nothing is wrong until a test changes it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._causes.chain import Step, cause
from ansible_collections.ias.observability.plugins.module_utils._causes.objects import Objects

HOME = "ias-system"
Thing = dict[str, Any]


def thing(name: str, namespace: str = HOME, labels: dict[str, str] | None = None, **parts: Any) -> Thing:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels or {}}, **parts}


def pod(name: str, labels: dict[str, str], *, ready: bool = True, node: str = "n1", port: int = 8080) -> Thing:
    ports = [{"name": "http", "containerPort": port}]
    spec = {"nodeName": node, "containers": [{"name": "main", "image": "example.org/main:1", "ports": ports}]}
    state = {"name": "main", "ready": ready, "restartCount": 0, "state": {"running": {}}}
    conditions = [{"type": "Ready", "status": str(ready)}, {"type": "PodScheduled", "status": "True"}]
    return thing(name, labels=labels, spec=spec, status={"conditions": conditions, "containerStatuses": [state]})


def workload(name: str, labels: dict[str, str], **spec: Any) -> Thing:
    return thing(name, spec={"template": {"metadata": {"labels": labels}, "spec": {}}, **spec}, status={})


def event(kind: str, name: str, reason: str, message: str, when: str = "2026-11-01T12:00:00Z") -> Thing:
    about = {"kind": kind, "name": name, "namespace": HOME}
    body = {"type": "Warning", "reason": reason, "message": message, "lastTimestamp": when}
    return thing(f"{name}.1", involvedObject=about, **body)


def healthy() -> dict[str, list[Thing]]:
    """web, scraped by a monitor that Prometheus selects, and a collector on the only node."""
    operator = workload("operator", {"app": "operator"}, replicas=1)
    operator["spec"]["template"]["spec"] = {
        "containers": [{"image": "quay.io/prometheus-operator/prometheus-operator:v1"}]
    }
    operator["status"] = {"conditions": [{"type": "Available", "status": "True"}]}
    everything: Thing = {}
    for kind in ("serviceMonitor", "podMonitor", "rule"):
        everything |= {f"{kind}Selector": {"matchLabels": {"team": "a"}}, f"{kind}NamespaceSelector": {}}
    monitor = {"selector": {"matchLabels": {"app": "web"}}, "endpoints": [{"port": "metrics"}]}
    ports = [{"name": "metrics", "port": 80, "targetPort": "http"}]
    rules = {"groups": [{"name": "api", "rules": [{"alert": "Down"}, {"record": "a:b"}]}]}
    daemon = workload("alloy", {"app": "alloy"})
    daemon["status"] = {"desiredNumberScheduled": 1}
    return {
        "namespaces": [thing(HOME, "", {"kubernetes.io/metadata.name": HOME})],
        "nodes": [thing("n1", "", {"disk": "ssd"}, status={"conditions": [{"type": "Ready", "status": "True"}]})],
        "pods": [pod("web-1", {"app": "web"}), pod("alloy-1", {"app": "alloy"}), prometheus_pod()],
        "services": [thing("web", labels={"app": "web"}, spec={"selector": {"app": "web"}, "ports": ports})],
        "servicemonitors": [thing("web", labels={"team": "a"}, spec=monitor)],
        "podmonitors": [],
        "prometheusrules": [thing("rules", labels={"team": "a"}, spec=rules)],
        "prometheuses": [thing("main", spec=everything)],
        "deployments": [workload("web", {"app": "web"}, replicas=1), operator],
        "daemonsets": [daemon],
        "statefulsets": [],
        "replicasets": [],
        "networkpolicies": [],
        "events": [],
    }


def prometheus_pod() -> Thing:
    return pod("prometheus-0", {"app.kubernetes.io/name": "prometheus"}, port=9090)


def objects(kinds: dict[str, list[Thing]], **more: Any) -> Objects:
    return replace(Objects(copy.deepcopy(kinds)), **more)


def said(chain: Sequence[Step]) -> str:
    """The text of the cause, "" where nothing is broken."""
    found = cause(chain)
    return found.text if found else ""
