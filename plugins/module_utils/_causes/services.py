# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something stands behind a service's port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._findings import did_you_mean
from .chain import Chain, Step, broken, is_broken
from .objects import Object, Objects, full_name, labels_of, name_of, selects, space_of, spec_of
from .pods import is_ready, pods_chain


def service_chain(namespace: str, name: str, port: int | str, objects: Objects) -> Chain:
    """From a service's name and port to the pods behind it."""
    service = objects.find("services", namespace, name)
    if service is None:
        if not objects.knows("services"):
            return []
        near = did_you_mean(name, map(name_of, objects.of("services", namespace)))
        return [broken(f"Service {namespace}/{name} does not exist", near or "Deploy it, or correct its name")]
    return behind(service, port, objects)


def behind(service: Object, port: int | str, objects: Objects) -> Chain:
    """From a service to the pods behind one of its ports, by number or by name."""
    name = f"Service {full_name(service)}"
    ports = spec_of(service).get("ports") or []
    entry = next((one for one in ports if port in {one.get("port"), one.get("name")}), None)
    if entry is None:
        have = ", ".join(str(one.get("name") or one.get("port")) for one in ports) or "none"
        return [broken(f"{name} has no port {port}: it has {have}", "Correct the port's name on one of the two sides")]
    selector = spec_of(service).get("selector") or {}
    if not selector:
        return [Step(f"{name} has no selector: its endpoints are somebody else's")]
    chain = [Step(f"{name} has port {port}"), *pods_chain(space_of(service), selector, objects)]
    return chain if is_broken(chain) else [*chain, *_port_chain(service, entry, selector, objects)]


def _port_chain(
    service: Object, entry: Mapping[str, Any], selector: Mapping[str, str], objects: Objects
) -> Iterator[Step]:
    """A target port is a number, or the name that a container gives it."""
    target: int | str = entry.get("targetPort") or entry.get("port") or 0
    pods = [
        pod
        for pod in objects.of("pods", space_of(service))
        if selects({"matchLabels": selector}, labels_of(pod)) and is_ready(pod)
    ]
    declared = {
        key
        for pod in pods
        for container in spec_of(pod).get("containers") or []
        for one in container.get("ports") or []
        for key in (one.get("name"), one.get("containerPort"))
        if key
    }
    if isinstance(target, str) and not target.isdigit() and pods and target not in declared:
        have = ", ".join(sorted(str(key) for key in declared if isinstance(key, str))) or "none"
        yield broken(
            f"port {entry.get('name') or entry.get('port')} of Service {full_name(service)} leads to container port "
            f"{target}, which its pods do not have: they name {have}",
            "Correct targetPort, or the container's port name",
        )
    elif declared and pods and target not in declared and str(target).isdigit() and int(target) not in declared:
        have = ", ".join(sorted(str(key) for key in declared if isinstance(key, int)))
        yield broken(
            f"port {entry.get('name') or entry.get('port')} of Service {full_name(service)} leads to port {target}, "
            f"which no container of its pods declares: they declare {have}",
            "Correct targetPort, or what the container listens on",
        )
