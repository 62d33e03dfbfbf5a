# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes objects of a canary: one Job for each node, which Kubernetes itself removes should nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]

NAME = "observability-canary"
CONTAINER = "canary"
NOBODY = 65534


def labels(run: str) -> dict[str, str]:
    """Of the Jobs and pods of one run."""
    return {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/managed-by": "ias.observability",
        "ias.observability/run": run,
    }


def job(name: str, *, run: str, node: str, program: str, image: Mapping[str, Any], seconds: int) -> Object:
    """A pod on that node that runs the shell program once, by the rules of PodSecurity `restricted`.

    `image` are the fields of a pod that `image_of` gives. After so many seconds it is stopped, and, once it has ended,
    after as many more removed.
    """
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _only(node)}},
        "tolerations": [{"operator": "Exists"}],  # wherever a collector runs
        "imagePullSecrets": image["imagePullSecrets"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": CONTAINER,
                "image": image["image"],
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/sh", "-c", program],
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels(run)},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": seconds,
            "template": {"metadata": {"labels": labels(run)}, "spec": pod},
        },
    }


def _only(node: str) -> Object:
    """As the controller of DaemonSets binds a pod to its node: the scheduler still says when it does not fit."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    return {"nodeSelectorTerms": [{"matchFields": [field]}]}


def schedulable(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the nodes that take pods: ready, and not cordoned."""
    return sorted(node["metadata"]["name"] for node in nodes if not node["spec"].get("unschedulable") and _ready(node))


def _ready(node: Mapping[str, Any]) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def image_of(pod: Mapping[str, Any]) -> Object:
    """The image of a pod's first container, and the secrets that it is pulled with."""
    return {"image": pod["spec"]["containers"][0]["image"], "imagePullSecrets": pod["spec"].get("imagePullSecrets", [])}
