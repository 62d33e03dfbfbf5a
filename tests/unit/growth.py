# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the time of a piece of work grows with its input."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

TIMES = 10
LINEAR = 12
"""What ten times the input may take: linear work, and a little for larger memory."""
_ROUNDS = 30


def growth(work: Callable[[int], Callable[[], object]], count: int) -> float:
    """How many times longer ten times `count` takes: of several rounds the best, as noise only ever adds.

    `work` makes the input of a size, and gives what is to be measured.
    """
    small, large = work(count), work(TIMES * count)
    one = ten = inf
    for _ in range(_ROUNDS):
        one, ten = min(one, _seconds(small)), min(ten, _seconds(large))
        if ten <= LINEAR * one:
            break
    return ten / one


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
