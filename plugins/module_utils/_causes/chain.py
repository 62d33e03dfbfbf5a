# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain of what was looked at, and the cause that it ends in."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Literal, NamedTuple

State = Literal["ok", "broken", "unknown"]


class Step(NamedTuple):
    """One link: what was looked at and how it is. `hint` is what to do where it is broken."""

    text: str
    state: State = "ok"
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"state": self.state, "text": self.text, "hint": self.hint}


Chain = Sequence[Step]
"""From what is seen to what is behind it."""


def broken(text: str, hint: str = "") -> Step:
    return Step(text, "broken", hint)


def unknown(text: str, hint: str = "") -> Step:
    return Step(text, "unknown", hint)


def cause(chain: Chain) -> Step | None:
    """The deepest link that is broken: what stands before it is broken because of it."""
    return next((step for step in reversed(chain) if step.state == "broken"), None)


def is_broken(chain: Chain) -> bool:
    return cause(chain) is not None


def listed(names: Sequence[str], most: int = 3) -> str:
    """Some names in a sentence."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def clock(moment: float) -> str:
    """A moment, given in seconds since the epoch, in UTC."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
