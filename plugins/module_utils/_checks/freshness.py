# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is of now: no older than two of its intervals."""

from __future__ import annotations

import datetime

INTERVALS = 2
SLACK_SECONDS = 10.0
"""A scrape or an evaluation has the time when it began, and is known when it has ended."""
_MINUTE, _HOUR = 60.0, 3600.0


def is_stale(age: float, interval: float) -> bool:
    """Whether what is made anew each `interval` seconds is older than it may be."""
    return age > INTERVALS * interval + SLACK_SECONDS


def shown_age(seconds: float) -> str:
    """As a person says it: 40 seconds, 12 minutes, 3 hours."""
    for size, name in ((_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {name}s"
    return f"{max(seconds, 0):.0f} seconds"


def clock(moment: float) -> str:
    """A time of day in UTC."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%H:%M:%S UTC")
