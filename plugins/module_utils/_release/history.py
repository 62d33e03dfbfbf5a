# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The revisions of a release, as Helm keeps them: one Secret each, holding gzipped JSON in base64, twice."""

from __future__ import annotations

import base64
import binascii
import datetime
import gzip
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._kube.client import Cluster, Object
from .._kube.errors import ApiError, KubeError

POLL_SECONDS = 2.0
MARGIN_SECONDS = 5.0
"""The API server's times are whole seconds, and a question takes its own."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision: the Secret it was read from, and Helm's record in it (which may hold secret values)."""

    secret: Object
    body: Object

    @property
    def number(self) -> int:
        return int(self.body["version"])

    @property
    def status(self) -> str:
        return str(self.body["info"]["status"])

    @property
    def pending(self) -> bool:
        return self.status.startswith("pending-")

    @property
    def manifest(self) -> str:
        return str(self.body.get("manifest") or "")

    @property
    def values(self) -> dict[str, Any]:
        return self.body.get("config") or {}

    @property
    def chart(self) -> str:
        return chart_name(self.body)

    @property
    def app_version(self) -> str:
        return str(self.body["chart"]["metadata"].get("appVersion", ""))

    def same_as(self, other: Revision) -> bool:
        """Would Helm find nothing to change between the two?"""
        return (self.chart, self.values, self.manifest) == (other.chart, other.values, other.manifest)

    def age(self, now: float) -> float:
        """Seconds since the operation began that made this revision; `now` and its beginning are the API server's."""
        return now - datetime.datetime.fromisoformat(self.secret["metadata"]["creationTimestamp"]).timestamp()


def chart_name(release: Object) -> str:
    """Name and version of a release's chart, as `helm list` shows it."""
    metadata = release["chart"]["metadata"]
    return f"{metadata['name']}-{metadata['version']}"


def latest(cluster: Cluster, namespace: str, name: str) -> Revision | None:
    """The newest revision of a release, None when it was never installed."""
    numbers = statuses(cluster, namespace, name)
    return find(cluster, namespace, name, max(numbers)) if numbers else None


def statuses(cluster: Cluster, namespace: str, name: str) -> dict[int, str]:
    """Status by revision, of those that Helm still keeps."""
    # A record can be a megabyte: only names and labels are listed.
    found = cluster.names(_folder(namespace), labelSelector=f"owner=helm,name={name}")
    labels = [item["metadata"]["labels"] for item in found]
    return {int(label["version"]): label.get("status", "") for label in labels}


def last_deployed(statuses: Mapping[int, str]) -> int:
    """The revision that an operation which failed can go back to; 0 when there is none."""
    return max((number for number, status in statuses.items() if status == "deployed"), default=0)


def find(cluster: Cluster, namespace: str, name: str, number: int) -> Revision | None:
    """One revision, None when Helm does not keep it any more."""
    secret = cluster.find(f"{_folder(namespace)}/sh.helm.release.v1.{name}.v{number}")
    return decode(secret) if secret else None


def _folder(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets"


def decode(secret: Object) -> Revision:
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        body = json.loads(gzip.decompress(packed))
    except (KeyError, ValueError, OSError, EOFError, binascii.Error) as error:
        raise KubeError(
            f"Secret {secret['metadata']['name']} does not hold a Helm release", "Delete it if nothing needs it"
        ) from error
    return Revision(secret, body)


def encode(body: Object) -> str:
    packed = gzip.compress(json.dumps(body, separators=(",", ":")).encode())
    return base64.b64encode(base64.b64encode(packed)).decode()


def settled(
    cluster: Cluster,
    namespace: str,
    name: str,
    *,
    pending_after: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Revision | None:
    """The newest revision, once no operation can be running on it any more.

    Helm writes a revision as pending, changes the cluster, then writes the outcome. An operation that has been pending
    for longer than any takes was killed; one that is younger is waited for. KubeError where others follow it.
    """
    end = clock() + pending_after + MARGIN_SECONDS
    while True:
        revision = latest(cluster, namespace, name)
        if revision is None or not revision.pending:
            return revision
        left = pending_after - revision.age(cluster.server_time())
        if left <= 0:
            return revision
        if clock() >= end:
            message = f"somebody else deploys it: revision {revision.number} is {revision.status}"
            raise KubeError(message, "Run again when that has ended")
        sleep(min(POLL_SECONDS, left))


def mark_failed(cluster: Cluster, namespace: str, revision: Revision) -> Revision:
    """Write the outcome that a killed Helm could not write any more.

    Helm refuses to touch a release while its newest revision is pending. As failed, the revision keeps the record of
    what was begun, so the next upgrade compares the cluster with that, and adopts or removes what it left behind.
    """
    info = {**revision.body["info"], "status": "failed", "description": f"interrupted ({revision.status})"}
    body = {**revision.body, "info": info}
    metadata = revision.secret["metadata"]
    change = {
        "metadata": {"resourceVersion": metadata["resourceVersion"], "labels": {"status": "failed"}},
        "data": {"release": encode(body)},
    }
    try:
        secret = cluster.patch(f"/api/v1/namespaces/{namespace}/secrets/{metadata['name']}", change)
    except ApiError as error:
        if error.status == 409:
            message = f"release {revision.body['name']} changed while it was looked at"
            raise KubeError(message, "Somebody else deploys it: run again") from error
        raise
    return Revision(secret, body)


def facts(name: str, namespace: str, revision: Revision | None) -> dict[str, Any]:
    """A release as modules return it."""
    return {
        "name": name,
        "namespace": namespace,
        "revision": revision.number if revision else 0,
        "status": revision.status if revision else "not installed",
        "chart": revision.chart if revision else "",
        "app_version": revision.app_version if revision else "",
    }
