# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collects the findings of one dashboard and says where they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from .._findings import Finding, Severity
from .json_positions import Path, Positions
from .model import Dashboard, Panel


class DashboardReport:
    def __init__(self, dashboard: Dashboard, positions: Callable[[], Positions]) -> None:
        self.dashboard = dashboard
        self.findings: list[Finding] = []
        self._positions = positions

    @cached_property
    def positions(self) -> Positions:
        return self._positions()

    def add(
        self,
        identity: str,
        severity: Severity,
        message: str,
        *,
        hint: str = "",
        path: Path = (),
        panel: Panel | None = None,
    ) -> None:
        line, column = self.positions.of(path)
        name = self.dashboard.uid or "dashboard"
        self.findings.append(
            Finding(
                identity,
                severity,
                message,
                hint,
                file=self.dashboard.file,
                line=line,
                column=column,
                object=name if panel is None else f"{name}/{panel.name}",
            )
        )
