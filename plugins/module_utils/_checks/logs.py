# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the last line of every running container in Loki, and does a collector run on every node?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._findings import Finding
from .._promql.patterns import Pattern
from .result import CheckResult

TOLERANCE_SECONDS = 5.0
"""A multi-line entry has the time of its first line, and the collector waits for its last one."""
MAX_NAMED = 3


class Container(NamedTuple):
    """One running container."""

    namespace: str
    pod: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)


class LastLine(NamedTuple):
    """When the last line was written that the collector is meant to keep, and the newest one in Loki.

    Both in seconds since the epoch, by the clock of the container's node; None where there is none.
    """

    written: float | None
    stored: float | None

    @property
    def is_late(self) -> bool:
        if self.written is None:
            return False
        return self.stored is None or self.stored < self.written - TOLERANCE_SECONDS


def seen(pod: Mapping[str, Any]) -> dict[str, Any]:
    """What is looked at of a pod: of thousands the rest, most of it managed fields, would be hundreds of megabytes."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    return {
        "metadata": {key: metadata.get(key) for key in ("namespace", "name", "labels")},
        "spec": {"nodeName": (pod.get("spec") or {}).get("nodeName", "")},
        "status": {key: status.get(key) for key in ("conditions", "initContainerStatuses", "containerStatuses")},
    }


def running(pods: Iterable[Mapping[str, Any]]) -> dict[Container, str]:
    """The running containers of pods, sidecars among the init containers too, each with its node."""
    nodes = {}
    for pod in pods:
        status = pod.get("status", {})
        for state in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            if state.get("state", {}).get("running"):
                container = Container(pod["metadata"]["namespace"], pod["metadata"]["name"], state["name"])
                nodes[container] = (pod.get("spec") or {}).get("nodeName", "")
    return nodes


def ready_collectors(pods: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> dict[str, str]:
    """Node → namespace/pod of a pod with the labels that is ready there."""
    labelled = (pod for pod in pods if labels.items() <= (pod["metadata"].get("labels") or {}).items())
    ready = ready_by_node(labelled).items()
    return {node: f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for node, pod in ready}


def ready_by_node(pods: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Node → the last of the pods that is ready there."""
    found = {}
    for pod in pods:
        conditions = pod.get("status", {}).get("conditions") or []
        if any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions):
            found[(pod.get("spec") or {}).get("nodeName", "")] = pod
    return found


def newest_query(containers: Sequence[Container], window: str) -> str:
    """The time of the newest line of many containers, in milliseconds since the epoch.

    The pod is no label but structured metadata, hence the filter.
    """
    namespaces = alternatives(container.namespace for container in containers)
    pods = alternatives(container.pod for container in containers)
    time = "label_format time=`{{ __timestamp__ | unixEpochMillis }}` | unwrap time"
    lines = f'{{namespace=~"{namespaces}"}} | pod=~"{pods}" | {time}'
    return f"max by (namespace, pod, container) (max_over_time({lines} [{window}]))"


def newest(samples: Iterable[tuple[Mapping[str, str], float]]) -> dict[Container, float]:
    """The answer to `newest_query`, in seconds."""
    return {
        Container(labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", "")): value / 1000
        for labels, value in samples
    }


def alternatives(names: Iterable[str]) -> str:
    """A regular expression for Kubernetes names; the dot is their only special character."""
    return "|".join(sorted({name.replace(".", "[.]") for name in names}))


def last_kept_line(log: str, ignored: Sequence[Pattern]) -> float | None:
    """When the last line was written that the collector is meant to keep; `log` has a time before each line."""
    for line in reversed(log.splitlines()):
        moment, _space, text = line.partition(" ")
        if text.strip() and not any(pattern.contains(text) for pattern in ignored):
            return _seconds(moment)
    return None


def _seconds(moment: str) -> float | None:
    """RFC 3339 with up to nine digits of a second, as the kubelet writes it."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", moment)
    if match is None:
        return None
    whole = datetime.datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).timestamp()
    return whole + float(match[2] or 0)


def check_logs(
    lines: Mapping[Container, LastLine], nodes: Mapping[Container, str], collectors: Mapping[str, str] | None
) -> CheckResult:
    """The last line of each container is in Loki, and a collector is ready on its node.

    `collectors` is None where the site does not say how to know them. What has one cause is one finding.
    """
    if not lines:
        nothing = Finding("logs/no-container", "error", "no container runs in the cluster", "Check the nodes")
        return CheckResult(0, 0, [nothing])
    silent = sorted(container for container, line in lines.items() if line == (None, None))
    uncollected = set() if collectors is None else {nodes[container] for container in lines} - set(collectors)
    unread = {container for container in lines if nodes[container] in uncollected}
    late = sorted(container for container, line in lines.items() if line.is_late and container not in unread)
    findings = [
        *_no_collector(uncollected, {nodes[container] for container in lines}, lines, nodes),
        *_late(late, lines, nodes, collectors or {}),
    ]
    checked = len(lines) - len(silent)
    facts = {"silent": [str(container) for container in silent]}
    return CheckResult(checked, checked - len(late) - len(unread - set(silent)), findings, facts)


def _no_collector(
    uncollected: set[str], all_nodes: set[str], lines: Iterable[Container], nodes: Mapping[Container, str]
) -> list[Finding]:
    hint = "Look at the collector's DaemonSet: its pods, nodeSelector, affinity and tolerations"
    if uncollected and uncollected == all_nodes:
        return [Finding("logs/no-collector", "error", "no collector is ready on any node: no log is read", hint)]
    findings = []
    for node in sorted(uncollected):
        containers = [str(container) for container in lines if nodes[container] == node]
        message = f"no collector is ready on this node: the logs of its {len(containers)} containers are not read"
        evidence = {"containers": containers}
        findings.append(Finding("logs/no-collector", "error", message, hint, object=f"node {node}", evidence=evidence))
    return findings


def _late(
    late: Sequence[Container],
    lines: Mapping[Container, LastLine],
    nodes: Mapping[Container, str],
    collectors: Mapping[str, str],
) -> list[Finding]:
    """One finding for each node; one for all where all nodes are late."""
    by_node: dict[str, list[Container]] = {}
    for container in late:
        by_node.setdefault(nodes[container], []).append(container)
    if len(by_node) > 1 and set(by_node) == set(nodes.values()):
        hint = "Look at Loki first: its pods, its log, its disk; then at the collectors' logs"
        return [_late_finding(late, lines, f"{len(by_node)} nodes, all there are", hint)]
    return [
        _late_finding(containers, lines, f"node {node}", _collector_hint(collectors.get(node, "")))
        for node, containers in sorted(by_node.items())
    ]


def _collector_hint(collector: str) -> str:
    namespace, _slash, pod = collector.partition("/")
    return f"kubectl logs -n {namespace} {pod}" if pod else "Look at the log of the collector on that node"


def _late_finding(
    containers: Sequence[Container], lines: Mapping[Container, LastLine], where: str, hint: str
) -> Finding:
    if len(containers) == 1:
        (container,) = containers
        line = lines[container]
        if line.stored is None:
            message = "this container has written lines, but Loki has none of them"
            return Finding("logs/missing", "error", message, hint, object=str(container))
        newest_stored = f"the newest there is of {_clock(line.stored)}"
        message = f"its last line, of {_clock(line.written)}, is not in Loki; {newest_stored}"
        return Finding("logs/late", "error", message, hint, object=str(container))
    named = ", ".join(str(container) for container in containers[:MAX_NAMED])
    more = f" and {len(containers) - MAX_NAMED} more" if len(containers) > MAX_NAMED else ""
    message = f"the last lines of {len(containers)} containers are not in Loki: {named}{more}"
    evidence = {
        str(container): f"written {_clock(lines[container].written)}, in Loki {_clock(lines[container].stored)}"
        for container in containers
    }
    return Finding("logs/late", "error", message, hint, object=where, evidence=evidence)


def _clock(moment: float | None) -> str:
    """A time of day in UTC; a log that is proved is at most some hours old."""
    if moment is None:
        return "never"
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%H:%M:%S UTC")
