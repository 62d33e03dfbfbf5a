# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a canary pod written its lines, and if not, why?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unfinished(pod: Mapping[str, Any]) -> str:
    """Empty where it has ended well; otherwise what it waits for, or what it died of."""
    status = pod.get("status") or {}
    phase = status.get("phase", "Pending")
    if phase == "Succeeded":
        return ""
    for state in (entry.get("state") or {} for entry in status.get("containerStatuses") or []):
        for stage in ("waiting", "terminated"):
            if stage in state:
                return _said(state[stage].get("reason", stage), state[stage])
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _said(condition.get("reason", "Unschedulable"), condition)
    return _said(status.get("reason") or f"it is {phase}", status)


def _said(reason: str, details: Mapping[str, Any]) -> str:
    return f"{reason}: {details['message']}" if details.get("message") else str(reason)
