# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the logs of every running container arrive?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._findings import Finding
from .result import CheckResult


class Container(NamedTuple):
    """One running container."""

    namespace: str
    pod: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)


def running(pods: Iterable[Mapping[str, Any]]) -> Iterator[Container]:
    """The running containers of pods, sidecars among the init containers too."""
    for pod in pods:
        status = pod.get("status", {})
        for state in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            if state.get("state", {}).get("running"):
                yield Container(pod["metadata"]["namespace"], pod["metadata"]["name"], state["name"])


def logged(series: Iterable[Mapping[str, str]]) -> set[Container]:
    """The containers that an aggregate over (namespace, pod, container) shows."""
    return {Container(one.get("namespace", ""), one.get("pod", ""), one.get("container", "")) for one in series}


def count_query(containers: Sequence[Container], window: str) -> str:
    """One aggregate for many containers. The pod is no label but structured metadata, hence the filter."""
    namespaces = alternatives(container.namespace for container in containers)
    pods = alternatives(container.pod for container in containers)
    selector = f'{{namespace=~"{namespaces}"}} | pod=~"{pods}"'
    return f"sum by (namespace, pod, container) (count_over_time({selector} [{window}]))"


def alternatives(names: Iterable[str]) -> str:
    """A regular expression for Kubernetes names; the dot is their only special character."""
    return "|".join(sorted({name.replace(".", "[.]") for name in names}))


def has_lines(log: str, ignored: Sequence[re.Pattern[str]]) -> bool:
    """Whether a kubelet's log holds a line that the collector is meant to keep."""
    return any(line.strip() and not any(pattern.search(line) for pattern in ignored) for line in log.splitlines())


def check_logs(containers: Iterable[Container], found: set[Container], silent: set[Container]) -> CheckResult:
    """Every running container is in Loki, or wrote nothing."""
    containers = sorted(set(containers))
    missing = [container for container in containers if container not in found and container not in silent]
    findings = [
        Finding(
            "logs/missing",
            "error",
            "this container has written lines, but Loki has none of them",
            "Check the collector on the pod's node: kubectl logs -n ias-system -l app.kubernetes.io/name=alloy",
            object=str(container),
        )
        for container in missing
    ]
    if not containers:
        findings.append(Finding("logs/no-container", "error", "no container runs in the cluster", "Check the nodes"))
    quiet = [str(container) for container in containers if container in silent and container not in found]
    facts = {"silent": quiet}
    return CheckResult(len(containers) - len(quiet), sum(one in found for one in containers), findings, facts)
