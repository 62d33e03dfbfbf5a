# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics contract: which metrics there are, with which labels and values, from which jobs."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from .report import Report
from .yaml_tree import Mapping, Node, Scalar, Sequence, YamlError, documents

MetricType = Literal["counter", "gauge", "histogram", "summary"]
_TYPES: tuple[str, ...] = get_args(MetricType)
_TOP = ("services", "target_labels", "known_metrics")
_METRIC = ("type", "unit", "labels", "unbounded", "help")
_SERVICE = ("metrics", "slo", "description", "owner")
_TARGET_LABELS = frozenset(
    {*("job", "instance", "namespace", "pod", "container", "service", "endpoint", "cluster", "node"), "prometheus"}
)
_BUILT_IN = ("up", "ALERTS", "ALERTS_FOR_STATE", "scrape_*", "prometheus_*", "process_*", "go_*", "python_*")
_PARTS: dict[str, tuple[tuple[str, str, frozenset[str]], ...]] = {
    "counter": (("", "counter", frozenset()),),
    "gauge": (("", "gauge", frozenset()),),
    "histogram": (
        ("", "histogram", frozenset()),
        ("_bucket", "counter", frozenset({"le"})),
        ("_sum", "counter", frozenset()),
        ("_count", "counter", frozenset()),
    ),
    "summary": (
        ("", "gauge", frozenset({"quantile"})),
        ("_sum", "counter", frozenset()),
        ("_count", "counter", frozenset()),
    ),
}


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


@dataclass(slots=True)
class Contract:
    metrics: dict[str, Metric] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    target_labels: frozenset[str] = _TARGET_LABELS
    known: list[str] = field(default_factory=lambda: list(_BUILT_IN))
    """Patterns of metrics that come from elsewhere."""

    def knows(self, name: str) -> bool:
        return name in self.metrics or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.known)


def load(path: str, text: str, report: Report) -> Contract:
    """The contract in the text; what is wrong with it is reported as contract/file."""
    contract = Contract()

    def wrong(message: str, node: Node | None = None) -> None:
        place = (node.line, node.column) if node is not None else (0, 0)
        report.add("contract/file", "error", message, place=place)

    report.file = path
    try:
        root = next(iter(documents(text)), None)
    except YamlError as error:
        report.add("contract/file", "error", f"not YAML: {error.message}", place=(error.line, error.column))
        return contract
    if not isinstance(root, Mapping):
        wrong("a contract is a mapping with `services`", root)
        return contract
    _known_keys(root, _TOP, wrong)
    contract.target_labels |= frozenset(_texts(root.get("target_labels"), wrong))
    contract.known += _texts(root.get("known_metrics"), wrong)
    for job, service in _entries(root.get("services"), "services", wrong):
        contract.jobs.add(job)
        if isinstance(service, Mapping):
            _known_keys(service, _SERVICE, wrong)
            for name, metric in _entries(service.get("metrics"), "metrics", wrong):
                _add(contract, job, name, metric, wrong)
        else:
            wrong(f"service {job!r} is not a mapping", service)
    return contract


_Wrong = Callable[[str, "Node | None"], None]


def _known_keys(node: Mapping, known: tuple[str, ...], wrong: _Wrong) -> None:
    for name, (key, _value) in node.items().items():
        if name not in known:
            wrong(f"unknown key {name!r}: known are {', '.join(known)}", key)


def _entries(node: Node | None, what: str, wrong: _Wrong) -> list[tuple[str, Node]]:
    if isinstance(node, Mapping):
        return [(name, value) for name, (_key, value) in node.items().items()]
    if node is not None:
        wrong(f"{what} is not a mapping", node)
    return []


def _texts(node: Node | None, wrong: _Wrong) -> list[str]:
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return []
    if isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items):
        return [item.value for item in node.items if isinstance(item, Scalar)]
    wrong("a list of texts is needed here", node)
    return []


def _add(contract: Contract, job: str, name: str, node: Node, wrong: _Wrong) -> None:
    kind = node.get("type") if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping) or not isinstance(kind, Scalar) or kind.value not in _TYPES:
        wrong(f"metric {name!r} needs a type: {', '.join(_TYPES)}", kind or node)
        return
    _known_keys(node, _METRIC, wrong)
    labels = _labels(node.get("labels"), wrong)
    unbounded = frozenset(_texts(node.get("unbounded"), wrong))
    unit = node.get("unit")
    for suffix, part_type, added in _PARTS[kind.value]:
        metric = contract.metrics.setdefault(name + suffix, Metric(name + suffix, part_type, {}, unbounded, set()))
        metric.jobs.add(job)
        if isinstance(unit, Scalar) and suffix != "_count":
            metric.unit = unit.value
        # several services may expose a metric of one name: together they have all their labels
        for label, values in {**labels, **dict.fromkeys(added, frozenset[str]())}.items():
            before = metric.labels.get(label)
            metric.labels[label] = values if before is None else (before | values if before and values else frozenset())


def _labels(node: Node | None, wrong: _Wrong) -> dict[str, frozenset[str]]:
    """Labels as a list of names, or as a mapping of names to their values."""
    if isinstance(node, Mapping):
        return {name: frozenset(_texts(values, wrong)) for name, (_key, values) in node.items().items()}
    return dict.fromkeys(_texts(node, wrong), frozenset[str]())
