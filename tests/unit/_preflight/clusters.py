# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes, pods and workloads as the API has them, and what the preflight says of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._preflight import fit
from ansible_collections.ias.observability.plugins.module_utils._preflight.inventory import Inventory, terms_of
from ansible_collections.ias.observability.plugins.module_utils._preflight.nodes import nodes
from ansible_collections.ias.observability.plugins.module_utils._preflight.placement import Placement, Volume
from ansible_collections.ias.observability.plugins.module_utils._preflight.workloads import workloads

NAMESPACE = "ias-system"
Object = dict[str, Any]


def node(name: str, cpu: str = "2", memory: str = "4Gi", pods: str = "110", **more: Any) -> Object:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **more.pop("labels", {})}},
        "spec": more,
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
    }


def container(cpu: str = "100m", memory: str = "128Mi", **more: Any) -> Object:
    return {"name": "main", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def workload(kind: str, name: str, *containers: Object, replicas: int = 1, claims: str = "", **spec: Any) -> Object:
    """`claims` is the storage class of one volume for each pod."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers or [container()]), **spec}}
    made: Object = {"selector": {"matchLabels": labels}, "template": template}
    if kind != "DaemonSet":
        made["replicas"] = replicas
    if claims:
        asked = {"storageClassName": claims, "resources": {"requests": {"storage": "10Gi"}}}
        made["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": asked}]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": made}


def pod(name: str, node_name: str, owner: tuple[str, str], *containers: Object, **spec: Any) -> Object:
    """A running one; `owner` is the kind and the name of its controller. Its namespace is ours unless `space` says."""
    kind, owner_name = owner
    labels = {"app": owner_name, "pod-template-hash": "5d9c"}
    shown = f"{owner_name}-5d9c" if kind == "ReplicaSet" else owner_name
    return {
        "metadata": {
            "name": name,
            "namespace": spec.pop("space", NAMESPACE),
            "labels": labels,
            "ownerReferences": [{"kind": kind, "name": shown, "controller": True}],
        },
        "spec": {"nodeName": node_name, "containers": list(containers or [container()]), **spec},
        "status": {"phase": "Running"},
    }


def apart(name: str, key: str = "kubernetes.io/hostname") -> Object:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": name}}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def fitting(
    cluster: Iterable[Object],
    stack: Iterable[Object],
    running: Iterable[Object] = (),
    *,
    csi: Iterable[Object] = (),
    volumes: dict[tuple[str, str], Volume] | None = None,
) -> list[Finding]:
    """What is said of the stack on the cluster's nodes, where pods run already."""
    wanted = workloads(stack, NAMESPACE)
    inventory = Inventory(frozenset(one.owner for one in wanted), terms_of(wanted))
    for item in running:
        inventory.add(item)
    found = nodes(cluster, csi)
    inventory.onto(found)
    misfits = Placement(found, volumes or {}).place(wanted, inventory.ours)
    return fit.findings(misfits, found, volumes or {})
