# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the lines of a container are not in Loki: from the pod by its collector to Loki."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .chain import Chain, Step, broken, is_broken
from .nodes import daemon_chain, node_of
from .objects import Labels, Object, Objects, full_name, labels_of, metadata, name_of, one_line, selects, space_of
from .pods import is_ready
from .services import service_chain

OPT_OUT = "logs.ias.io/collect"
REFUSALS: tuple[tuple[str, str, str], ...] = (
    (r"no org id|status=401|401 Unauthorized", "Loki wants a tenant or credentials that the collector does not send",
     "Set the tenant (X-Scope-OrgID) of the collector's endpoint, or auth_enabled: false in Loki"),
    (r"ingestion rate limit|per.stream rate limit|rate limit exceeded|status=429",
     "Loki refuses lines for their rate", "Raise ingestion_rate_mb or per_stream_rate_limit in Loki's limits_config"),
    (r"maximum active stream|max streams|stream limit", "Loki refuses new streams: there are too many",
     "Take labels with many values out of the collector's configuration, or raise max_global_streams_per_user"),
    (r"too far behind|timestamp too old|out of order|too new", "Loki refuses lines for their time",
     "Compare the clocks of the nodes; old lines need reject_old_samples_max_age"),
    (r"max entry size|line too long|max_line_size", "Loki refuses lines for their length", "Raise max_line_size"),
    (r"label names|max_label|label name|label value|invalid labels|structured metadata",
     "Loki refuses lines for their labels", "Correct the labels that the collector sets, or Loki's limits_config"),
    (r"no space left on device", "a disk is full", "Give the volume more room, or keep less"),
    (r"connection refused|no such host|i/o timeout|deadline exceeded|EOF|no route to host",
     "the collector cannot reach Loki", "Look at Loki's service and pods, at network policies, and at LOKI_URL"),
    (r"status=50\d|server returned HTTP status 5", "Loki answers the collector with an error", "Look at Loki's log"),
    (r"permission denied", "the collector may not read the files", "Look at its securityContext and the mounts"),
    (r"too many open files|inotify", "the collector cannot watch more files",
     "Raise fs.inotify.max_user_instances on the node"),
)  # fmt: skip
"""What a line of the collector's log means."""


def late_chain(
    pod: Object | None, node: str, collector: Labels, loki: tuple[str, str, int] | None, objects: Objects
) -> Chain:
    """Why lines of a pod, or of all pods of a node, are not there. `loki` is namespace, service and port."""
    chain: list[Step] = []
    if pod is not None:
        chain.append(Step(f"pod {full_name(pod)} writes lines on node {node}"))
        opted = (metadata(pod).get("annotations") or {}).get(OPT_OUT, "")
        if opted in {"false", "no"}:
            text = f"pod {full_name(pod)} has the annotation {OPT_OUT}={opted}: the collector leaves it out"
            return [*chain, broken(text, "Take the annotation off, or do without its logs")]
    chain += daemon_chain(collector, node, objects)
    if is_broken(chain):
        return chain
    behind = service_chain(*loki, objects) if loki else ()
    said = list(collector_says(collector, node, objects))
    if is_broken(behind):
        return [*chain, *behind]
    return [*chain, *behind, *said]


def collector_says(labels: Labels, node: str, objects: Objects) -> Iterator[Step]:
    """The newest complaint in the log of a collector."""
    for pod in objects.of("pods"):
        if selects({"matchLabels": labels}, labels_of(pod)) and node in {"", node_of(pod)} and is_ready(pod):
            for line in reversed(objects.logs.get(full_name(pod), "").splitlines()):
                if re.search(r"level\"?[=:]\"?(warn|error)|\berror\b", line, re.IGNORECASE):
                    yield from understood(line, pod)
                    return


def understood(line: str, pod: Object) -> Iterator[Step]:
    hint = f"kubectl logs -n {space_of(pod)} {name_of(pod)}"
    for pattern, told, remedy in REFUSALS:
        if re.search(pattern, line, re.IGNORECASE):
            yield broken(f"{told}: {shortened(line)}", remedy)
            return
    yield broken(f"the collector (pod {full_name(pod)}) says: {shortened(line)}", hint)


def shortened(line: str) -> str:
    """The error of a log line, without its time and place."""
    found = re.search(r"\b(?:error|err)=(\"(?:[^\"\\]|\\.)*\"|\S+)", line)
    text = found[1].strip('"').replace('\\"', '"') if found else line
    return one_line(text, 240)
