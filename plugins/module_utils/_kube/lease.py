# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease as a lock between runs: one holder at a time, who loses it when it is not renewed.

All times are the API server's, so that the clocks of two controllers need not agree. Every write names the version
that was read (or creates), so that of two runs at the same moment one is refused.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .client import Cluster, Object
from .errors import ApiError, KubeError

API_VERSION = "coordination.k8s.io/v1"
POLL_SECONDS = 2.0


class Held(NamedTuple):
    """A Lease as it was read."""

    holder: str
    acquired: datetime.datetime
    renewed: datetime.datetime
    duration: int
    """Seconds after `renewed`."""
    version: str

    @property
    def expires(self) -> datetime.datetime:
        return self.renewed + datetime.timedelta(seconds=self.duration)


@dataclass(frozen=True)
class DeploymentLease:
    """The Lease `name`; `holder` is who asks for it, `duration` for how many seconds."""

    cluster: Cluster
    namespace: str
    name: str
    holder: str
    duration: int

    @property
    def collection(self) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/leases"

    @property
    def path(self) -> str:
        return f"{self.collection}/{self.name}"

    def read(self) -> Held | None:
        found = self.cluster.find(self.path)
        return read_lease(found) if found else None

    def now(self) -> datetime.datetime:
        """The API server's time: it stamps what it would create."""
        body = {"metadata": {"generateName": f"{self.name}-clock-"}}
        return read_time(self.cluster.create(self.collection, body, dry_run=True)["metadata"]["creationTimestamp"])

    def acquire(
        self,
        *,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Held | None:
        """Become the holder, waiting up to `timeout` seconds for another one. Returns whose expired lease was taken.

        Raises KubeError that names the holder when it is not given up in time.
        """
        end = clock() + timeout
        self._make_namespace()
        while True:
            held, now = self.read(), self.now()
            if held is None or held.holder == self.holder or held.expires <= now:
                if self._write(held, now, acquired=now):
                    return held if held and held.holder != self.holder else None
            elif clock() >= end:
                raise self._is_held(held)
            else:
                sleep(min(POLL_SECONDS, max(end - clock(), 0.0)))

    def renew(self) -> None:
        """Hold it for `duration` seconds from now on. Raises KubeError when it is another's by now."""
        held = self.read()
        while held and held.holder == self.holder:
            if self._write(held, self.now(), acquired=held.acquired):
                return
            held = self.read()
        taken = f"{held.holder} has taken it over" if held else "somebody has deleted it"
        raise KubeError(
            f"this run ({self.holder}) has lost lease {self.name} in namespace {self.namespace}: {taken}",
            "Run again when the other run has ended; raise the duration of the lease if this one was slow",
        )

    def release(self) -> bool:
        """Give it up; False where it is not ours."""
        held = self.read()
        while held and held.holder == self.holder:
            try:
                self.cluster.delete(self.path, held.version)
            except ApiError as error:
                if error.status not in {404, 409}:
                    raise
                held = self.read()
            else:
                return True
        return False

    def _write(self, held: Held | None, now: datetime.datetime, acquired: datetime.datetime) -> bool:
        """False where somebody else was faster."""
        body = {
            "apiVersion": API_VERSION,
            "kind": "Lease",
            "metadata": {"name": self.name, **({"resourceVersion": held.version} if held else {})},
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.duration,
                "acquireTime": format_time(acquired),
                "renewTime": format_time(now),
            },
        }
        try:
            if held:
                self.cluster.patch(self.path, body)
            else:
                self.cluster.create(self.collection, body)
        except ApiError as error:
            if error.status in {404, 409}:
                return False
            raise
        return True

    def _is_held(self, held: Held) -> KubeError:
        since, until = (f"{moment:%Y-%m-%d %H:%M:%S} UTC" for moment in (held.acquired, held.expires))
        return KubeError(
            f"{held.holder} is deploying to namespace {self.namespace} since {since}",
            f"Nothing was changed. Wait for its end. Unless it is renewed, its lease ends at {until}; "
            f"if that run is dead: kubectl delete lease {self.name} --namespace {self.namespace}",
        )

    def _make_namespace(self) -> None:
        if self.cluster.find(f"/api/v1/namespaces/{self.namespace}") is None:
            try:
                self.cluster.create("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
            except ApiError as error:
                if error.status != 409:  # made by a run at the same moment
                    raise


def read_lease(item: Object) -> Held:
    """A lease without a holder, or without times, has expired long ago."""
    spec = item.get("spec") or {}
    acquired, renewed = (read_time(spec.get(name)) for name in ("acquireTime", "renewTime"))
    duration = spec.get("leaseDurationSeconds") or 0
    holder = spec.get("holderIdentity") or ""
    return Held(holder, acquired, renewed if holder else read_time(None), duration, item["metadata"]["resourceVersion"])


def read_time(text: str | None) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text or "1970-01-01T00:00:00Z")


def format_time(moment: datetime.datetime) -> str:
    """As MicroTime has it."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
