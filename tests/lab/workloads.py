# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's objects in the cluster: a deployment and a service for each part, all alike."""

from __future__ import annotations

import json
from typing import Any

from tests.lab import cluster

NAMESPACE = "ias-system"
IMAGE = "lab.local/ias-platform:1"
PORT = "http-metrics"
# as the charts of these exporters call their port
PORTS = {"postgres-exporter": "http", "dcgm-exporter": "metrics"}
PARTS = ("user-service", "api-router", "analytics-service", "vllm", "postgres", "postgres-exporter", "dcgm-exporter")
LOAD = "load-generator"
RECEIVER = "alert-receiver"
RECEIVERS = ("page", "ticket", "info", "watchdog")

Object = dict[str, Any]


def objects() -> list[Object]:
    """Everything that `kubectl apply` is given."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    running = [_deployment(part) for part in (*PARTS, LOAD, RECEIVER)]
    return [namespace, _addresses(), *running, *(_service(part) for part in (*PARTS, RECEIVER))]


def start() -> None:
    """Run the platform and its users in the cluster, and wait until its parts are there."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects()}))
    for part in (*PARTS, LOAD, RECEIVER):
        cluster.kubectl("rollout", "status", "--namespace", NAMESPACE, f"deployment/{part}", "--timeout=180s")


def traffic(*, on: bool) -> None:
    """Start or stop the platform's users."""
    cluster.kubectl("scale", "--namespace", NAMESPACE, f"deployment/{LOAD}", f"--replicas={int(on)}")


def _labels(part: str) -> dict[str, str]:
    """Prometheus scrapes what is part of the platform; who receives its alerts is not."""
    platform = {} if part == RECEIVER else {"app.kubernetes.io/part-of": "ias-platform"}
    return {"app.kubernetes.io/name": part, **platform}


def _addresses() -> Object:
    """Where alerts go, as the Secret that Alertmanager reads it from: a key for each receiver."""
    addresses = {name: f"http://{RECEIVER}.{NAMESPACE}.svc:8080/alerts/{name}" for name in RECEIVERS}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(RECEIVER), "stringData": addresses}


def _metadata(part: str) -> Object:
    return {"name": part, "namespace": NAMESPACE, "labels": _labels(part)}


def _service(part: str) -> Object:
    name = PORTS.get(part, PORT)
    port = {"name": name, "port": 8080, "targetPort": name}
    spec = {"selector": {"app.kubernetes.io/name": part}, "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(part), "spec": spec}


def _deployment(part: str) -> Object:
    container: Object = {
        "name": part,
        "image": IMAGE,
        "args": [part],
        "env": [
            {"name": "OTEL_SERVICE_NAME", "value": part},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": f"http://tempo.{NAMESPACE}.svc:4317"},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    if part != LOAD:
        port = PORTS.get(part, PORT)
        container["ports"] = [{"name": port, "containerPort": 8080}]
        container["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 3}
    pod = {
        "metadata": {"labels": _labels(part)},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532},
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
        },
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": part}}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(part), "spec": spec}
