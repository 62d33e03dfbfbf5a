# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last line that each running container wrote, and the newest one that Loki has of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .._checks.logs import (
    Container,
    LastLine,
    check_logs,
    last_kept_line,
    newest,
    newest_query,
    ready_collectors,
    running,
    seen,
)
from .._checks.result import CheckResult
from .._kube import ApiError, Cluster
from .._loki import Loki
from .._promql.patterns import Pattern

QUERY_SERIES = 400  # Loki answers at most 500 series (max_query_series)
TAILS = (20, 1000)
"""Lines to read from the end of a log until one is found that the collector keeps."""
PARALLEL_READS = 10
"""As many connections as the Kubernetes client keeps at least."""


@dataclass
class LogCoverage:
    """Remembers what was found, so that every further check asks only for what is late."""

    hours: int
    collector_labels: Mapping[str, str]
    ignored: Sequence[Pattern] = ()
    lines: dict[Container, LastLine] = field(default_factory=dict)
    nodes: Mapping[Container, str] = field(default_factory=dict)
    """Of the containers that ran at the last check."""

    def verify(self, cluster: Cluster, loki: Loki) -> CheckResult:
        pods = [seen(pod) for pod in cluster.items("/api/v1/pods")]
        self.nodes = nodes = running(pods)
        # a line that was written when the proof began must arrive; what is written later is not waited for
        self._read_written(cluster, [container for container in nodes if container not in self.lines])
        self._read_stored(loki, [container for container in nodes if self._is_open(container)])
        collectors = ready_collectors(pods, self.collector_labels) if self.collector_labels else None
        return check_logs({container: self.lines[container] for container in nodes}, nodes, collectors)

    def _is_open(self, container: Container) -> bool:
        line = self.lines[container]
        return line.is_late or line.stored is None

    def _read_written(self, cluster: Cluster, containers: Sequence[Container]) -> None:
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            moments = pool.map(lambda container: self._last_written(cluster, container), containers)
            self.lines |= {
                container: LastLine(moment, None) for container, moment in zip(containers, moments, strict=True)
            }

    def _last_written(self, cluster: Cluster, container: Container) -> float | None:
        """By the kubelet's own log. A container that is gone by now has nothing to prove."""
        path = f"/api/v1/namespaces/{container.namespace}/pods/{container.pod}/log"
        query = {"container": container.name, "timestamps": "true", "sinceSeconds": str(self.hours * 3600)}
        for lines in TAILS:
            try:
                log = cluster.text(path, **query, tailLines=str(lines))
            except ApiError as error:
                if error.status == 404:
                    return None
                raise
            moment = last_kept_line(log, self.ignored)
            if moment is not None or log.count("\n") < lines:
                return moment
        return None

    def _read_stored(self, loki: Loki, containers: Iterable[Container]) -> None:
        ordered = sorted(containers)
        for start in range(0, len(ordered), QUERY_SERIES):
            batch = ordered[start : start + QUERY_SERIES]
            stored = newest(loki.samples(newest_query(batch, f"{self.hours}h")))
            self.lines |= {
                container: LastLine(self.lines[container].written, stored.get(container)) for container in batch
            }
