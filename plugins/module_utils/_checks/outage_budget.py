# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Loki may be away before the kubelet's rotation takes lines that no collector has read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._findings import Finding

BUSIEST = "topk(100, rate(loki_source_file_read_bytes_total[10m]))"
"""The log files that grow the fastest, by what the collectors read of each; some are of pods that have ended."""
SHORTEST_SECONDS = 600.0
"""What an upgrade of Loki, or a move to another node, may take."""
_PATH = re.compile(r"/([^_/]+)_([^_/]+)_[^/]+/([^/]+)/[^/]+$")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class Rotation(NamedTuple):
    """When the kubelet of a node begins a new file for a container's log."""

    size: str = "10Mi"
    is_known: bool = False
    """Without, this is the kubelet's default."""


@dataclass(frozen=True, slots=True)
class OutageBudget:
    """Of the container whose log grows the fastest."""

    container: str
    """namespace/pod/container"""
    bytes_per_second: float
    rotation: Rotation

    @property
    def seconds(self) -> float:
        """Until the second rotation at the latest place for it: the file at its end when Loki goes.

        A collector that cannot send keeps the file that it has open, and goes on with the newest one. Those between
        are never opened, however many the kubelet keeps.
        """
        return quantity(self.rotation.size) / self.bytes_per_second

    def facts(self) -> dict[str, object]:
        return {
            "seconds": int(self.seconds),
            "container": self.container,
            "bytes_per_second": round(self.bytes_per_second),
            "log_max_size": self.rotation.size,
            "from_kubelet": self.rotation.is_known,
        }

    def finding(self) -> Finding | None:
        if self.seconds >= SHORTEST_SECONDS:
            return None
        message = (
            f"it writes {self.bytes_per_second / 1024:.0f} KiB a second: when Loki is away for more than "
            f"{self.seconds:.0f} s, the second rotation of its log (at {self.rotation.size}) can take unread lines"
        )
        hint = "Let it write less, or raise containerLogMaxSize of the kubelet"
        return Finding("logs/outage-budget", "warning", message, hint, object=self.container)


def container_of(path: str) -> str:
    """namespace/pod/container of a log file below /var/log/pods; empty for another file."""
    found = _PATH.search(path)
    return "/".join(found.groups()) if found else ""


def read_rotation(configz: Mapping[str, Any]) -> Rotation:
    """Out of a kubelet's /configz."""
    size = (configz.get("kubeletconfig") or {}).get("containerLogMaxSize")
    return Rotation(str(size), is_known=True) if size else Rotation()


def quantity(text: str) -> float:
    """Bytes of a Kubernetes quantity; the default's where it is none."""
    found = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", text)
    if not found or found[2] not in _UNITS:
        return quantity(Rotation().size)
    return float(found[1]) * _UNITS[found[2]]
