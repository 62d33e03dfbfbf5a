# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every object that is in a cluster because of a release. Pure: Helm's record and API objects in, keys out.

Helm removes what it rendered. Three kinds of objects are left: those of hooks, those that programs of the release make
for themselves (the operator's Service in kube-system, the certificate of its webhook), and the claims of StatefulSets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from .._kube.client import Object
from . import manifest
from .history import Revision
from .manifest import Key

Origin = Literal["release", "hook", "program", "claim", "collection", "definition"]
_KUBELET_SERVICE = re.compile(r"--kubelet-service=([^/\s]+)/(\S+)")
_CERTIFICATE = re.compile(r"--secret-name=(\S+)")
_KEEP = "helm.sh/resource-policy"


class Belonging(NamedTuple):
    """One object and why it is there. `release` is empty where no release brought it."""

    key: Key
    origin: Origin
    release: str = ""


def of_release(revision: Revision, namespace: str) -> list[Belonging]:
    """What Helm rendered, hooks, and what the programs of the release are told to make."""
    name = str(revision.body["name"])
    hooks = [item for hook in revision.body.get("hooks") or [] for item in manifest.parse(hook.get("manifest") or "")]
    rendered = manifest.parse(revision.manifest)
    found = [
        *(Belonging(_placed(item, namespace), "release", name) for item in rendered),
        *(Belonging(_placed(item, namespace), "hook", name) for item in hooks),
        *(Belonging(key, "program", name) for item in [*rendered, *hooks] for key in _made_by(item, namespace)),
    ]
    return list({belonging.key: belonging for belonging in reversed(found)}.values())[::-1]


def claims(stateful_sets: Iterable[Object], known: Iterable[Object], keys: Iterable[Key]) -> list[Key]:
    """The claims among `known` of those StatefulSets that are in `keys` or belong to an object that is.

    Kubernetes keeps a claim when its StatefulSet goes, and names no owner in it.
    """
    owners = {(key.kind, key.name) for key in keys}
    prefixes = [
        f"{template['metadata']['name']}-{item['metadata']['name']}-"
        for item in stateful_sets
        if ("StatefulSet", item["metadata"]["name"]) in owners
        or any((owner["kind"], owner["name"]) in owners for owner in item["metadata"].get("ownerReferences") or [])
        for template in item["spec"].get("volumeClaimTemplates") or []
    ]
    pattern = re.compile("|".join(f"{re.escape(prefix)}[0-9]+" for prefix in prefixes) or "(?!)")
    metadata = [item["metadata"] for item in known]
    return [
        Key("PersistentVolumeClaim", item["namespace"], item["name"], "v1")
        for item in metadata
        if pattern.fullmatch(item["name"])
    ]


def _placed(item: Object, namespace: str) -> Key:
    """An object that names no namespace is in that of the release, or in none: only the API knows its kind's scope."""
    key = manifest.key_of(item)
    return key._replace(namespace=key.namespace or namespace)


def _made_by(item: Object, namespace: str) -> Iterator[Key]:
    template = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
    for container in template.get("containers") or []:
        arguments = "\n".join(str(word) for word in [*(container.get("command") or []), *(container.get("args") or [])])
        for space, name in _KUBELET_SERVICE.findall(arguments):
            yield Key("Service", space, name, "v1")
        for name in _CERTIFICATE.findall(arguments):
            yield Key("Secret", namespace, name, "v1")
