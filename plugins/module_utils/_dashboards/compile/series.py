# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of a query's series, as far as they follow from the contract."""

from __future__ import annotations

import re
from typing import Any

from ..._contract.model import Contract

Object = dict[str, Any]

LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NAME = re.compile(r"[a-zA-Z_:][\w:]*")


def names(query: Object, contract: Contract) -> list[str]:
    """The legend's text, for each value of its label; none where the contract does not list the values."""
    legend = query.get("legend", "")
    labels = LABEL.findall(legend)
    if not labels:
        return [legend] if legend else []
    if len(labels) > 1:
        return []
    return [LABEL.sub(value, legend) for value in _values(labels[0], query, contract)]


def _values(label: str, query: Object, contract: Contract) -> list[str]:
    """What the label may hold in any of the query's metrics, or the field of a log."""
    expr = query["expr"]
    if label in contract.log_fields and query.get("source") == "loki":
        instead = re.findall(rf'or \.{label} "(\w+)"', expr)  # of lines that do not have it
        return [*sorted(contract.log_fields[label]), *instead] if contract.log_fields[label] else []
    metrics = [contract.metrics[name] for name in _NAME.findall(expr) if name in contract.metrics]
    if label == "job":
        return sorted({contract.names.job(job) for metric in metrics for job in metric.jobs})
    lists = [metric.labels[label] for metric in metrics if label in metric.labels]
    return sorted(frozenset().union(*lists)) if all(lists) else []
