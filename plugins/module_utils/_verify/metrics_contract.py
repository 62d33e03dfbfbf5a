# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from Prometheus what the metrics contract speaks of."""

from __future__ import annotations

from .._checks.metrics_contract import Live, compare
from .._checks.result import CheckResult
from .._contract.model import Contract, MetricSpec, Service
from .._findings import Finding
from .._prometheus import Prometheus

MOST_SERIES = 20_000
"""Of one metric; more are not needed to see that a label has too many values."""
SHOWN = 5
"""Metrics that a service has most series of."""


def verify(prometheus: Prometheus, contract: Contract) -> CheckResult:
    """Every service of the contract against what Prometheus has now."""
    findings: list[Finding] = []
    facts: dict[str, object] = {}
    checked = passed = 0
    for service in contract.services.values():
        live = read(prometheus, contract, service)
        found = compare(contract, service, live)
        broken = {finding.object for finding in found if finding.severity == "error"}
        of_service = bool(service.job and not live.targets)
        wrong = len(service.metrics) if of_service else len(broken - {service.name})
        checked += len(service.metrics)
        passed += len(service.metrics) - wrong
        findings += found
        facts[service.name] = {
            "targets": len(live.targets),
            "metrics": sum(bool(series) for series in live.series.values()),
            "series": sum(len(series) for series in live.series.values()),
            "all_series": live.count,
        }
    return CheckResult(checked, passed, findings, {"services": facts})


def read(prometheus: Prometheus, contract: Contract, service: Service) -> Live:
    """What Prometheus has of a service. Without a target nothing else is asked."""
    names, job = contract.names, contract.names.job(service.job)
    scope = f'job="{_escaped(job)}"' if job else ""
    targets = prometheus.series(f"up{{{scope}}}", MOST_SERIES) if job else []
    if job and not targets:
        return Live()
    theirs = {names.metric(name): name for name in service.metrics}
    metadata = prometheus.target_metadata(f"{{{scope}}}") if job else {}
    types = {
        theirs.get(name, name): kind
        for name, kind in ((_series_name(*entry, theirs), entry[1]) for entry in metadata.items())
    }
    everything = f"{{{scope}}}" if job else f'{{__name__=~"{"|".join(_all_series(contract, service))}"}}'
    count = int(prometheus.value(f"count({everything})") or 0)
    histograms = {objective.metric for objective in service.objectives if objective.kind == "histogram"}
    return Live(
        targets=targets,
        types=types,
        series={
            name: _series(prometheus, names.metric(name), metric, scope) for name, metric in service.metrics.items()
        },
        buckets={name: _bounds(prometheus, names.metric(name), scope) for name in histograms},
        count=count,
        largest=_largest(prometheus, everything) if 0 < service.max_series < count else {},
    )


def _all_series(contract: Contract, service: Service) -> list[str]:
    """The names of all series that are declared, as Prometheus has them."""
    return [contract.names.metric(name) for spec in service.metrics.values() for name in spec.series]


def _largest(prometheus: Prometheus, selector: str) -> dict[str, int]:
    """The metrics with most series, the largest first."""
    counts = prometheus.values(f"topk({SHOWN}, count by (__name__) ({selector}))", "__name__")
    return {name: int(count) for name, count in sorted(counts.items(), key=lambda one: -one[1])}


def _series_name(family: str, kind: str, known: dict[str, str]) -> str:
    """OpenMetrics names a counter's family without `_total`, the older text format with it."""
    total = f"{family}_total"
    return (
        total
        if kind == "counter" and not family.endswith("_total") and (total in known or family not in known)
        else family
    )


def _series(prometheus: Prometheus, name: str, metric: MetricSpec, scope: str) -> list[dict[str, str]]:
    parts = [name, f"{name}_count"] if metric.type in {"histogram", "summary"} else [name]
    selector = ", ".join(filter(None, [f'__name__=~"{"|".join(parts)}"', scope]))
    return prometheus.series(f"{{{selector}}}", MOST_SERIES)


def _bounds(prometheus: Prometheus, name: str, scope: str) -> frozenset[float]:
    found = prometheus.series(f"group by (le) ({name}_bucket{{{scope}}})", MOST_SERIES)
    return frozenset(float(labels["le"]) for labels in found if "le" in labels)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
