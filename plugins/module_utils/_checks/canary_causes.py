# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why lines that a pod wrote are not in Loki: by what the collector of its node and Loki say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._canary.lines import LONG
from .._exposition import samples
from .canary import Cause, Reading

READ, SIZE = "loki_source_file_read_bytes_total", "loki_source_file_file_bytes_total"
DROPPED, STAGE_DROPPED = "loki_write_dropped_entries_total", "loki_process_dropped_lines_total"
RUNTIME_PART_BYTES = 16 * 1024
"""Container runtimes write a longer line as several."""
LIMITS = {
    "line_too_long": "max_line_size",
    "rate_limited": "ingestion_rate_mb",
    "per_stream_rate_limit": "per_stream_rate_limit",
    "stream_limit": "max_global_streams_per_user",
    "greater_than_max_sample_age": "reject_old_samples_max_age",
    "too_far_in_future": "creation_grace_period",
    "max_label_names_per_series": "max_label_names_per_series",
    "label_name_too_long": "max_label_name_length",
    "label_value_too_long": "max_label_value_length",
    "structured_metadata_too_large": "max_structured_metadata_size",
    "structured_metadata_too_many": "max_structured_metadata_entries_count",
}
"""The setting below limits_config behind Loki's reasons to discard a line."""


@dataclass(frozen=True, slots=True)
class Collector:
    """What the collector of a node says of itself since its start."""

    pod: str
    """namespace/pod"""
    files: Mapping[str, tuple[int, int]] | None = None
    """The bytes read and the size of each log file; None where it does not count them."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Lines that it has given up, by reason."""
    stage_dropped: Mapping[str, int] = field(default_factory=dict)
    """Lines that its configuration drops, by reason."""

    @property
    def logs(self) -> str:
        namespace, _slash, pod = self.pod.partition("/")
        return f"kubectl logs -n {namespace} {pod}"


def metrics_port(pod: Mapping[str, Any]) -> int:
    """Of a pod, by the name that charts give it; 0 where it has none."""
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports") or [])
    return next((port["containerPort"] for port in ports if "metrics" in port.get("name", "")), 0)


def read_collector(pod: str, metrics: str) -> Collector:
    """Out of Alloy's /metrics; another collector has none of these counters."""
    read: dict[str, int] = {}
    size: dict[str, int] = {}
    dropped: Counter[str] = Counter()
    stage_dropped: Counter[str] = Counter()
    for name, labels, value in samples(metrics, {READ, SIZE, DROPPED, STAGE_DROPPED}):
        if name in {READ, SIZE}:
            (read if name == READ else size)[labels.get("path", "")] = int(value)
        else:
            (dropped if name == DROPPED else stage_dropped)[labels.get("reason", "")] += int(value)
    files = {path: (count, size.get(path, count)) for path, count in read.items()}
    return Collector(pod, files or None, +dropped, +stage_dropped)


def cause(
    reading: Reading, collector: Collector | None, pod: str, discarded: Mapping[str, int], limits: Mapping[str, str]
) -> Cause | None:
    """The first that is known, on the way of a line: None where nothing is.

    `pod` wrote the lines, `collector` is that of its node; `discarded` is what Loki refused meanwhile, by reason, and
    `limits` are Loki's settings.
    """
    if collector is None:
        hint = "Look at the collector's DaemonSet: its pods, nodeSelector, affinity and tolerations"
        return Cause("no collector is ready on this node", hint)
    if reading.missing:
        return (
            _not_read(collector, pod) or _refused(discarded, limits) or _behind(collector, pod) or _dropped(collector)
        )
    return _cut(list(reading.cut.values()), limits) if reading.cut else None


def _files_of(collector: Collector, pod: str) -> list[tuple[int, int]]:
    return [sizes for path, sizes in (collector.files or {}).items() if f"_{pod}_" in path]


def _not_read(collector: Collector, pod: str) -> Cause | None:
    if collector.files is None or _files_of(collector, pod):
        return None
    message = f"the collector {collector.pod} does not read this pod's log file"
    hint = "Look at its discovery and relabelling rules, and at what they say of this namespace and these labels"
    return Cause(message, f"{hint}; {collector.logs}")


def _refused(discarded: Mapping[str, int], limits: Mapping[str, str]) -> Cause | None:
    if not discarded:
        return None
    reason, count = max(discarded.items(), key=lambda item: item[1])
    setting = LIMITS.get(reason, "")
    limit = f" (limits_config.{setting} is {limits[setting]})" if limits.get(setting) else ""
    message = f"Loki has refused {count} lines since this proof began, reason {reason}{limit}"
    return Cause(message, f"Raise limits_config.{setting}" if setting else "Look at Loki's log")


def _behind(collector: Collector, pod: str) -> Cause | None:
    behind = [(read, size) for read, size in _files_of(collector, pod) if read < size]
    if not behind:
        return None
    read, size = behind[0]
    message = f"the collector {collector.pod} has read {read} of {size} bytes of this pod's log file"
    return Cause(message, f"It waits for Loki, or has too much to do: {collector.logs}")


def _dropped(collector: Collector) -> Cause | None:
    for drops, who in ((collector.dropped, "could not send"), (collector.stage_dropped, "is configured to drop")):
        if drops:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(drops.items()))
            message = f"the collector {collector.pod} read the file; since its start it {who} lines ({reasons})"
            return Cause(message, f"{collector.logs}; its stages drop, limit and match")
    return None


def _cut(sizes: Sequence[int], limits: Mapping[str, str]) -> Cause | None:
    if max(sizes) <= RUNTIME_PART_BYTES:
        message = "the parts of 16 kB into which the container runtime cuts a line are not joined"
        return Cause(message, "The collector needs stage cri (docker for Docker) before all others")
    limit = limits.get("max_line_size", "")
    if not limit:
        return None
    return Cause(
        f"limits_config.max_line_size of Loki is {limit}",
        f"Raise it above {len(LONG.text) // 1024}KB, or waive what is longer",
    )


def wanted_limits(discarded: Collection[str]) -> set[str]:
    """The settings that explain it."""
    return {"max_line_size", *(LIMITS[reason] for reason in discarded if reason in LIMITS)}
