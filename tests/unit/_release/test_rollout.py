# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When each kind of workload counts as up."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._release import manifest, rollout


def live(generation: int = 2, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "spec": spec}


def condition(kind: str, status: str = "True", generation: int = 2) -> dict[str, Any]:
    return {"type": kind, "status": status, "observedGeneration": generation, "message": "because"}


ACTED = {"observedGeneration": 2}
OPERATED = [condition("Reconciled"), condition("Available")]


@pytest.mark.parametrize(
    ("kind", "spec", "status", "expected"),
    [
        ("Deployment", {}, {}, "its newest form is not acted on yet"),
        ("Deployment", {}, {**ACTED, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}, ""),
        ("Deployment", {"replicas": 0}, ACTED, ""),
        ("Deployment", {}, {**ACTED, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 2}, "1 old replicas"),
        ("Deployment", {}, {**ACTED, "updatedReplicas": 1, "replicas": 1}, "0 of 1 pods are ready"),
        ("StatefulSet", {}, {**ACTED, "readyReplicas": 1, "currentRevision": "a", "updateRevision": "a"}, ""),
        ("StatefulSet", {}, {**ACTED, "readyReplicas": 1, "currentRevision": "a", "updateRevision": "b"}, "0 of 1"),
        ("StatefulSet", {"replicas": 3}, {**ACTED, "readyReplicas": 2}, "2 of 3 pods are ready"),
        ("StatefulSet", {}, {"readyReplicas": 1, "observedGeneration": 1}, "its newest form is not acted on yet"),
        ("DaemonSet", {}, {**ACTED, "desiredNumberScheduled": 0}, ""),
        (
            "DaemonSet",
            {},
            {**ACTED, "desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3},
            "1",
        ),
        ("DaemonSet", {}, {}, "its newest form is not acted on yet"),
        ("Prometheus", {}, {}, "the operator has not acted on it yet"),
        ("Prometheus", {}, {"conditions": OPERATED, "updatedReplicas": 1}, ""),
        ("Prometheus", {}, {"conditions": OPERATED, "updatedReplicas": 0}, "0 of 1"),
        (
            "Alertmanager",
            {},
            {"conditions": [OPERATED[0], condition("Available", "False")]},
            "Available is False: because",
        ),
        (
            "Alertmanager",
            {},
            {"conditions": [OPERATED[0], condition("Available", generation=1)]},
            "the operator has not",
        ),
    ],
)
def test_lacking(kind: str, spec: dict[str, Any], status: dict[str, Any], expected: str) -> None:
    found = rollout.lacking(kind, {**live(**spec), "status": status})
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_workloads_are_what_runs_pods() -> None:
    text = """
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: loki, namespace: other}
---
kind: Prometheus
apiVersion: monitoring.coreos.com/v1
metadata: {name: main}
---
kind: ServiceMonitor
apiVersion: monitoring.coreos.com/v1
metadata: {name: main}
"""
    found = rollout.workloads(manifest.parse(text), "ias-system")
    assert [str(key) for key in found] == ["Prometheus ias-system/main", "StatefulSet other/loki"]
    assert rollout.path(found[0]) == "/apis/monitoring.coreos.com/v1/namespaces/ias-system/prometheuses/main"
