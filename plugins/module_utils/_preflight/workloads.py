# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods and volumes that manifests become: those of workloads, and those that the operator makes of its objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._causes.objects import Labels, Object, labels_of, name_of, space_of, spec_of
from . import pods
from .pods import Owner, Pod
from .quantities import thousandths

_RELOADER = "--config-reloader-"
_OPERATED = {"Prometheus": "prometheus", "Alertmanager": "alertmanager"}


class Claim(NamedTuple):
    """A volume that a pod asks for; `size` in thousandths of a byte, `storage_class` None for the default one."""

    namespace: str
    name: str
    storage_class: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Workload:
    """All of its pods; of a DaemonSet the one that stands on every node that may have it."""

    owner: Owner
    pods: Sequence[Pod]
    claims: Sequence[Claim] = ()

    @property
    def on_every_node(self) -> bool:
        return self.owner.kind == "DaemonSet"


def workloads(objects: Iterable[Object], namespace: str) -> list[Workload]:
    """In the order of the manifests. ValueError where a quantity is none."""
    found = list(objects)
    reloader = _reloader(found)
    made = [_workload(item, namespace, reloader) for item in found]
    return [workload for workload in made if workload is not None]


def _workload(item: Object, namespace: str, reloader: Mapping[str, Any]) -> Workload | None:
    kind, spec = str(item.get("kind")), spec_of(item)
    space = space_of(item) or namespace
    if kind == "PersistentVolumeClaim":
        return Workload(Owner(space, kind, name_of(item)), (), (_claim(space, name_of(item), spec),))
    if kind in _OPERATED:
        return _operated(item, Owner(space, "StatefulSet", f"{_OPERATED[kind]}-{name_of(item)}"), reloader)
    owner = Owner(space, kind, name_of(item))
    template = spec.get("template") or {}
    labels, pod_spec = labels_of(template), spec_of(template)
    if kind == "DaemonSet":
        return Workload(owner, [pods.pod(owner, owner.name, labels, pod_spec)])
    if kind == "Deployment":
        count = _count(spec.get("replicas"))
        return Workload(owner, [pods.pod(owner, owner.name, labels, pod_spec) for _number in range(count)])
    if kind == "StatefulSet":
        names = [f"{owner.name}-{number}" for number in range(_count(spec.get("replicas")))]
        return _stateful(owner, names, labels, pod_spec, spec.get("volumeClaimTemplates") or ())
    return None


def _count(replicas: object) -> int:
    return 1 if replicas is None else int(str(replicas))


def _stateful(
    owner: Owner, names: Sequence[str], labels: Labels, spec: Mapping[str, Any], templates: Iterable[Object]
) -> Workload:
    claims = {
        name: [_claim(owner.namespace, f"{name_of(template)}-{name}", spec_of(template)) for template in templates]
        for name in names
    }
    return Workload(
        owner,
        [pods.pod(owner, name, labels, spec, [claim.name for claim in claims[name]]) for name in names],
        [claim for own in claims.values() for claim in own],
    )


def _claim(namespace: str, name: str, spec: Mapping[str, Any]) -> Claim:
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
    return Claim(namespace, name, spec.get("storageClassName"), thousandths(size))


def _operated(item: Object, owner: Owner, reloader: Mapping[str, Any]) -> Workload:
    """What the operator makes of a Prometheus or an Alertmanager: a StatefulSet for each shard."""
    spec, program = spec_of(item), _OPERATED[str(item["kind"])]
    shards = [owner.name, *(f"{owner.name}-shard-{number}" for number in range(1, _count(spec.get("shards"))))]
    names = [f"{shard}-{number}" for shard in shards for number in range(_count(spec.get("replicas")))]
    labels = {
        "app.kubernetes.io/name": program,
        "app.kubernetes.io/instance": name_of(item),
        "app.kubernetes.io/managed-by": "prometheus-operator",
        program: name_of(item),
        **labels_of({"metadata": spec.get("podMetadata")}),
    }
    template = (spec.get("storage") or {}).get("volumeClaimTemplate")
    name = name_of(template or {}) or f"{owner.name}-db"
    templates = [{**template, "metadata": {"name": name}}] if template else []
    return _stateful(owner, names, labels, _operated_spec(spec, program, reloader), templates)


def _operated_spec(spec: Mapping[str, Any], program: str, reloader: Mapping[str, Any]) -> dict[str, Any]:
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    own = {"name": program, "resources": spec.get("resources") or {}, "securityContext": restricted}
    beside = {"name": "config-reloader", "resources": reloader, "securityContext": restricted}
    named = {one["name"]: one for one in (own, beside)}
    for container in spec.get("containers") or ():
        named[container["name"]] = {**named.get(container["name"], {}), **container}
    return {
        **spec,
        "containers": list(named.values()),
        "initContainers": [{**beside, "name": "init-config-reloader"}, *(spec.get("initContainers") or ())],
    }


def _reloader(objects: Iterable[Object]) -> dict[str, dict[str, str]]:
    """What the operator's arguments give the container that it puts beside each program; 0 is nothing."""
    found: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for argument in _arguments(objects):
        if argument.startswith(_RELOADER) and "=" in argument:
            name, _equals, quantity = argument.removeprefix(_RELOADER).partition("=")
            resource, _dash, kind = name.partition("-")
            if f"{kind}s" in found and thousandths(quantity):
                found[f"{kind}s"][resource] = quantity
    return found


def _arguments(objects: Iterable[Object]) -> Iterator[str]:
    for item in objects:
        if item.get("kind") == "Deployment":
            for container in spec_of(spec_of(item).get("template") or {}).get("containers") or ():
                yield from map(str, container.get("args") or ())
