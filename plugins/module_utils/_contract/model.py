# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a metrics contract says: services, their metrics and labels, and the series that Prometheus keeps of them."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Literal, get_args

from .aliases import MetricAliases
from .objectives import Objective

MetricType = Literal["counter", "gauge", "histogram", "summary"]
METRIC_TYPES: tuple[str, ...] = get_args(MetricType)
_SUFFIXES = {"histogram": ("", "_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
MOST_VALUES = 100
"""How many values a label may have that says nothing about them."""
_TARGET_LABELS = frozenset(
    {*("job", "instance", "namespace", "pod", "container", "service", "endpoint", "cluster", "node"), "prometheus"}
)
GPU_PRICE = "gpu:price:per_hour"
"""The record of what an hour of each GPU costs; there is none without a price."""
_BUILT_IN = (
    *("up", "ALERTS", "ALERTS_FOR_STATE", GPU_PRICE),
    *("scrape_*", "prometheus_*", "process_*", "go_*", "python_*"),
)


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """What a label may hold: one of the values; or at most so many of any; or, unbounded, any number."""

    values: frozenset[str] = frozenset()
    most: int = MOST_VALUES
    unbounded: bool = False
    aliases: tuple[str, ...] = ()
    """What other versions call the label."""
    optional: bool = False
    """No series need have it: nothing groups by it."""


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric as its service declares it."""

    name: str
    type: str
    """counter, gauge, histogram or summary."""
    labels: dict[str, LabelSpec]
    optional: bool
    """Its absence says nothing: an old name, or a counter that starts with its first event."""
    line: int
    unit: str = ""
    period: float = 0.0
    """Seconds between two runs of the job that changes it; 0 where it may change at any time."""
    aliases: dict[str, float] = field(default_factory=dict)
    """What other versions call it → what their value is multiplied with."""
    alias_of: str = ""
    """The metric that this is another version's name of."""
    record: str = ""
    """The series that a rule records of it, whatever the version calls it."""

    @property
    def series(self) -> list[str]:
        """The names of the series that Prometheus keeps of it, and of what a rule records of it."""
        own = [self.name + suffix for suffix in _SUFFIXES.get(self.type, ("",))]
        return [*own, self.record] if self.record else own


@dataclass(frozen=True, slots=True)
class Service:
    """Who exposes what, and where."""

    name: str
    job: str
    """Prometheus' label; "" where no target stands behind the metrics."""
    namespace: str
    port: str
    exhaustive: bool
    """Whether everything that it exposes is declared."""
    metrics: dict[str, MetricSpec]
    objectives: tuple[Objective, ...]
    line: int
    max_series: int = 0
    """How many series Prometheus may keep of it; 0 where nothing is said."""


@dataclass(slots=True)
class Metric:
    name: str
    type: str
    """counter, gauge or (native) histogram: a classic one is written as its three counters."""
    labels: dict[str, frozenset[str]]
    """The values of each label; an empty set where they are not listed."""
    unbounded: frozenset[str]
    jobs: set[str]
    unit: str = ""
    period: float = 0.0
    """Seconds between two changes; 0 where it may change at any time."""


@dataclass(slots=True)
class Contract:
    metrics: dict[str, Metric] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    target_labels: frozenset[str] = _TARGET_LABELS
    known: list[str] = field(default_factory=lambda: list(_BUILT_IN))
    """Patterns of metrics that come from elsewhere."""
    names: MetricAliases = field(default_factory=MetricAliases)
    gpu_hour: dict[str, float] = field(default_factory=dict)
    """Name of a GPU, as label modelName has it → price of an hour."""
    log_fields: dict[str, frozenset[str]] = field(default_factory=dict)
    """The values of each field of log lines that any service declares; an empty set where they are not listed."""

    def knows(self, name: str) -> bool:
        return name in self.metrics or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.known)
