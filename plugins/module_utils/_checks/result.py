# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._findings import Finding


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found at one moment. ``facts`` are returned beside the findings."""

    checked: int
    passed: int
    findings: Sequence[Finding] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
