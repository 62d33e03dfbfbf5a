# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbered lines of a canary pod, as texts."""

from __future__ import annotations

from ansible_collections.ias.observability.plugins.module_utils._canary.lines import LONG_BYTES, Numbered, parts

NUMBERED = Numbered("canary-1:", parts(seconds=2, burst=3))


def test_numbers_are_without_a_gap_and_stand_at_both_ends() -> None:
    lines = NUMBERED.lines()
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(f"canary-1: {line.number} {line.kind} " in line.text for line in lines)
    assert all(f" {line.number}." in line.text[-6:] for line in lines)


def test_each_kind_is_there() -> None:
    lines = NUMBERED.lines()
    kinds = list(dict.fromkeys(line.kind for line in lines))
    assert kinds == ["plain", "stack", "json", "control", "long", "burst"]
    assert sum(line.kind == "burst" for line in lines) == 3
    (long,) = (line for line in lines if line.kind == "long")
    assert LONG_BYTES < len(long.text) < LONG_BYTES + 100


def test_an_entry_may_hold_several_lines() -> None:
    stack = [line for line in NUMBERED.lines() if line.kind == "stack"]
    entry = "\n".join(line.text for line in stack)
    assert list(NUMBERED.find(entry)) == [(line.number, line.text) for line in stack]


def test_control_characters_may_be_replaced() -> None:
    (control,) = (line for line in NUMBERED.lines() if line.kind == "control")
    arrived = control.text.replace("[31m", "\x1b[31m\ufffd\ufffd")
    assert list(NUMBERED.find(arrived)) == [(control.number, control.text)]


def test_other_entries_hold_none() -> None:
    other = Numbered("canary-11:", parts(1, 1)).lines()[0]
    assert list(NUMBERED.find(other.text)) == []
    assert list(NUMBERED.find('query="{namespace=\\"x\\"} |~ \\"canary-1: [0-9]+ \\""')) == []
