# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Grafana has, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataSource:
    """One data source, without its secrets."""

    uid: str
    name: str
    type: str
    is_default: bool
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """What Grafana says when it asks a data source whether it works."""

    healthy: bool
    message: str
