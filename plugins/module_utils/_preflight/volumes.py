# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of pods: what attaches them, and from which nodes they can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._causes.objects import Object, name_of, space_of, spec_of
from .basics import default_class
from .nodes import Node, slots
from .placement import Volume
from .workloads import Workload

Key = tuple[str, str]
"""The namespace and the name of a claim."""


def volumes(
    workloads: Iterable[Workload], claims: Iterable[Object], persistent: Iterable[Object], classes: Iterable[Object]
) -> dict[Key, Volume]:
    """Of every claim that exists or will be made; a class that does not exist attaches nothing that is known."""
    known = list(classes)
    drivers = {name_of(item): str(item.get("provisioner", "")) for item in known}
    default = default_class(known)
    bound = {name_of(item): spec_of(item) for item in persistent}
    found = {
        (claim.namespace, claim.name): Volume(drivers.get(claim.storage_class or default, ""))
        for workload in workloads
        for claim in workload.claims
    }
    for item in claims:
        spec = spec_of(item)
        volume = bound.get(str(spec.get("volumeName", "")), {})
        required = (volume.get("nodeAffinity") or {}).get("required") or {}
        driver = (volume.get("csi") or {}).get("driver") or drivers.get(spec.get("storageClassName") or default, "")
        found[space_of(item), name_of(item)] = Volume(driver, required.get("nodeSelectorTerms") or ())
    return found


def slim_persistent(item: Object) -> dict[str, Any]:
    """What is asked of a PersistentVolume."""
    spec = spec_of(item)
    return {
        "metadata": {"name": name_of(item)},
        "spec": {name: spec[name] for name in ("csi", "nodeAffinity") if name in spec},
    }


def attach(nodes: Mapping[str, Node], attachments: Iterable[Object], ours: Iterable[str]) -> None:
    """Take the slots of the volumes of others; `ours` are PersistentVolumes that are counted with their pods."""
    own = set(ours)
    for item in attachments:
        spec = spec_of(item)
        volume = (spec.get("source") or {}).get("persistentVolumeName")
        if volume not in own and spec.get("nodeName") in nodes:
            nodes[spec["nodeName"]].take({slots(str(spec.get("attacher"))): 1000})
