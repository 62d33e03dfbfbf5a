# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The moment when a run must have ended. Every call of the run is handed the same one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Deadline:
    """An end on a monotonic clock, in seconds."""

    end: float = math.inf
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def within(self, seconds: float) -> Deadline:
        """This deadline, or the one in so many seconds if that is earlier."""
        return replace(self, end=min(self.end, self.clock() + seconds))

    def left(self) -> float:
        """Seconds until the end; 0 when it has passed."""
        return max(self.end - self.clock(), 0.0)

    def pause(self, seconds: float) -> None:
        """Sleep, but never past the end."""
        self.sleep(min(seconds, self.left()))


NO_DEADLINE = Deadline()
"""For modules that have no option for it: each call is bounded all the same."""
