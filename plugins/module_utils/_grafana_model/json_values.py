# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a dashboard's JSON: what is of the wrong type is read as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, isfinite
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def mappings(value: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings of a list, with their positions."""
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield index, item


def number(value: object) -> float | None:
    """A finite one, as JavaScript holds it."""
    try:
        read = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else inf
    except OverflowError:  # an integer of some hundred digits
        return None
    return read if isfinite(read) else None
