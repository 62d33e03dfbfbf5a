# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others own or have left behind: definitions of custom resources, and releases that Helm has not ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .._causes.objects import Object, labels_of, metadata, name_of
from .._findings import Finding

_RELEASE = "meta.helm.sh/release-name"
_SPACE = "meta.helm.sh/release-namespace"
_MANAGERS = {
    "olm.managed": "the Operator Lifecycle Manager",
    "argocd.argoproj.io/instance": "Argo CD",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def groups_of(objects: Iterable[Object]) -> set[str]:
    """The API groups of custom resources among them: theirs have a domain of somebody's own."""
    groups = {str(item.get("apiVersion", "")).rpartition("/")[0] for item in objects}
    return {group for group in groups if "." in group and not group.endswith(".k8s.io")}


def definitions(items: Iterable[Object], groups: Collection[str], releases: Collection[str]) -> list[Finding]:
    """The definitions of these groups that somebody else keeps; one finding for each owner."""
    owners: dict[str, list[str]] = {}
    for item in items:
        name = name_of(item)
        if name.partition(".")[2] in groups and (owner := _owner(item, releases)):
            owners.setdefault(owner, []).append(name)
    return [
        Finding(
            "cluster/crd-owner",
            "error",
            f"{names[0]}{f' and {len(names) - 1} more definitions' if len(names) > 1 else ''} belong to {owner}: this "
            "deployment would replace them, and that owner replaces them again",
            "Let one of the two have them: keep them out of it, or waive this where both bring the same version",
            object=owner,
            evidence={"definitions": names},
        )
        for owner, names in owners.items()
    ]


def _owner(item: Object, releases: Collection[str]) -> str:
    annotations = metadata(item).get("annotations") or {}
    if (release := annotations.get(_RELEASE)) and release not in releases:
        return f"Helm release {annotations.get(_SPACE, '')}/{release}"
    marks = {**annotations, **labels_of(item)}
    return next((manager for mark, manager in _MANAGERS.items() if mark in marks), "")


def unfinished(newest: Iterable[tuple[str, str, float]], namespace: str, ours: Collection[str]) -> list[Finding]:
    """Releases that an operation of Helm is still pending on: (name, status, seconds since it began)."""
    found = []
    for name, status, age in newest:
        if not status.startswith("pending-"):
            continue
        message = (
            f"Helm has been at {status.removeprefix('pending-')} of it for {age:.0f} s: it runs still, or was killed"
        )
        command = f"helm rollback {name} -n {namespace}"
        hint = "The plan waits for it, and recovers it once it must have been killed" if name in ours else command
        found.append(Finding("cluster/pending-release", "warning", message, hint, object=f"release {namespace}/{name}"))
    return found
