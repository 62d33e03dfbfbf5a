# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many rules are looked at by two processes: what there is to say of one needs the findings of no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from .._findings import Finding
from .model import Rule

WORTH_SHARING = 500
"""Rules. A second process takes about as long to start and to be heard as 150 of them."""

Look = Callable[[Sequence[Rule]], list[Finding]]


def look_at(rules: Sequence[Rule], look: Look) -> list[Finding]:
    """What `look` finds, as if it were called with all rules; in no certain order."""
    mine, theirs = shares(rules)
    if not theirs or _cores() < 2:
        return look(rules)
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return look(rules)
    if child == 0:
        _tell(writing, look, theirs)
    os.close(writing)
    try:
        found = look(mine)
        told = _hear(reading)
    finally:
        os.close(reading)
        os.waitpid(child, 0)
    return found + (look(theirs) if told is None else told)


def shares(rules: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    """The rules in two halves, the second of them empty when there are too few.

    What records, or uses what is recorded, is in the first as far as there is room: other rules ask for its tree.
    """
    if len(rules) < WORTH_SHARING:
        return list(rules), []
    ordered = sorted(rules, key=lambda rule: rule.is_alert and ":" not in rule.expr)
    half = (len(ordered) + 1) // 2
    return ordered[:half], ordered[half:]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tell(writing: int, look: Look, rules: Sequence[Rule]) -> None:
    """The child's whole life. What goes wrong here goes wrong again, and is told, where it is done once more."""
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps([finding.as_dict() for finding in look(rules)]))  # at once: C, not Python
    finally:
        os._exit(0)


def _hear(reading: int) -> list[Finding] | None:
    """What the child has found; None when it did not come to its end."""
    with os.fdopen(reading, encoding="utf-8", closefd=False) as pipe, suppress(ValueError):
        return [Finding(**plain) for plain in json.load(pipe)]
    return None
