# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered lines, spans and samples while each program of the stack is restarted: written against read."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.integration.loss.conftest import Lab, Writer

SECONDS, LINES, SPANS = 170, 100, 5
RESTARTED = {
    "collector": "app.kubernetes.io/name=alloy",
    "Loki": "app.kubernetes.io/name=loki",
    "Tempo": "app.kubernetes.io/name=tempo",
    "Prometheus": "app.kubernetes.io/name=prometheus",
}
SCRAPES = "sum(count_over_time(up[{seconds}s] @ {moment}))"


def test_nothing_is_lost_when_a_program_is_restarted(lab: Lab, writers: Callable[..., Writer]) -> None:
    writer = writers(seconds=SECONDS, lines=LINES, spans=SPANS)
    before = SCRAPES.format(seconds=300, moment=int(time.time()) - 30)
    scraped = lab.value(before)
    away = {
        name: lab.restart(selector, writer.node if name == "collector" else "") for name, selector in RESTARTED.items()
    }
    assert time.time() < writer.began + writer.seconds, f"the pod ended before the restarts did: {away}"
    lab.await_end(writer)
    lab.until(lambda: len(set(lab.read_numbers(writer))) >= writer.lines or _settled(lab, writer), 120, "the lines")
    numbers, spans = lab.read_numbers(writer), lab.read_spans(writer)
    lines = {"written": writer.lines, "read": len(set(numbers)), "twice": len(numbers) - len(set(numbers))}
    kept = lab.value(before)
    print(f"seconds away: { {name: round(seconds, 1) for name, seconds in away.items()} }")
    print(f"lines: {lines}; spans: {writer.spans} written, {len(set(spans))} read")
    print(f"samples of before: {scraped:.0f} scraped, {kept:.0f} kept")
    assert lines == {"written": writer.lines, "read": writer.lines, "twice": 0}
    assert {f"number {number}" for number in range(1, writer.spans + 1)} - set(spans) == set()
    assert kept == scraped


def _settled(lab: Lab, writer: Writer) -> bool:
    """Nothing has come for half a minute: the rest is lost."""
    count = len(lab.read_numbers(writer))
    time.sleep(30)
    return count > 0 and len(lab.read_numbers(writer)) == count
