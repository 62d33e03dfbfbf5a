# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a workload has come up, and why not. Pure: API objects in, words out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from .._kube.client import Object
from .manifest import Key, key_of

OPERATOR = "monitoring.coreos.com"
PATHS = {
    "Deployment": "apps/v1/namespaces/{namespace}/deployments",
    "StatefulSet": "apps/v1/namespaces/{namespace}/statefulsets",
    "DaemonSet": "apps/v1/namespaces/{namespace}/daemonsets",
    "Prometheus": f"{OPERATOR}/v1/namespaces/{{namespace}}/prometheuses",
    "Alertmanager": f"{OPERATOR}/v1/namespaces/{{namespace}}/alertmanagers",
}
STUCK = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
)


class Trouble(NamedTuple):
    """Something that waiting rarely mends. `container` is empty when the pod has not been placed on a node."""

    pod: str
    container: str
    reason: str
    message: str

    def __str__(self) -> str:
        where = f"pod {self.pod}" + (f", container {self.container}" if self.container else "")
        return f"{where}: {self.reason}" + (f": {self.message}" if self.message else "")


def workloads(objects: Iterable[Object], namespace: str) -> list[Key]:
    """What of a release runs pods, and must be waited for."""
    keys = [key_of(item) for item in objects if item.get("kind") in PATHS]
    return sorted(key._replace(namespace=key.namespace or namespace) for key in keys)


def path(key: Key) -> str:
    return "/apis/" + PATHS[key.kind].format(namespace=key.namespace) + "/" + key.name


def lacking(kind: str, live: Object) -> str:
    """What a workload still lacks, in a few words; nothing when it is up in its newest form."""
    status = live.get("status") or {}
    return _LACKING[kind](live, status)


def _deployment(live: Object, status: Object) -> str:
    wanted = live["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "its newest form is not acted on yet"
    if status.get("replicas", 0) > status.get("updatedReplicas", 0):
        return f"{status['replicas'] - status.get('updatedReplicas', 0)} old replicas still run"
    return _count(min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0)), wanted)


def _stateful_set(live: Object, status: Object) -> str:
    wanted = live["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "its newest form is not acted on yet"
    current = status.get("currentRevision") == status.get("updateRevision")
    updated = wanted if current else status.get("updatedReplicas", 0)
    return _count(min(updated, status.get("readyReplicas", 0)), wanted)


def _daemon_set(live: Object, status: Object) -> str:
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "its newest form is not acted on yet"
    ready = min(status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0))
    return _count(ready, status.get("desiredNumberScheduled", 0))


def _operated(live: Object, status: Object) -> str:
    """A Prometheus or Alertmanager, whose pods are the operator's."""
    conditions = {item["type"]: item for item in status.get("conditions") or []}
    for name in ("Reconciled", "Available"):
        condition = conditions.get(name)
        if condition is None or condition.get("observedGeneration", 0) < live["metadata"]["generation"]:
            return "the operator has not acted on it yet"
        if condition["status"] != "True":
            reason = condition.get("message") or condition.get("reason") or "no reason given"
            return f"{name} is {condition['status']}: {reason}"
    return _count(status.get("updatedReplicas", 0), live["spec"].get("replicas", 1))


def _count(ready: int, wanted: int) -> str:
    return "" if ready >= wanted else f"{ready} of {wanted} pods are ready"


_LACKING: Mapping[str, Callable[[Object, Object], str]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Prometheus": _operated,
    "Alertmanager": _operated,
}


def selector(key: Key, live: Object) -> str:
    """The label selector of a workload's pods."""
    if key.kind in ("Prometheus", "Alertmanager"):
        return f"app.kubernetes.io/managed-by=prometheus-operator,app.kubernetes.io/instance={key.name}"
    return ",".join(f"{name}={value}" for name, value in sorted(live["spec"]["selector"]["matchLabels"].items()))


def newest(pods: Iterable[Object]) -> list[Object]:
    """The pods of the newest form only: an older form may be broken just because it is being replaced."""
    living = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    if not living:
        return []
    youngest = max(living, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    return [pod for pod in living if _form(pod) == _form(youngest)]


def _form(pod: Object) -> str:
    labels = pod["metadata"].get("labels") or {}
    return labels.get("pod-template-hash") or labels.get("controller-revision-hash") or ""


def troubles(pod: Object) -> list[Trouble]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    found = [
        Trouble(name, "", "Unschedulable", condition.get("message", ""))
        for condition in status.get("conditions") or []
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable"
    ]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in STUCK:
            found.append(Trouble(name, container["name"], waiting["reason"], waiting.get("message", "")))
    return found
