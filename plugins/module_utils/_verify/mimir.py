# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Mimir's pods and rings, write a sample and read it back, and ask how Prometheus' samples fare."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .._checks.mimir import Feed, Pod, Sample, State, check_mimir, pod_state
from .._checks.result import CheckResult
from .._http import Api, HttpError
from .._kube import Cluster, KubeError, forward
from .._mimir import METRIC, SERVICE, Member, ring, write
from .._printable import printable
from .._prometheus import Prometheus

PORT = 8080
RINGS = {"ingester": "distributor", "store-gateway": "store-gateway", "compactor": "compactor"}
"""Program → which one knows its ring."""
LOG_LINES = "20"
WRITTEN = f'{METRIC}{{job="{SERVICE}"}}'
AGE = "time() - max(timestamp(up))"
SENT = "sum(prometheus_remote_storage_samples_total)"
PENDING = "sum(prometheus_remote_storage_samples_pending)"
DROPPED = "sum(rate(prometheus_remote_storage_samples_failed_total[2m]))"
TROUBLE = re.compile(r"level=(warn|error|critical)|^panic|^fatal", re.IGNORECASE)
CONSEQUENCE = 'msg="module failed"'
SHOWN_CHARACTERS = 300


Open = Callable[[], contextlib.AbstractContextManager[Api]]


@dataclass(frozen=True)
class Mimir:
    """One release in one namespace, reached through the Kubernetes API."""

    cluster: Cluster
    namespace: str
    release: str

    def pods(self) -> dict[str, list[Pod]]:
        """The pods of each program; of one that is not ready the log says why."""
        selector = f"app.kubernetes.io/name=mimir,app.kubernetes.io/instance={self.release}"
        found: dict[str, list[Pod]] = {}
        for pod in self.cluster.items(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=selector):
            if not pod["metadata"].get("deletionTimestamp"):
                state = pod_state(pod)
                found.setdefault(pod["metadata"]["labels"]["app.kubernetes.io/component"], []).append(
                    state if state.ready else self._explained(state)
                )
        return found

    def _explained(self, pod: Pod) -> Pod:
        """With what its log says last of any trouble; without the right to read it, there is none."""
        if not pod.container:
            return pod
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.name}/log"
        try:
            text = self.cluster.text(path, container=pod.container, tailLines=LOG_LINES)
        except KubeError:
            return pod
        line = last_error(text)
        return replace(pod, reason=f"{pod.reason}; its log: {line}") if line else pod

    @contextlib.contextmanager
    def open(self, program: str, base: str = "") -> Iterator[Api]:
        with forward(self.cluster, self.namespace, f"{self.release}-{program}", PORT) as tunnel:
            yield Api(tunnel.pool, base, deadline=self.cluster.deadline)


def last_error(log: str) -> str:
    """What the last line that tells of trouble says; a module that could not start for another's sake comes last."""
    lines = [line for line in log.splitlines() if TROUBLE.search(line)]
    causes = [line for line in lines if CONSEQUENCE not in line] or lines
    if not causes:
        return ""
    said = [match[1] for key in ("msg", "err") if (match := re.search(rf'\b{key}="((?:[^"\\]|\\.)*)"', causes[-1]))]
    return printable(": ".join(said) or causes[-1])[:SHOWN_CHARACTERS]


def verify_mimir(mimir: Mimir, open_prometheus: Open) -> CheckResult:
    state = State(mimir.pods(), dict(_rings(mimir)))
    try:
        with mimir.open("query-frontend", "/prometheus") as api:
            queried = Prometheus(api)
            state = replace(state, sample=_sample(mimir, queried), feed=_feed(queried, open_prometheus))
    except (HttpError, KubeError) as error:
        state = replace(state, sample=Sample(unreadable=str(error)))
    return check_mimir(state)


def _rings(mimir: Mimir) -> Iterator[tuple[str, Sequence[Member]]]:
    for name, knows in RINGS.items():
        with contextlib.suppress(HttpError, KubeError), mimir.open(knows) as api:  # their pods say why
            yield name, ring(api, f"/{name}/ring")


def _sample(mimir: Mimir, queried: Prometheus) -> Sample:
    """Write one at this moment by Mimir's clock, and look for it."""
    moment = int(queried.now())
    try:
        with mimir.open("distributor") as api:
            write(api, moment)
    except (HttpError, KubeError) as error:
        return Sample(refused=str(error))
    return Sample(found=(queried.value(WRITTEN) or 0.0) >= moment)


def _feed(queried: Prometheus, open_prometheus: Open) -> Feed:
    """What has arrived, beside what Prometheus says that it sends."""
    try:
        with open_prometheus() as api:
            sent, pending, dropped = (Prometheus(api).value(expr) for expr in (SENT, PENDING, DROPPED))
    except (HttpError, KubeError) as error:
        return Feed(unknown=str(error))
    return Feed(queried.value(AGE), sent is not None, dropped or 0.0, pending or 0.0)
