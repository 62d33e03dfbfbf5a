# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each of two processes reads, and looks at: halves that take about as long."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import accumulate

from .files import Source
from .model import Rule

WORTH_SHARING = 100_000
"""Characters. A second process takes about as long to start and to be heard as one takes for a fourth of them."""
FIRST = 0.48
"""Of the texts, what the first process reads, and of the rules, what it looks at: it looks at their set besides."""


def halves(sources: Sequence[Source]) -> tuple[Sequence[Source], Sequence[Source]] | None:
    """The first sources and the others, of about as much text; None for what one process does as fast."""
    ends = list(accumulate(len(source.text) for source in sources))
    if not ends or ends[-1] < WORTH_SHARING or cores() < 2:
        return None
    middle = min(range(len(ends)), key=lambda at: abs(FIRST * ends[-1] - ends[at])) + 1
    return sources[:middle], sources[middle:]


def share(rules: Sequence[Rule], *, first: bool) -> list[Rule]:
    """About half of the rules.

    What records, or uses what is recorded, is in the first as far as there is room: other rules ask for its tree.
    """
    ordered = sorted(rules, key=lambda rule: rule.is_alert and ":" not in rule.expr)
    end = int(len(ordered) * FIRST)
    return ordered[:end] if first else ordered[end:]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
