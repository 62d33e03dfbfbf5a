# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that record a metric in one name and unit, whatever the version that runs calls it.

Dashboards and alerts ask for the record, so that they need not know the versions.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._contract.model import GPU_PRICE, Contract, MetricSpec
from ansible_collections.ias.observability.plugins.module_utils._promql.printer import quote


def rule_file(contract: Contract) -> dict[str, Any]:
    """A Prometheus rule file with a group for each service that has records."""
    recorded = {
        service.name: [spec for spec in service.metrics.values() if spec.record]
        for service in contract.services.values()
    }
    groups = [
        {"name": f"ias-records.{name}", "rules": [{"record": spec.record, "expr": expression(spec)} for spec in specs]}
        for name, specs in recorded.items()
        if specs
    ]
    if contract.gpu_hour:
        groups.append({"name": "ias-records.prices", "rules": [{"record": GPU_PRICE, "expr": prices(contract)}]})
    return {"groups": groups}


def prices(contract: Contract) -> str:
    """What an hour of each GPU costs, of those that have a price."""
    known = (
        f"0 * max by (namespace, job, hostname, gpu) (gpu:utilization:ratio{{modelName={quote(name)}}}) + {price:.12g}"
        for name, price in contract.gpu_hour.items()
    )
    return "\n  or ".join(known) + "\n"


def expression(spec: MetricSpec) -> str:
    """The metric by whichever name it has, in the unit and with the labels of the contract."""
    aliases = [name if factor == 1 else f"{name} * {factor:.12g}" for name, factor in spec.aliases.items()]
    found = " or ".join([spec.name, *aliases])
    renamed = [(label, alias) for label, described in spec.labels.items() for alias in described.aliases]
    for label, alias in renamed:
        found = f'label_replace(\n{indent(found, "  ")},\n  "{label}", "$1", "{alias}", "(.+)"\n)'
    if not renamed:
        return found
    others = ", ".join(alias for _label, alias in renamed)
    return f"max without ({others}) (\n{indent(found, '  ')}\n)\n"
