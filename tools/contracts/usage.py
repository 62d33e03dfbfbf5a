# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which metrics somebody reads, which nobody does, and how Prometheus leaves those out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract, MetricSpec, Service
from ansible_collections.ias.observability.plugins.module_utils._dashboards.expand import expansions
from ansible_collections.ias.observability.plugins.module_utils._dashboards.model import Variable
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.variables import label_values
from ansible_collections.ias.observability.plugins.module_utils._promql import PromQLError, parse
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import METRIC_NAME, VectorSelector, walk
from ansible_collections.ias.observability.plugins.module_utils._promql.patterns import accepts

OF_EVERY_TARGET = ("up", "scrape_", "ALERTS")
"""What Prometheus itself says of a target: no relabeling takes it away."""


@dataclass
class Readers:
    """The metrics that queries select, by name or by pattern."""

    names: set[str] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    unclear: list[str] = field(default_factory=list)
    """Queries that are no PromQL, or select without a name: they may read anything."""

    def add(self, query: str, variables: Mapping[str, Variable] | None = None) -> None:
        """A query of a rule, a panel or a template variable."""
        listed = label_values(query)
        if listed is not None and not listed[0]:
            return  # label_values(label): the names of its values, of no metric
        for text in expansions(listed[0] if listed else query, variables or {}):
            try:
                tree = parse(text)
            except PromQLError:
                continue
            for node in walk(tree):
                if isinstance(node, VectorSelector):
                    self._select(node, query)
            return
        self.unclear.append(query)

    def _select(self, node: VectorSelector, query: str) -> None:
        if node.metric:
            self.names.add(node.metric)
            return
        patterns = [one.value for one in node.matchers if one.name == METRIC_NAME and one.operator == "=~"]
        self.patterns.update(patterns)
        if not patterns:
            self.unclear.append(query)

    def reads(self, series: str) -> bool:
        """Whether some query selects the series of that name; True also where a pattern cannot be judged."""
        return series in self.names or any(accepts(pattern, series) is not False for pattern in self.patterns)


def unread(contract: Contract, readers: Readers) -> Iterator[tuple[Service, MetricSpec]]:
    """The declared metrics that no query reads by any of their names; neither do the records of them count."""
    for service in contract.services.values():
        for spec in service.metrics.values():
            names = [spec, *(service.metrics[alias] for alias in spec.aliases)]
            if not spec.alias_of and not any(readers.reads(series) for one in names for series in one.series):
                yield service, spec


def droppable(contract: Contract, live: Mapping[str, int], readers: Readers) -> dict[str, int]:
    """Of the series that a service has, by metric, those that nobody reads and the contract does not promise."""
    promised = {contract.names.metric(name) for name in contract.metrics}
    return {
        name: count
        for name, count in sorted(live.items())
        if name not in promised and not name.startswith(OF_EVERY_TARGET) and ":" not in name and not readers.reads(name)
    }


def relabelings(names: Iterable[str]) -> str:
    """YAML of the entry under metricRelabelings of a monitor's endpoint that leaves the metrics out."""
    entry: dict[str, Any] = {"sourceLabels": [METRIC_NAME], "regex": "|".join(names), "action": "drop"}
    return yaml.safe_dump([entry], sort_keys=False, width=10**6)
