# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for the workloads of a release; give up as soon as waiting has become pointless."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from .._kube.client import Cluster, Object
from .._kube.errors import KubeError
from . import rollout
from .manifest import Key
from .rollout import Trouble

POLL_SECONDS = 2.0


@dataclass
class Waiter:
    """One wait. `patience` is how long a container may be in trouble before it counts: some trouble heals itself."""

    cluster: Cluster
    timeout: float
    patience: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _since: dict[tuple[str, str], float] = field(default_factory=dict)

    def wait(self, wanted: Iterable[Key]) -> None:
        end = self.clock() + self.timeout
        lacks = dict.fromkeys(wanted, "")
        while lacks := {key: lack for key in lacks if (lack := self._state(key)[1])}:
            lasting = self._lasting([trouble for key in lacks for trouble in self._troubles(key)])
            if lasting:
                lines = [f"- {self._explained(namespace, trouble)}" for namespace, trouble in lasting]
                raise KubeError("\n".join(["these pods do not come up:", *lines]))
            if self.clock() >= end:
                lines = [f"- {key}: {lack}{self._hints(key)}" for key, lack in lacks.items()]
                raise KubeError("\n".join([f"not ready after {self.timeout:.0f} s:", *lines]))
            self.sleep(POLL_SECONDS)

    def _state(self, key: Key) -> tuple[Object | None, str]:
        live = self.cluster.find(rollout.path(key))
        return live, "it does not exist" if live is None else rollout.lacking(key.kind, live)

    def _pods(self, key: Key) -> list[Object]:
        live = self.cluster.find(rollout.path(key))
        if live is None:
            return []
        folder = f"/api/v1/namespaces/{key.namespace}/pods"
        return rollout.newest(self.cluster.items(folder, labelSelector=rollout.selector(key, live)))

    def _troubles(self, key: Key) -> list[tuple[str, Trouble]]:
        return [(key.namespace, trouble) for pod in self._pods(key) for trouble in rollout.troubles(pod)]

    def _lasting(self, found: list[tuple[str, Trouble]]) -> list[tuple[str, Trouble]]:
        now = self.clock()
        for _name, trouble in found:
            self._since.setdefault((trouble.pod, trouble.container), now)
        return [one for one in found if now - self._since[one[1].pod, one[1].container] >= self.patience]

    def _explained(self, namespace: str, trouble: Trouble) -> str:
        if trouble.reason != "CrashLoopBackOff":
            return str(trouble)
        return f"pod {trouble.pod}, container {trouble.container} crashes: {self._last_words(namespace, trouble)}"

    def _last_words(self, namespace: str, trouble: Trouble) -> str:
        try:
            log = self.cluster.text(
                f"/api/v1/namespaces/{namespace}/pods/{trouble.pod}/log",
                container=trouble.container,
                previous="true",
                tailLines="20",
            )
        except KubeError as error:
            return f"its log cannot be read ({error.message})"
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        return lines[-1] if lines else "it wrote no log"

    def _hints(self, key: Key) -> str:
        """The newest warning about each pod that is not up; as many as can be read in what is left of the time."""
        lines: list[str] = []
        with suppress(KubeError):
            lines.extend(self._warnings(key))
        return "".join(lines)

    def _warnings(self, key: Key) -> Iterator[str]:
        """A volume that cannot be mounted is reported nowhere else."""
        for pod in self._pods(key):
            name = pod["metadata"]["name"]
            events = self.cluster.items(
                f"/api/v1/namespaces/{key.namespace}/events", fieldSelector=f"involvedObject.name={name},type=Warning"
            )
            newest = max(events, key=lambda event: str(event.get("lastTimestamp") or ""), default=None)
            if newest:
                yield f"; {name}: {newest.get('reason')}: {newest.get('message')}"
