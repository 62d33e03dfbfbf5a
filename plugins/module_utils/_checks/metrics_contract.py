# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a live Prometheus have what the metrics contract promises?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._contract.model import Contract, LabelSpec, MetricSpec, Service
from .._contract.objectives import Objective
from .._findings import Finding

Labels = Mapping[str, str]
_NO_LABELS = frozenset({"__name__", "le", "quantile"})
_SHOWN = 5
_MISSING = (
    "Check the service's version. If that has another name for it, write the name under the metric's aliases, with the "
    "factor that makes its unit that of the contract; names.metrics is for the same values under another name"
)
_NO_LABEL = (
    "What groups by it takes several series for one. If the version calls it otherwise, write that under the label's "
    "aliases; if it need not be there, and nothing groups by it, optional: true"
)


@dataclass(frozen=True, slots=True)
class Live:
    """What Prometheus has of one service, in the contract's names."""

    targets: Sequence[Labels] = ()
    """The labels of its `up` series."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Metric → type as its targets tell it: counter, gauge, histogram, summary, unknown …"""
    series: Mapping[str, Sequence[Labels]] = field(default_factory=dict)
    """Metric → the labels of its series; of a histogram those of its counts."""
    buckets: Mapping[str, frozenset[float]] = field(default_factory=dict)
    """Histogram of an objective → its upper bounds in seconds; not there for a native one."""
    count: int = 0
    """How many series there are of it, declared or not, of all its targets."""
    largest: Mapping[str, int] = field(default_factory=dict)
    """Where there are more than the budget: the metrics with most series, and how many each has."""


def compare(contract: Contract, service: Service, live: Live) -> list[Finding]:
    """Everything in which the service does not keep the contract."""
    if service.job and not live.targets:
        return [
            _error(
                _about(service),
                "no-target",
                f"nothing is scraped as job {contract.names.job(service.job)!r}",
                "Check its ServiceMonitor, or the service's job in the contract",
            )
        ]
    return [
        *_places(service, live),
        *_budget(service, live),
        *(finding for metric in service.metrics.values() for finding in _metric(contract, service, metric, live)),
        *_undeclared(contract, service, live),
        *(finding for objective in service.objectives for finding in _objective(service, objective, live)),
    ]


def _places(service: Service, live: Live) -> Iterator[Finding]:
    for label, wanted in (("namespace", service.namespace), ("endpoint", service.port)):
        found = {target[label] for target in live.targets if label in target}
        if wanted and found and wanted not in found:
            what = "port" if label == "endpoint" else label
            message = f"it is scraped in {what} {_list(found)}, not in {wanted}"
            yield _error(_about(service), "place", message, f"Correct the contract's {what}, or the ServiceMonitor")


def _budget(service: Service, live: Live) -> Iterator[Finding]:
    if 0 < service.max_series < live.count:
        most = ", ".join(f"{name} {count:,}" for name, count in live.largest.items())
        message = f"it has {live.count:,} series, its budget is {service.max_series:,}; most are of {most}"
        hint = (
            "Find the label that grew (count by (LABEL) of the metric) and take it out, drop the metric by "
            "metricRelabelings of its monitor, or raise max_series in the contract"
        )
        yield _error(_about(service), "series", message, hint)


def _metric(contract: Contract, service: Service, metric: MetricSpec, live: Live) -> Iterator[Finding]:
    series = live.series.get(metric.name, ())
    if not series:
        if not metric.optional and not any(live.series.get(alias) for alias in metric.aliases):
            others = f", nor have its other names {', '.join(metric.aliases)}" if metric.aliases else ""
            yield _error(_about(service, metric.name), "missing", f"it has no series{others}", _MISSING)
        return
    kind = live.types.get(metric.name, "unknown")
    if kind not in {metric.type, "unknown"}:
        message = f"it is a {kind}, the contract says {metric.type}"
        yield _error(_about(service, metric.name), "type", message, "Correct the contract, and what asks for it")
    values = _values(series)
    for label, allowed in metric.labels.items():
        found = set[str]().union(*(values.get(name, ()) for name in (label, *allowed.aliases)))
        yield from _label(service, metric, label, allowed, found)
    declared = {name for label, allowed in metric.labels.items() for name in (label, *allowed.aliases)}
    more = set(values) - declared - contract.target_labels - _NO_LABELS
    if more and service.exhaustive:
        message = f"the contract does not declare label {_list(more)}"
        yield _not_declared(_about(service, metric.name), "undeclared-label", message)


def _label(service: Service, metric: MetricSpec, label: str, allowed: LabelSpec, found: set[str]) -> Iterator[Finding]:
    if not found:
        if not allowed.optional:
            others = f", nor any of its other names {', '.join(allowed.aliases)}" if allowed.aliases else ""
            message = f"none of its series has the label {label}{others}"
            yield _error(_about(service, metric.name), "label", message, _NO_LABEL)
        return
    if allowed.values:
        if odd := found - allowed.values:
            message = f"label {label} has the value {_list(odd)}, which the contract does not allow"
            hint = f"It allows {', '.join(sorted(allowed.values))}"
            yield _error(_about(service, metric.name), "value", message, hint)
    elif not allowed.unbounded and len(found) > allowed.most:
        message = f"label {label} has {len(found)} values, the contract allows {allowed.most}"
        hint = "Each value is a series of its own: take what has many values into logs or exemplars"
        yield _error(_about(service, metric.name), "unbounded", message, hint)


def _undeclared(contract: Contract, service: Service, live: Live) -> Iterator[Finding]:
    if service.exhaustive:
        for name in sorted(live.types):
            if name not in service.metrics and not contract.knows(name):
                message = f"the contract does not declare this {live.types[name]}"
                yield _not_declared(_about(service, name), "undeclared", message)


def _objective(service: Service, objective: Objective, live: Live) -> Iterator[Finding]:
    bounds = live.buckets.get(objective.metric)
    if bounds is not None and bounds and objective.seconds not in bounds:
        near = sorted(bounds, key=lambda bound: abs(bound - objective.seconds))[:2]
        message = f"{objective.seconds:g} s of slo.{objective.name} is not one of its buckets"
        hint = f"The nearest are {', '.join(f'{bound:g}' for bound in sorted(near))}"
        yield _error(_about(service, objective.metric), "bucket", message, hint)


def _values(series: Sequence[Labels]) -> dict[str, set[str]]:
    """Label → its values; an empty value is no label."""
    values: dict[str, set[str]] = {}
    for labels in series:
        for name, value in labels.items():
            if value:
                values.setdefault(name, set()).add(value)
    return values


def _list(values: set[str]) -> str:
    shown = sorted(values)[:_SHOWN]
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(shown) + more


def _about(service: Service, metric: str = "") -> str:
    return f"{service.name}/{metric}" if metric else service.name


def _error(about: str, identity: str, message: str, hint: str) -> Finding:
    return Finding(f"contract/{identity}", "error", message, hint, object=about)


def _not_declared(about: str, identity: str, message: str) -> Finding:
    return Finding(f"contract/{identity}", "warning", message, "Declare it, or leave it out", object=about)
