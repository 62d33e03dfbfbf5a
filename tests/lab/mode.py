# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Online or offline: decided by one thing only, whether a container engine answers."""

from __future__ import annotations

import os
from typing import Literal, cast

from tests.lab.state import LabError, succeeds

Mode = Literal["online", "offline"]


def choose(wish: str, *, engine_answers: bool) -> tuple[Mode, str]:
    """The mode and, in one line, the reason. `wish` is the variable LAB."""
    if wish in ("online", "offline"):
        return cast("Mode", wish), f"LAB={wish}, as asked"
    if wish:
        raise LabError(f"LAB={wish} is not a mode; use online or offline, or leave it out")
    if engine_answers:
        return "online", "LAB=online: a container engine answers, images and charts come from their registries"
    return "offline", "LAB=offline: no container engine answers, everything is built from packages"


def mode() -> tuple[Mode, str]:
    """The mode of this machine."""
    return choose(os.environ.get("LAB", ""), engine_answers=succeeds(["docker", "info"]))
