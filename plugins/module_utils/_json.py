# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of other programs, read with bounds on what it may become in memory."""

from __future__ import annotations

import json
from typing import Any

MOST_VALUES = 1_000_000
MOST_LEVELS = 200


class TooComplexError(ValueError):
    """JSON that would need far more memory than its text, or more levels than code can follow."""


def read_json(data: bytes) -> Any:
    """The value of a JSON text; ValueError where it is none, or TooComplexError."""
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
        raise TooComplexError(f"has more than {MOST_VALUES} values")
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise TooComplexError(f"has more than {MOST_LEVELS} levels") from error
    level = [value]
    for _depth in range(MOST_LEVELS):
        level = [child for node in level for child in _containers(node)]
        if not level:
            return value
    raise TooComplexError(f"has more than {MOST_LEVELS} levels")


def _containers(node: Any) -> list[Any]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in children if isinstance(child, (dict, list))]
