# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster is fit at all: its version, its nodes, its storage classes, the namespace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._causes.objects import Object, metadata, name_of, spec_of, status_of
from .._findings import Finding, Severity

MINIMUM = (1, 29)
MOST_NOT_READY = 1 / 3
"""Of the nodes: fewer do not keep the stack from running, and rules must be changed during an outage too."""
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def version(answer: Object) -> list[Finding]:
    digits = tuple(int("".join(filter(str.isdigit, answer.get(part, ""))) or 0) for part in ("major", "minor"))
    if digits >= MINIMUM:
        return []
    wanted = ".".join(map(str, MINIMUM))
    return [
        Finding(
            "cluster/version",
            "error",
            f"the cluster runs Kubernetes {answer.get('gitVersion', 'of an unknown version')}",
            f"Kubernetes >= {wanted} is required: upgrade the cluster",
        )
    ]


def nodes(found: Sequence[Object]) -> list[Finding]:
    if not found:
        return [Finding("cluster/no-nodes", "error", "the cluster has no node", "Add a node pool")]
    reasons = {name_of(node): reason for node in found if (reason := _not_ready(node))}
    severity: Severity = "error" if len(reasons) > len(found) * MOST_NOT_READY else "warning"
    return [
        Finding("cluster/node-not-ready", severity, reason, "See: kubectl describe node", object=f"node {name}")
        for name, reason in reasons.items()
    ]


def slim_node(node: Object) -> dict[str, Any]:
    """What is asked of a node; the list of its images alone is larger than that."""
    spec, status = spec_of(node), status_of(node)
    return {
        "metadata": {"name": name_of(node), "labels": metadata(node).get("labels") or {}},
        "spec": {name: spec[name] for name in ("taints", "unschedulable", "providerID") if name in spec},
        "status": {name: status[name] for name in ("allocatable", "conditions") if name in status},
    }


def is_ready(node: Object) -> bool:
    return not _not_ready(node)


def _not_ready(node: Object) -> str:
    conditions = status_of(node).get("conditions") or []
    ready = next((condition for condition in conditions if condition["type"] == "Ready"), None)
    if ready is None:
        return "it has not reported yet"
    return "" if ready["status"] == "True" else f"it is not ready: {ready.get('message') or ready.get('reason', '')}"


def default_class(classes: Iterable[Object]) -> str:
    """The name of the cluster's default storage class; empty where there is none."""
    marked = (item for item in classes if (metadata(item).get("annotations") or {}).get(DEFAULT_CLASS) == "true")
    return next(map(name_of, marked), "")


def storage(classes: Sequence[Object], wanted: Sequence[str]) -> list[Finding]:
    """`wanted` empty means the cluster's default class."""
    names = sorted(map(name_of, classes))
    have = f"The cluster has {', '.join(names) or 'none'}"
    if wanted or default_class(classes):
        missing = [f"storage class {name} does not exist" for name in wanted if name not in names]
    else:
        missing = ["no storage class is the default"]
    return [Finding("cluster/storage-class", "error", message, have) for message in missing]


def namespace(name: str, found: Object | None) -> list[Finding]:
    if found is None or status_of(found).get("phase") != "Terminating":
        return []
    message = f"namespace {name} is being deleted"
    return [Finding("cluster/namespace-terminating", "error", message, "Wait until it is gone, or see what holds it")]
