# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the versions that exist are newer than a pin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# A release; what has a suffix (-rc.1, +build) is none that anybody should be moved to.
_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Newer:
    """The newest release of all, and of the pin's major; empty where the pin is the newest."""

    of_all: str
    of_major: str


def parse(text: str) -> Version | None:
    """The three numbers of a release; None for anything else."""
    found = _RELEASE.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def newer(pinned: str, existing: Iterable[str]) -> Newer:
    """What is newer than a pinned release. Raises ValueError when that is no release."""
    ours = parse(pinned)
    if ours is None:
        raise ValueError(f"{pinned} is no release")
    later = sorted((version, text) for text in existing if (version := parse(text)) is not None and version > ours)
    return Newer(_last(later), _last([one for one in later if one[0][0] == ours[0]]))


def _last(versions: list[tuple[Version, str]]) -> str:
    return versions[-1][1] if versions else ""
