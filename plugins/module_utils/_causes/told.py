# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain for a person, and for a program."""

from __future__ import annotations

from typing import Any

from .._printable import printable, printable_tree
from .chain import Chain, cause

MARKS = {"ok": "ok", "broken": "BROKEN", "unknown": "?"}


def told(chain: Chain) -> dict[str, Any]:
    """cause, hint, healthy, chain and lines; the first line is the cause, the last one the next step."""
    found = cause(chain)
    if found is None:
        newest = f": {chain[-1].text}" if chain else ""
        first, hint = f"nothing is wrong{newest}", ""
    else:
        first, hint = found.text, found.hint
    lines = [first, *(f"  {MARKS[step.state]:7} {step.text}" for step in chain), *([f"Next: {hint}"] if hint else [])]
    return {
        "cause": printable(first),
        "hint": printable(hint),
        "healthy": found is None,
        "chain": printable_tree([step.as_dict() for step in chain]),
        "lines": [printable(line) for line in lines],
    }
