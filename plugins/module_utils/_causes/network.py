# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NetworkPolicy keeps one pod from another. Only what the API's own policies say; a CNI may have more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .chain import Step, broken
from .objects import Labels, Object, Objects, full_name, labels_of, selects, space_of, spec_of


def kept_out(source: Object | None, target: Object, port: int, objects: Objects) -> Iterator[Step]:
    """The policies that select the target, where none of them lets the source in to the port."""
    policies = [
        policy
        for policy in objects.of("networkpolicies", space_of(target))
        if selects(spec_of(policy).get("podSelector"), labels_of(target))
        and "Ingress" in (spec_of(policy).get("policyTypes") or ["Ingress"])
    ]
    if policies and not any(_lets_in(policy, source, target, port, objects) for policy in policies):
        names = ", ".join(full_name(policy) for policy in policies)
        who = f"pod {full_name(source)}" if source else "Prometheus"
        yield broken(
            f"NetworkPolicy {names} does not let {who} in to port {port} of pod {full_name(target)}",
            "Add an ingress rule that allows it",
        )


def _lets_in(policy: Object, source: Object | None, target: Object, port: int, objects: Objects) -> bool:
    rules = spec_of(policy).get("ingress") or []
    return any(_has_port(rule, target, port) and _has_peer(rule, policy, source, objects) for rule in rules)


def _has_port(rule: Mapping[str, Any], target: Object, port: int) -> bool:
    ports = rule.get("ports") or []
    names = {
        one.get("name"): one.get("containerPort")
        for container in spec_of(target).get("containers") or []
        for one in container.get("ports") or []
    }
    return not ports or any(_covers(entry, names, port) for entry in ports)


def _covers(entry: Mapping[str, Any], names: Mapping[Any, Any], port: int) -> bool:
    first = entry.get("port")
    if first is None:
        return True
    number = names.get(first) if isinstance(first, str) else first
    return number is not None and int(number) <= port <= int(entry.get("endPort") or number)


def _has_peer(rule: Mapping[str, Any], policy: Object, source: Object | None, objects: Objects) -> bool:
    peers = rule.get("from") or []
    if not peers or source is None or any("ipBlock" in peer for peer in peers):
        return True  # an address range is not judged
    return any(_is_peer(peer, policy, source, objects) for peer in peers)


def _is_peer(peer: Mapping[str, Any], policy: Object, source: Object, objects: Objects) -> bool:
    spaces = peer.get("namespaceSelector")
    if spaces is None:
        if space_of(source) != space_of(policy):
            return False
    elif not selects(spaces, _namespace_labels(space_of(source), objects)):
        return False
    return selects(peer.get("podSelector"), labels_of(source))


def _namespace_labels(name: str, objects: Objects) -> Labels:
    found = objects.find("namespaces", "", name)
    return {"kubernetes.io/metadata.name": name, **(labels_of(found) if found else {})}
