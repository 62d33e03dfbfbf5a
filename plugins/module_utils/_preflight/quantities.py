# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' quantities, as whole thousandths: 500m CPU is 500, 1Gi of memory 1024 ** 3 * 1000."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal

Amounts = Mapping[str, int]
"""Thousandths by the name of the resource."""

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]{1,2})|([KMGTPE]i|[numkMGTPE])?)")
_SUFFIXES = {
    "": Decimal(1),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
    "m": Decimal("1e-3"),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
}
_BINARY = ("", "KiB", "MiB", "GiB", "TiB")
WORDS = {"cpu": "CPU", "memory": "memory", "ephemeral-storage": "ephemeral storage", "pods": "room for pods"}


@functools.lru_cache(4096)
def thousandths(quantity: str | int | float) -> int:
    """Rounded up; ValueError where it is no quantity."""
    found = _QUANTITY.fullmatch(str(quantity).strip())
    try:
        if found is None:
            raise ArithmeticError
        number = Decimal(found[1]) * (Decimal(10) ** int(found[2]) if found[2] else _SUFFIXES[found[3] or ""])
        return int((number * 1000).to_integral_value(ROUND_CEILING))
    except ArithmeticError:
        raise ValueError(f"{quantity!r} is no quantity of Kubernetes") from None


def amounts(written: Mapping[str, str] | None) -> dict[str, int]:
    return {name: thousandths(quantity) for name, quantity in (written or {}).items()}


def total(parts: Iterable[Amounts]) -> dict[str, int]:
    result: dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            result[name] = result.get(name, 0) + amount
    return result


def largest(parts: Iterable[Amounts]) -> dict[str, int]:
    """Of each resource the largest amount."""
    result: dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            result[name] = max(result.get(name, 0), amount)
    return result


def shown(name: str, amount: int) -> str:
    """As people write it: 500m CPU, 1.5 GiB memory, 3 pods."""
    if name.endswith(("memory", "storage")):
        return f"{_bytes(amount)} {WORDS.get(name, name)}"
    if name.endswith("cpu"):
        return f"{_number(amount / 1000) if amount % 1000 == 0 else f'{amount}m'} {WORDS.get(name, name)}"
    return f"{_number(amount / 1000)} {name.replace('slots', 'slot', 1) if amount == 1000 else name}"


def _bytes(amount: int) -> str:
    value, unit = amount / 1000, 0
    while abs(value) >= 1024 and unit < len(_BINARY) - 1:
        value, unit = value / 1024, unit + 1
    return f"{_number(value)} {_BINARY[unit]}".rstrip()


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
