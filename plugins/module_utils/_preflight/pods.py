# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod asks of the node that takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._causes.objects import Labels, Object, labels_of, metadata, name_of, selects, space_of, spec_of
from .quantities import Amounts, amounts, largest, total

PODS = {"pods": 1000}
"""A pod takes one of the pods that a node may have."""
_ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 - compared only
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Owner(NamedTuple):
    """The workload of a pod."""

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class HostPort(NamedTuple):
    """A port of the node itself; `address` is empty where it is a port of all its addresses."""

    address: str
    protocol: str
    port: int

    def clashes(self, other: HostPort) -> bool:
        same = (self.protocol, self.port) == (other.protocol, other.port)
        return same and (not self.address or not other.address or self.address == other.address)


class Term(NamedTuple):
    """What pods shall be near, or not near: those that it matches, in one domain of the topology `key`."""

    key: str
    selector: Mapping[str, Any]
    namespaces: frozenset[str] | None
    """None for all: a selector of namespaces is taken as if it chose every one."""

    def matches(self, namespace: str, labels: Labels) -> bool:
        return (self.namespaces is None or namespace in self.namespaces) and selects(self.selector, labels)


@dataclass(frozen=True, slots=True)
class Pod:
    """`needs` are its requests and its place; `claims` the names of the volumes that it holds."""

    owner: Owner
    name: str
    labels: Labels
    needs: Amounts
    spec: Mapping[str, Any]
    ports: frozenset[HostPort] = frozenset()
    claims: tuple[str, ...] = ()
    near: tuple[Term, ...] = field(default=())
    apart: tuple[Term, ...] = field(default=())

    @property
    def namespace(self) -> str:
        return self.owner.namespace


class Running(NamedTuple):
    """A pod that has a node."""

    owner: Owner
    name: str
    node: str
    labels: Labels
    needs: Amounts
    ports: frozenset[HostPort]
    apart: tuple[Term, ...]
    spec: Mapping[str, Any]


def pod(owner: Owner, name: str, labels: Labels, spec: Mapping[str, Any], claims: Sequence[str] = ()) -> Pod:
    return Pod(
        owner,
        name,
        labels,
        needs(spec),
        spec,
        frozenset(host_ports(spec)),
        (*claims, *claims_of(spec, name)),
        tuple(affinity_terms(spec, "podAffinity", owner.namespace)),
        tuple(affinity_terms(spec, "podAntiAffinity", owner.namespace)),
    )


def running(item: Object) -> Running | None:
    """None for a pod that has ended or has no node."""
    spec = spec_of(item)
    node = spec.get("nodeName")
    if not node or (item.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return None
    namespace = space_of(item)
    return Running(
        owner_of(item),
        name_of(item),
        node,
        labels_of(item),
        needs(spec),
        frozenset(host_ports(spec)),
        tuple(affinity_terms(spec, "podAntiAffinity", namespace)) if "affinity" in spec else (),
        spec,
    )


def owner_of(item: Object) -> Owner:
    """The workload of a live pod; of a Deployment's pod the Deployment, the pod itself where nobody owns it."""
    controllers = (one for one in metadata(item).get("ownerReferences") or [] if one.get("controller"))
    reference = next(controllers, {"kind": "Pod", "name": name_of(item)})
    kind, name = str(reference["kind"]), str(reference["name"])
    suffix = f"-{labels_of(item).get('pod-template-hash')}"
    if kind == "ReplicaSet" and name.endswith(suffix):
        kind, name = "Deployment", name.removesuffix(suffix)
    return Owner(space_of(item), kind, name)


def needs(spec: Mapping[str, Any]) -> dict[str, int]:
    """The requests that count for the scheduler: all containers at once, or one init container beside the sidecars."""
    sidecars: list[Amounts] = []
    starting: list[Amounts] = []
    for container in spec.get("initContainers") or ():
        asked = requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars.append(asked)
        else:
            starting.append(total((*sidecars, asked)))
    together = total((*map(requests, spec.get("containers") or ()), *sidecars))
    most = largest((together, *starting)) if starting else together
    return total((most, amounts(spec.get("overhead")), PODS))


def requests(container: Mapping[str, Any]) -> dict[str, int]:
    """What has a limit only asks for that."""
    resources = container.get("resources") or {}
    return amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def host_ports(spec: Mapping[str, Any]) -> Iterator[HostPort]:
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port["containerPort"] if spec.get("hostNetwork") else 0)
            if number:
                address = port.get("hostIP") or ""
                yield HostPort("" if address in _ANY_ADDRESS else address, port.get("protocol") or "TCP", int(number))


def claims_of(spec: Mapping[str, Any], pod_name: str) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield str(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            yield f"{pod_name}-{volume['name']}"


def affinity_terms(spec: Mapping[str, Any], kind: str, namespace: str) -> Iterator[Term]:
    """What is required; what is only preferred keeps no pod from a node."""
    for term in (((spec.get("affinity") or {}).get(kind) or {}).get(_REQUIRED)) or ():
        everywhere = term.get("namespaceSelector") is not None
        names = None if everywhere else frozenset(term.get("namespaces") or (namespace,))
        # Without a selector it matches no pod.
        if term.get("labelSelector") is not None:
            yield Term(term["topologyKey"], term["labelSelector"], names)


def spread_constraints(spec: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Those that keep a pod from a node."""
    constraints = spec.get("topologySpreadConstraints") or ()
    return [one for one in constraints if one.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]
