# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time ranges, steps and the macros that Grafana's back end replaces in a query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNITS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "M": 2_592_000_000,
    "y": 31_536_000_000,
}
SAFE_POINTS = 11_000  # Prometheus' limit for one series
SCRAPE = 15_000
# Grafana's steps: below the first number (ms) it takes the second.
ROUND = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000),
    (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000),
    (210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000),
    (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000),
    (32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000), (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
)  # fmt: skip


class IntervalError(ValueError):
    """A time or a duration that Grafana would not understand."""


@dataclass(frozen=True, slots=True)
class Range:
    """Milliseconds since the epoch."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def parse_time(text: object, now: float) -> int:
    """`now`, `now-5m` or epoch milliseconds."""
    given = str(text)
    if given.isdigit():
        return int(given)
    match = re.fullmatch(r"now(?:([+-])(\d+)([smhdwMy]))?", given)
    if match is None:
        raise IntervalError(f"cannot parse time {given!r}")
    offset = int(match[2]) * UNITS[match[3]] if match[1] else 0
    return int(now * 1000) + (offset if match[1] == "+" else -offset)


def duration(text: str) -> int:
    """`15s`, `1m30s`; a bare number is seconds."""
    cleaned = text.strip().lstrip(">").strip()
    if cleaned.isdigit():
        return int(cleaned) * 1000
    parts = re.findall(r"(\d+)(ms|[smhdwMy])", cleaned)
    if not parts or "".join(number + unit for number, unit in parts) != cleaned:
        raise IntervalError(f"invalid interval {text!r}")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def show(milliseconds: int) -> str:
    """The largest whole unit, rounded down, as Grafana shows an interval."""
    for unit in ("d", "h", "m", "s"):
        if milliseconds >= UNITS[unit]:
            return f"{milliseconds // UNITS[unit]}{unit}"
    return f"{max(milliseconds, 1)}ms"


def exact(milliseconds: int) -> str:
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def _rounded(milliseconds: float) -> int:
    return next((step for limit, step in ROUND if milliseconds < limit), 31_536_000_000)


def step(query: Mapping[str, Any], span: Range, scrape: int) -> int:
    """The step of a range query from the panel's interval, its points, and what Prometheus accepts."""
    requested = str(query.get("interval") or "")
    is_macro = requested.startswith("$")
    least = duration(requested) if requested and not is_macro else int(query.get("intervalMs") or 0) or scrape
    points = int(query.get("maxDataPoints") or 100)
    wanted = max(_rounded(span.length / points), least)
    chosen = max(wanted, _rounded(span.length / SAFE_POINTS))
    if "rate_interval" in requested:
        return rate_interval(chosen, scrape)
    return chosen * int(query.get("intervalFactor") or 1)


def rate_interval(interval: int, scrape: int) -> int:
    return max(interval + scrape, 4 * scrape)


def expand(expr: str, span: Range, interval: int, scrape: int) -> str:
    """Macros only: template variables are the front end's business and stay."""
    rate = rate_interval(interval, scrape)
    seconds = round(span.length / 1000)
    values = {
        "__interval_ms": str(interval),
        "__interval": show(interval),
        "__range_ms": str(span.length),
        "__range_s": str(seconds),
        "__range": f"{seconds}s",
        "__rate_interval_ms": str(rate),
        "__rate_interval": exact(rate),
        "__auto": exact(interval),
    }
    names = "|".join(sorted(values, key=len, reverse=True))
    return re.sub(rf"\$(?:\{{({names})\}}|({names}))", lambda match: values[match[1] or match[2]], expr)
