# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the namespace's LimitRanges and ResourceQuotas would refuse."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._causes.objects import Object, name_of, spec_of, status_of
from .._findings import Finding
from .pods import Running, needs
from .quantities import amounts, shown, thousandths, total
from .workloads import Claim, Workload

_PARTS = ("requests", "limits")
_OF_PODS = {"NotTerminating", "NotBestEffort"}
"""Scopes of quotas that all of our pods are in."""


def defaulted(workload: Workload, ranges: Iterable[Object]) -> Workload:
    """With what the namespace gives containers that ask for nothing."""
    limits = [limit for item in ranges for limit in spec_of(item).get("limits") or () if limit["type"] == "Container"]
    if not limits:
        return workload
    made = []
    for pod in workload.pods:
        parts = {
            part: [_defaulted(container, limits) for container in pod.spec.get(part) or ()]
            for part in ("initContainers", "containers")
        }
        spec = {**pod.spec, **parts}
        made.append(dataclasses.replace(pod, spec=spec, needs=needs(spec)))
    return dataclasses.replace(workload, pods=made)


def _defaulted(container: Mapping[str, Any], limits: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    resources = container.get("resources") or {}
    requests, most = dict(resources.get("requests") or {}), dict(resources.get("limits") or {})
    for limit in limits:
        # A limit of its own is the request too, ahead of what the namespace gives.
        requests = {**(limit.get("defaultRequest") or {}), **most, **requests}
        most = {**(limit.get("default") or {}), **most}
    return {**container, "resources": {**resources, "requests": requests, "limits": most}}


def limit_ranges(workloads: Iterable[Workload], ranges: Sequence[Object]) -> list[Finding]:
    """`workloads` with what the ranges give them."""
    limits = [(name_of(item), limit) for item in ranges for limit in spec_of(item).get("limits") or ()]
    found: dict[tuple[str, str], Finding] = {}
    for workload in workloads:
        for name, limit in limits:
            for message in _outside(workload, limit):
                hint = f"Change limit range {name}, or the resources in the values"
                text = f"limit range {name} refuses {message}"
                found[str(workload.owner), text] = Finding(
                    "cluster/limit-range", "error", text, hint, object=str(workload.owner)
                )
    return list(found.values())


def _outside(workload: Workload, limit: Mapping[str, Any]) -> Iterator[str]:
    if limit["type"] == "PersistentVolumeClaim":
        for claim in workload.claims:
            size = {"storage": claim.size}
            yield from (f"claim {claim.name}, which {text}" for text in _bounds(size, size, limit))
    for pod in workload.pods[:1]:
        containers = pod.spec.get("containers") or ()
        parts = {container["name"]: [container] for container in containers}
        if limit["type"] == "Pod":
            yield from (f"its pods, which {text}" for text in _bounds(*_sums(containers), limit))
        elif limit["type"] == "Container":
            for name, one in parts.items():
                yield from (f"container {name}, which {text}" for text in _bounds(*_sums(one), limit))


def _sums(containers: Iterable[Mapping[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    """What they request, and their limits."""
    resources = [container.get("resources") or {} for container in containers]
    requests, limits = (total(amounts(one.get(part)) for one in resources) for part in _PARTS)
    return requests, limits


def _bounds(requests: Mapping[str, int], limits: Mapping[str, int], limit: Mapping[str, Any]) -> Iterator[str]:
    for name, amount in amounts(limit.get("min")).items():
        if requests.get(name, 0) < amount:
            yield f"requests {shown(name, requests.get(name, 0))}, less than {shown(name, amount)}"
    for name, amount in amounts(limit.get("max")).items():
        if name not in limits:
            yield f"has no limit of {name}"
        elif limits[name] > amount:
            yield f"may take {shown(name, limits[name])}, more than {shown(name, amount)}"


def quotas(
    workloads: Sequence[Workload],
    copies: Mapping[str, int],
    current: Iterable[Running],
    claims: Iterable[str],
    found: Iterable[Object],
) -> list[Finding]:
    """`copies`: on how many nodes a DaemonSet has a pod, by its name; `claims` those that exist already."""
    wanted = list(_wanted(workloads, copies))
    before = [_counted(pod.spec) for pod in current]
    present = set(claims)
    missing = [claim for workload in workloads for claim in workload.claims if claim.name not in present]
    more = total(
        (*wanted, *map(_claimed, missing), *({name: -amount for name, amount in one.items()} for one in before))
    )
    return [finding for quota in found for finding in _quota(quota, workloads, more)]


def _wanted(workloads: Iterable[Workload], copies: Mapping[str, int]) -> Iterator[dict[str, int]]:
    for workload in workloads:
        for pod in workload.pods:
            count = copies.get(workload.owner.name, 0) if workload.on_every_node else 1
            yield {name: amount * count for name, amount in _counted(pod.spec).items()}


def _counted(spec: Mapping[str, Any]) -> dict[str, int]:
    """As quotas name it."""
    requests, limits = _sums(spec.get("containers") or ())
    asked = {**limits, **requests}
    return {
        "pods": 1000,
        "count/pods": 1000,
        **asked,
        **{f"requests.{name}": amount for name, amount in asked.items()},
        **{f"limits.{name}": amount for name, amount in limits.items()},
    }


def _claimed(claim: Claim) -> dict[str, int]:
    own = {"persistentvolumeclaims": 1000, "requests.storage": claim.size}
    of_class = f"{claim.storage_class}.storageclass.storage.k8s.io"
    return own | ({f"{of_class}/{name}": amount for name, amount in own.items()} if claim.storage_class else {})


def _quota(quota: Object, workloads: Iterable[Workload], more: Mapping[str, int]) -> Iterator[Finding]:
    spec = spec_of(quota)
    if spec.get("scopeSelector") or not set(spec.get("scopes") or ()) <= _OF_PODS:
        return
    used, hard = (amounts(status_of(quota).get(part)) for part in ("used", "hard"))
    object_ = f"quota {name_of(quota)}"
    for name, most in (hard or amounts(spec.get("hard"))).items():
        left = most - used.get(name, 0)
        if more.get(name, 0) > left:
            unit = name.rpartition(".")[2] if name.startswith(_PARTS) else name
            message = (
                f"{name}: the stack needs {shown(unit, more[name])} more than it has, and {shown(unit, left)} is left"
            )
            yield Finding(
                "cluster/quota", "error", message, "Raise the quota, or choose smaller requests", object=object_
            )
        if (missing := list(_without(workloads, name))) and name.startswith((*_PARTS, "cpu", "memory")):
            message = f"{name}: it refuses every pod with a container that has none, as {', '.join(missing[:3])} have"
            hint = "Set it in the values, or give the namespace a LimitRange with defaults"
            yield Finding("cluster/quota", "error", message, hint, object=object_)


def _without(workloads: Iterable[Workload], name: str) -> Iterator[str]:
    """Workloads with a container that does not say what the quota counts."""
    kind, _dot, resource = name.rpartition(".")
    if resource not in {"cpu", "memory"}:
        return
    for workload in workloads:
        for pod in workload.pods[:1]:
            for container in pod.spec.get("containers") or ():
                resources = container.get("resources") or {}
                given = {**(resources.get("limits") or {})}
                if kind != "limits":
                    given |= resources.get("requests") or {}
                if not given.get(resource) or not thousandths(given[resource]):
                    yield f"{container['name']} of {workload.owner}"
                    break
