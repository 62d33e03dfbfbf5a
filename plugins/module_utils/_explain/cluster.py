# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the objects that causes are looked for in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from .._causes.objects import Object, Objects, full_name, name_of, space_of, spec_of
from .._kube import ApiError, KubeError

if TYPE_CHECKING:  # whoever is given a URL does not import the Kubernetes client
    from .._kube import Cluster

CORE, APPS, MONITORING = "/api/v1", "/apis/apps/v1", "/apis/monitoring.coreos.com/v1"
NAMESPACED: Mapping[str, str] = {
    "daemonsets": APPS,
    "deployments": APPS,
    "events": CORE,
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "podmonitors": MONITORING,
    "pods": CORE,
    "prometheuses": MONITORING,
    "prometheusrules": MONITORING,
    "replicasets": APPS,
    "servicemonitors": MONITORING,
    "services": CORE,
    "statefulsets": APPS,
}
GLOBAL: Mapping[str, str] = {"namespaces": CORE, "nodes": CORE}
LOG_LINES = "400"
LOG_SECONDS = 1800
READERS = 8


def read_objects(cluster: Cluster, namespaces: Iterable[str] = (), kinds: Iterable[str] = ()) -> Objects:
    """All kinds that matter, or those named; of some namespaces, or of all. What may not be read is left out."""
    wanted = set(kinds) or {*NAMESPACED, *GLOBAL}
    spaces = sorted(set(namespaces))
    paths = [(kind, f"{GLOBAL[kind]}/{kind}") for kind in wanted & set(GLOBAL)]
    for kind in sorted(wanted & set(NAMESPACED)):
        base = NAMESPACED[kind]
        paths += [(kind, f"{base}/namespaces/{space}/{kind}") for space in spaces] or [(kind, f"{base}/{kind}")]
    found: dict[str, list[Object]] = {}
    unread: dict[str, str] = {}

    def read(path: str) -> Sequence[Object] | ApiError:
        try:
            return list(cluster.items(path))
        except ApiError as error:
            return error

    with ThreadPoolExecutor(READERS) as pool:
        for (kind, _path), answer in zip(paths, pool.map(lambda entry: read(entry[1]), paths), strict=True):
            if isinstance(answer, ApiError):
                unread[kind] = answer.message
            else:
                found.setdefault(kind, []).extend(answer)
    complete = {kind: items for kind, items in found.items() if kind not in unread}
    return Objects(complete, unread, {}, cluster.server_time() if found else time.time())


def with_logs(cluster: Cluster, objects: Objects, pods: Iterable[Object], seconds: int = LOG_SECONDS) -> Objects:
    """The same, with the ends of the logs of some pods' first containers; what cannot be read is left out."""
    chosen = [pod for pod in pods if spec_of(pod).get("containers")]
    query = {"tailLines": LOG_LINES, "sinceSeconds": str(seconds)}

    def read(pod: Object) -> str:
        path = f"/api/v1/namespaces/{space_of(pod)}/pods/{name_of(pod)}/log"
        try:
            return cluster.text(path, **query, container=spec_of(pod)["containers"][0]["name"])
        except KubeError:
            return ""

    with ThreadPoolExecutor(READERS) as pool:
        logs = dict(zip(map(full_name, chosen), pool.map(read, chosen), strict=True))
    return replace(objects, logs={**objects.logs, **logs})
