# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks that do not agree: tokens, leases, and samples of the future are judged by them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from .._causes.objects import Object, name_of, spec_of
from .._findings import Finding

MOST_SECONDS = 10.0
"""Apart, of the controller and the API server."""
MOST_AHEAD_SECONDS = 10.0
MOST_BEHIND_SECONDS = 60.0
"""Of a node: it renews its lease every 10 seconds, and counts as lost after 40."""


def controller(own: float, server: float) -> list[Finding]:
    """By seconds since the epoch."""
    if abs(own - server) <= MOST_SECONDS:
        return []
    message = f"this host's clock is {_told(own - server)} of the API server's"
    return [Finding("cluster/clock", "warning", message, "Synchronize it: chronyc tracking, timedatectl")]


def nodes(leases: Iterable[Object], server: float, lost: Iterable[str]) -> list[Finding]:
    """By when each node says it has renewed its lease; what is `lost` does not renew it."""
    gone = set(lost)
    found = []
    for lease in leases:
        renewed = spec_of(lease).get("renewTime")
        if not renewed or name_of(lease) in gone:
            continue
        skew = datetime.datetime.fromisoformat(str(renewed)).timestamp() - server
        if skew > MOST_AHEAD_SECONDS or skew < -MOST_BEHIND_SECONDS:
            message = (
                f"its clock is {_told(skew)} of the API server's: what it sends is refused or shown at a wrong time"
            )
            hint = "Synchronize it; a node that is renewed does it at its start"
            found.append(Finding("cluster/clock", "warning", message, hint, object=f"node {name_of(lease)}"))
    return found


def _told(skew: float) -> str:
    return f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
