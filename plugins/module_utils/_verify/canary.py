# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a pod on each node write numbered lines, read them back from Loki, and remove the pods."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .._canary import job
from .._canary.lines import Line, Numbered, parts
from .._canary.pod import unfinished
from .._checks.canary import Cause, Found, NodeResult, Reading, check_canary, check_no_image, compare
from .._checks.canary_causes import Collector, cause, wanted_limits
from .._checks.logs import ready_by_node
from .._checks.result import CheckResult
from .._kube import ApiError, Cluster
from .._loki import NANO, Loki

PARALLEL = 8
EARLIER_SECONDS = 60.0
"""Before the proof began: clocks of nodes differ."""

AskCollector = Callable[[Mapping[str, Any]], Collector]
"""What the collector of this pod says of itself."""


@dataclass
class Canary:
    """The pod of one node, and when each of its lines was first seen."""

    node: str
    job: str
    numbered: Numbered
    lines: list[Line]
    reading: Reading
    latencies: dict[int, float] = field(default_factory=dict)
    """Seconds from writing to reading, by number."""
    is_created: bool = False
    pod: str = ""
    unfinished: str = "it has not begun"

    @property
    def is_open(self) -> bool:
        return bool(self.unfinished or self.reading.missing)

    def result(self) -> NodeResult:
        return NodeResult(self.node, self.lines, self.reading, list(self.latencies.values()), self.unfinished)


@dataclass
class LogCanary:
    """Starts its pods with the first check; every further check asks only for what is missing."""

    namespace: str
    collector_labels: Mapping[str, str]
    image: str
    seconds: int
    """After which Kubernetes stops and removes what is left of a run that was killed."""
    steady: int
    burst: int
    late_after: float
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    canaries: list[Canary] | None = None
    since: float = 0.0
    discarded: Counter[str] = field(default_factory=Counter)
    """What Loki had refused before."""

    def verify(self, cluster: Cluster, loki: Loki) -> CheckResult:
        collectors = self._collectors(cluster)
        if not self.image and not collectors:
            return check_no_image()
        if self.canaries is None:
            self.since, self.discarded = loki.now(), loki.discarded()
            nodes = job.schedulable(cluster.items("/api/v1/nodes"))
            self.canaries = [self._canary(number, node) for number, node in enumerate(nodes)]
        self._create(cluster, collectors)
        self._look_at_pods(cluster)
        self._read(loki)
        return self._check({})

    def explained(self, cluster: Cluster, loki: Loki, ask: AskCollector) -> CheckResult:
        """The same result, with the cause of what is missing."""
        collectors = self._collectors(cluster)
        refused = loki.discarded() - self.discarded
        limits = {name: loki.limit(name) for name in wanted_limits(refused)}
        causes: dict[str, Cause] = {}
        for canary in self.canaries or []:
            if canary.reading.missing or canary.reading.cut:
                pod = collectors.get(canary.node)
                found = cause(canary.reading, ask(pod) if pod else None, canary.pod, refused, limits)
                causes |= {canary.node: found} if found else {}
        return self._check(causes)

    def remove(self, cluster: Cluster) -> None:
        """The Jobs and their pods."""
        if self.canaries:
            cluster.delete_all(self._jobs, job.labels(self.run))

    @property
    def _jobs(self) -> str:
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"

    def _check(self, causes: Mapping[str, Cause]) -> CheckResult:
        return check_canary([canary.result() for canary in self.canaries or []], self.late_after, causes)

    def _create(self, cluster: Cluster, collectors: Mapping[str, Mapping[str, Any]]) -> None:
        """The Jobs that there are not yet."""
        missing = [canary for canary in self.canaries or [] if not canary.is_created]
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda canary: self._create_job(cluster, canary, self._image(canary, collectors)), missing))

    def _create_job(self, cluster: Cluster, canary: Canary, image: Mapping[str, Any]) -> None:
        program = canary.numbered.program()
        body = job.job(canary.job, run=self.run, node=canary.node, program=program, image=image, seconds=self.seconds)
        try:
            cluster.create(self._jobs, body)
        except ApiError as error:
            if error.status != 409:  # the answer to an earlier request was lost
                raise
        canary.is_created = True

    def _canary(self, number: int, node: str) -> Canary:
        name = f"{job.NAME}-{self.run}-{number}"
        numbered = Numbered(f"{name}:", parts(self.steady, self.burst))
        lines = numbered.lines()
        return Canary(node, name, numbered, lines, Reading(missing=lines))

    def _image(self, canary: Canary, collectors: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """What the site names, or the collector's own, which its node has already."""
        if self.image:
            return {"image": self.image, "imagePullSecrets": []}
        return job.image_of(collectors.get(canary.node) or next(iter(collectors.values())))

    def _collectors(self, cluster: Cluster) -> dict[str, Mapping[str, Any]]:
        return ready_by_node(cluster.items("/api/v1/pods", labelSelector=selector(self.collector_labels)))

    def _look_at_pods(self, cluster: Cluster) -> None:
        pods = cluster.items("/api/v1/pods", labelSelector=selector(job.labels(self.run)))
        by_job = {pod["metadata"]["labels"].get("job-name"): pod for pod in pods}
        for canary in self.canaries or []:
            pod = by_job.get(canary.job)
            if canary.unfinished and pod:
                canary.pod, canary.unfinished = pod["metadata"]["name"], unfinished(pod)
            elif canary.unfinished:
                canary.unfinished = f"its Job {self.namespace}/{canary.job} has made no pod"

    def _read(self, loki: Loki) -> None:
        def read(canary: Canary) -> None:
            query = f'{{namespace="{self.namespace}"}} |~ "{canary.numbered.prefix} [0-9]+ "'
            entries = loki.entries(query, start=self.since - EARLIER_SECONDS, end=loki.now() + EARLIER_SECONDS)
            seen = loki.now()
            found = [
                Found(entry.moment, number, text)
                for entry in entries
                for number, text in canary.numbered.find(entry.text)
            ]
            for line in found:
                canary.latencies.setdefault(line.number, max(seen - line.moment / NANO, 0.0))
            canary.reading = compare(canary.lines, found)

        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(read, [canary for canary in self.canaries or [] if canary.is_open]))


def selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())
