# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the data sources that are needed exist and work?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .._findings import Finding
from .._grafana_model.model import DataSource, Health
from .dashboards import unhealthy
from .result import CheckResult


def check_datasources(found: Sequence[tuple[DataSource, Health]], expected: Collection[str]) -> CheckResult:
    """Every expected data source exists and is healthy."""
    uids = {source.uid for source, _problems in found}
    findings = [
        Finding(
            "datasources/missing",
            "error",
            f"Grafana has no data source with uid {uid}",
            "Check Grafana's provisioned data sources",
            object=uid,
        )
        for uid in expected
        if uid not in uids
    ]
    findings += [
        unhealthy(source.name, health.message)
        for source, health in found
        if source.uid in expected and not health.healthy
    ]
    described = [
        {
            "uid": source.uid,
            "name": source.name,
            "type": source.type,
            "is_default": source.is_default,
            "healthy": health.healthy,
            "message": health.message,
        }
        for source, health in found
    ]
    return CheckResult(len(expected), len(expected) - len(findings), findings, {"datasources": described})
