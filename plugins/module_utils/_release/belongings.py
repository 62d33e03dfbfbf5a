# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of releases, read from a cluster, as the dictionaries that modules return."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from .._kube.client import Cluster, Object
from . import crds, history, objects
from .manifest import Key
from .objects import Belonging

FIELD_MANAGER = "ias.observability"
OURS = f"app.kubernetes.io/managed-by={FIELD_MANAGER}"
MADE_BY_MODULES = (
    ("v1", "Secret"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
)


class Belongings:
    """What belongs to releases of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._known: dict[str, dict[str, tuple[str, bool]]] = {}

    def of(self, releases: Collection[str]) -> list[dict[str, Any]]:
        """Everything that exists because of them, as shown in RETURN of release_objects_info."""
        revisions = [history.latest(self.cluster, self.namespace, name) for name in releases]
        found = [
            belonging
            for revision in revisions
            if revision
            for belonging in objects.of_release(revision, self.namespace)
        ]
        rendered = {belonging.key for belonging in found}
        found += [Belonging(key, "claim") for key in self._claims(releases) if key not in rendered]
        found += [Belonging(key, "collection") for key in self._made_by_modules()]
        present = self.existing([as_dict(belonging) for belonging in found])
        ours = {(item["kind"], item["namespace"], item["name"]) for item in present}
        return present + [
            as_dict(Belonging(Key("CustomResourceDefinition", "", name, "apiextensions.k8s.io/v1"), "definition"))
            | {"in_use": self._in_use(definition, ours)}
            for name, definition in self._definitions()
        ]

    def existing(self, listed: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Those of the list that are there now, each as the API places it."""
        return [
            {**item, "namespace": found["metadata"].get("namespace", ""), "volume": _volume(found)}
            for item in listed
            if (path := self._path(item["api_version"], item["kind"], item["namespace"], item["name"]))
            and (found := self.cluster.find(path))
        ]

    def _claims(self, releases: Collection[str]) -> list[Key]:
        known = self.cluster.names(f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims")
        return objects.claims(known, releases)

    def _made_by_modules(self) -> Iterator[Key]:
        for api_version, kind in MADE_BY_MODULES:
            if path := self._path(api_version, kind, self.namespace):
                for item in self.cluster.names(path, labelSelector=OURS):
                    yield Key(kind, self.namespace, item["metadata"]["name"], api_version)

    def _definitions(self) -> Iterator[tuple[str, Object]]:
        for item in self.cluster.names(crds.PATH):
            managers = {entry.get("manager") for entry in item["metadata"].get("managedFields") or []}
            if FIELD_MANAGER in managers:
                name = item["metadata"]["name"]
                yield name, self.cluster.get(f"{crds.PATH}/{name}")

    def _in_use(self, definition: Object, ours: set[tuple[str, str, str]]) -> bool:
        spec = definition["spec"]
        version = next(item["name"] for item in spec["versions"] if item["served"])
        kind = spec["names"]["kind"]
        items = self.cluster.names(f"/apis/{spec['group']}/{version}/{spec['names']['plural']}")
        metadata = (item["metadata"] for item in items)
        return any((kind, item.get("namespace", ""), item["name"]) not in ours for item in metadata)

    def _path(self, api_version: str, kind: str, namespace: str, name: str = "") -> str:
        """The path of an object or, without a name, of a kind; "" where the API does not have the kind."""
        plural, namespaced = self._kinds(api_version).get(kind, ("", False))
        if not plural:
            return ""
        scope = f"/namespaces/{namespace}" if namespaced else ""
        return f"{_root(api_version)}{scope}/{plural}" + (f"/{name}" if name else "")

    def _kinds(self, api_version: str) -> dict[str, tuple[str, bool]]:
        """Plural, and whether it lives in namespaces, by kind."""
        if api_version not in self._known:
            resources = (self.cluster.find(_root(api_version)) or {}).get("resources") or []
            self._known[api_version] = {
                item["kind"]: (item["name"], item["namespaced"]) for item in resources if "/" not in item["name"]
            }
        return self._known[api_version]


def _volume(item: Object) -> str:
    return str((item.get("spec") or {}).get("volumeName") or "")


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def as_dict(belonging: Belonging) -> dict[str, Any]:
    return {
        **belonging.key._asdict(),
        "origin": belonging.origin,
        "release": belonging.release,
        "in_use": False,
        "volume": "",
    }
