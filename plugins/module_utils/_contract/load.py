# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a metrics contract to what it says."""

from __future__ import annotations

import fnmatch

from .._findings import Report
from .._promql.literals import parse_duration
from .._yaml.reader import Wrong, entries, flag, known_keys, text, texts
from .._yaml.tree import Mapping, Node, Scalar, YamlError, documents, duplicates
from .aliases import MetricAliases
from .model import METRIC_TYPES, MOST_VALUES, Contract, LabelSpec, Metric, MetricSpec, Service
from .objectives import read_objectives

_TOP = ("services", "names", "target_labels", "known_metrics")
_METRIC = ("type", "unit", "labels", "help", "optional", "period")
_SERVICE = (
    *("description", "owner", "job", "namespace", "selector", "port", "pushed", "exhaustive"),
    *("metrics", "logs", "spans", "slo"),
)
_LABEL = ("max", "unbounded")
_LOGS = ("format", "fields")
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


def load(path: str, content: str, report: Report) -> Contract:
    """The contract in the text; what is wrong with it is reported as contract/file."""
    contract = Contract()

    def wrong(message: str, node: Node | None = None) -> None:
        place = (node.line, node.column) if node is not None else (0, 0)
        report.add("contract/file", "error", message, hint="see the option contract", place=place)

    report.file = path
    try:
        root = next(iter(documents(content)), None)
    except YamlError as error:
        place = (error.line, error.column)
        report.add("contract/file", "error", f"not YAML: {error.message}", hint="correct the file", place=place)
        return contract
    if not isinstance(root, Mapping):
        wrong("a contract is a mapping with `services`", root)
        return contract
    for key in duplicates(root):
        wrong(f"key {key.value!r} is written twice", key)
    known_keys(root, _TOP, wrong)
    contract.target_labels |= frozenset(texts(root.get("target_labels"), wrong))
    contract.names = _names(root.get("names"), wrong)
    for name, node in entries(root.get("services"), "services", wrong):
        if isinstance(node, Mapping):
            known_keys(node, _SERVICE, wrong)
            service = contract.services[name] = _service(name, node, wrong)
            contract.jobs |= {service.job} - {""}
            for spec in service.metrics.values():
                _add(contract, service.job, spec)
            _add_logs(contract, node.get("logs"), wrong)
        else:
            wrong(f"service {name!r} is not a mapping", node)
    # where a service declares what is built in, its declaration is what counts
    contract.known = [pattern for pattern in contract.known if not fnmatch.filter(contract.metrics, pattern)]
    contract.known += texts(root.get("known_metrics"), wrong)
    return contract


def _service(name: str, node: Mapping, wrong: Wrong) -> Service:
    pushed = flag(node, "pushed", wrong)
    metrics = {}
    for metric, declaration in entries(node.get("metrics"), "metrics", wrong):
        if (spec := _metric(metric, declaration, wrong)) is not None:
            metrics[metric] = spec
    return Service(
        name=name,
        job="" if pushed else text(node, "job", name, wrong),
        namespace=text(node, "namespace", "", wrong),
        port=text(node, "port", "", wrong),
        exhaustive=flag(node, "exhaustive", wrong),
        metrics=metrics,
        objectives=read_objectives(node.get("slo"), {metric.name: metric.type for metric in metrics.values()}, wrong),
        line=node.line,
    )


def _names(node: Node | None, wrong: Wrong) -> MetricAliases:
    maps: dict[str, dict[str, str]] = {"metrics": {}, "jobs": {}}
    for kind, pairs in entries(node, "names", wrong):
        if kind not in maps:
            wrong(f"unknown key {kind!r}: known are {', '.join(maps)}", pairs)
            continue
        for name, alias in entries(pairs, f"names.{kind}", wrong):
            if isinstance(alias, Scalar) and not alias.is_null:
                maps[kind][name] = alias.value
            else:
                wrong(f"names.{kind}.{name} is a text", alias)
    return MetricAliases(maps["metrics"], maps["jobs"])


def _metric(name: str, node: Node, wrong: Wrong) -> MetricSpec | None:
    kind = node.get("type") if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping) or not isinstance(kind, Scalar) or kind.value not in METRIC_TYPES:
        wrong(f"metric {name!r} needs a type: {', '.join(METRIC_TYPES)}", kind or node)
        return None
    known_keys(node, _METRIC, wrong)
    labels, unit = _labels(node.get("labels"), wrong), node.get("unit")
    optional = flag(node, "optional", wrong)
    return MetricSpec(
        name,
        kind.value,
        labels,
        optional,
        node.line,
        unit.value if isinstance(unit, Scalar) else "",
        _period(name, node, wrong),
    )


def _period(name: str, node: Mapping, wrong: Wrong) -> float:
    written = text(node, "period", "0", wrong)
    try:
        return parse_duration(written)
    except ValueError:
        wrong(f"period of metric {name!r} is a duration such as 1h, not {written!r}", node.get("period"))
        return 0.0


def _add(contract: Contract, job: str, spec: MetricSpec) -> None:
    """Add a metric as the series that Prometheus keeps of it."""
    labels = {name: label.values for name, label in spec.labels.items()}
    unbounded = frozenset(name for name, label in spec.labels.items() if label.unbounded)
    for suffix, part_type, added in _PARTS[spec.type]:
        name = spec.name + suffix
        metric = contract.metrics.setdefault(name, Metric(name, part_type, {}, unbounded, set(), "", spec.period))
        metric.jobs |= {job} - {""}
        metric.period = min(metric.period, spec.period)
        metric.unit = metric.unit or ("" if suffix == "_count" else spec.unit)
        # several services may expose a metric of one name: together they have all their labels
        for label, values in {**labels, **dict.fromkeys(added, frozenset[str]())}.items():
            metric.labels[label] = _union(metric.labels.get(label), values)


def _union(before: frozenset[str] | None, values: frozenset[str]) -> frozenset[str]:
    """The values of both; any where one does not list them."""
    return values if before is None else (before | values if before and values else frozenset())


def _add_logs(contract: Contract, node: Node | None, wrong: Wrong) -> None:
    described = dict(entries(node, "logs", wrong))
    if isinstance(node, Mapping):
        known_keys(node, _LOGS, wrong)
    for name, spec in entries(described.get("fields"), "logs.fields", wrong):
        values = frozenset(texts(spec.get("values"), wrong)) if isinstance(spec, Mapping) else frozenset[str]()
        contract.log_fields[name] = _union(contract.log_fields.get(name), values)


def _labels(node: Node | None, wrong: Wrong) -> dict[str, LabelSpec]:
    """Labels as a list of names, or as a mapping of names to what they may hold."""
    if isinstance(node, Mapping):
        return {name: _label(name, value, wrong) for name, (_key, value) in node.items().items()}
    return dict.fromkeys(texts(node, wrong), LabelSpec())


def _label(name: str, node: Node, wrong: Wrong) -> LabelSpec:
    if not isinstance(node, Mapping):
        return LabelSpec(frozenset(texts(node, wrong)))
    known_keys(node, _LABEL, wrong)
    most = text(node, "max", str(MOST_VALUES), wrong)
    if not most.isdecimal() or most == "0":
        wrong(f"max of label {name!r} is how many values it may have", node.get("max"))
        most = str(MOST_VALUES)
    return LabelSpec(most=int(most), unbounded=flag(node, "unbounded", wrong))
