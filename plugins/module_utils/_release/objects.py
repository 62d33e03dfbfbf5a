# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every object that is in a cluster because of a release. Pure: Helm's record and API objects in, keys out.

Helm removes what it rendered. Three kinds of objects are left: those of hooks, those that programs of the release make
for themselves (the operator's Service in kube-system, the certificate of its webhook), and the claims of StatefulSets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from .._kube.client import Object
from . import manifest
from .history import Revision
from .manifest import Key

Origin = Literal["release", "hook", "program", "claim", "collection", "definition"]
_KUBELET_SERVICE = re.compile(r"--kubelet-service=([^/\s]+)/(\S+)")
_CERTIFICATE = re.compile(r"--secret-name=(\S+)")


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


def claims(known: Iterable[Object], releases: Collection[str]) -> list[Key]:
    """The claims among `known` that belong to the releases, by their labels.

    Kubernetes keeps a claim when its StatefulSet goes; the selector of that stands in its labels. Charts select by the
    release, the operator by its own object, whose name begins with that of the release.
    """
    return [
        Key("PersistentVolumeClaim", metadata["namespace"], metadata["name"], "v1")
        for metadata in (item["metadata"] for item in known)
        if _is_of(metadata.get("labels") or {}, releases)
    ]


def _is_of(labels: Mapping[str, str], releases: Collection[str]) -> bool:
    instance = labels.get("app.kubernetes.io/instance", "")
    if labels.get("app.kubernetes.io/managed-by") == "prometheus-operator":
        return instance.startswith(tuple(f"{release}-" for release in releases))
    return instance in releases


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
