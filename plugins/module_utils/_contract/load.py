# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a metrics contract to what it says."""

from __future__ import annotations

import fnmatch
import math
from dataclasses import replace

from .._findings import Report
from .._promql.literals import parse_duration
from .._yaml.reader import Reader
from .._yaml.tree import Mapping, Node, Scalar
from .aliases import MetricAliases
from .model import METRIC_TYPES, MOST_VALUES, Contract, LabelSpec, Metric, MetricSpec, Service
from .objectives import read_objectives

_TOP = ("services", "names", "prices", "target_labels", "known_metrics")
_METRIC = ("type", "unit", "labels", "help", "optional", "period", "aliases", "record")
_SERVICE = (
    *("description", "owner", "job", "namespace", "selector", "port", "pushed", "exhaustive", "max_series"),
    *("metrics", "logs", "spans", "slo"),
)
_LABEL = ("max", "unbounded", "aliases", "optional")
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
    report.file = path
    reader = Reader(report, "contract/file", "see the option contract")
    root = reader.root(content, "a contract is a mapping with `services`")
    if root is None:
        return contract
    reader.known_keys(root, _TOP)
    contract.target_labels |= frozenset(reader.texts(root.get("target_labels"), "target_labels"))
    contract.names = _names(root.get("names"), reader)
    contract.gpu_hour = _prices(root.get("prices"), reader)
    for name, node in reader.entries(root.get("services"), "services"):
        if isinstance(node, Mapping):
            reader.known_keys(node, _SERVICE)
            service = contract.services[name] = _service(name, node, reader)
            contract.jobs |= {service.job} - {""}
            for spec in service.metrics.values():
                _add(contract, service.job, spec)
                if spec.record:
                    _add(contract, service.job, recorded(spec))
            _add_logs(contract, node.get("logs"), reader)
        else:
            reader.error(f"service {name!r} is not a mapping", node)
    # where a service declares what is built in, its declaration is what counts
    contract.known = [pattern for pattern in contract.known if not fnmatch.filter(contract.metrics, pattern)]
    contract.known += reader.texts(root.get("known_metrics"), "known_metrics")
    return contract


def _service(name: str, node: Mapping, reader: Reader) -> Service:
    pushed = reader.flag(node, "pushed")
    metrics = {}
    for metric, declaration in reader.entries(node.get("metrics"), "metrics"):
        if (spec := _metric(metric, declaration, reader)) is not None:
            metrics[metric] = spec
            metrics |= {alias: _alias(spec, alias) for alias in spec.aliases}
    return Service(
        name=name,
        job="" if pushed else reader.text(node, "job", name),
        namespace=reader.text(node, "namespace", ""),
        port=reader.text(node, "port", ""),
        exhaustive=reader.flag(node, "exhaustive"),
        metrics=metrics,
        objectives=read_objectives(node.get("slo"), {metric.name: metric.type for metric in metrics.values()}, reader),
        line=node.line,
        max_series=_positive(node, "max_series", "how many series the service may have", reader) or 0,
    )


def _positive(node: Mapping, key: str, what: str, reader: Reader) -> int | None:
    """The whole number above 0 under the key; None where there is none. Anything else is reported."""
    written = reader.text(node, key)
    if written.isdecimal() and int(written) > 0:
        return int(written)
    if written:
        reader.error(f"{key} is {what}", node.get(key))
    return None


def _names(node: Node | None, reader: Reader) -> MetricAliases:
    maps: dict[str, dict[str, str]] = {"metrics": {}, "jobs": {}}
    for kind, pairs in reader.entries(node, "names"):
        if kind not in maps:
            reader.error(f"unknown key {kind!r}: known are {', '.join(maps)}", pairs)
            continue
        for name, alias in reader.entries(pairs, f"names.{kind}"):
            if isinstance(alias, Scalar) and not alias.is_null:
                maps[kind][name] = alias.value
            else:
                reader.error(f"names.{kind}.{name} is a text", alias)
    return MetricAliases(maps["metrics"], maps["jobs"])


def _prices(node: Node | None, reader: Reader) -> dict[str, float]:
    if isinstance(node, Mapping):
        reader.known_keys(node, ("gpu_hour",))
    prices = {}
    for _key, table in reader.entries(node, "prices"):
        for gpu, price in reader.entries(table, "prices.gpu_hour"):
            prices[gpu] = float(price.value) if isinstance(price, Scalar) and price.is_number else -1.0
            if not 0 <= prices[gpu] < math.inf:
                reader.error(f"prices.gpu_hour: the price of {gpu!r} is a number", price)
    return prices


def _metric(name: str, node: Node, reader: Reader) -> MetricSpec | None:
    kind = node.get("type") if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping) or not isinstance(kind, Scalar) or kind.value not in METRIC_TYPES:
        reader.error(f"metric {name!r} needs a type: {', '.join(METRIC_TYPES)}", kind or node)
        return None
    reader.known_keys(node, _METRIC)
    labels, unit = _labels(node.get("labels"), reader), node.get("unit")
    optional = reader.flag(node, "optional")
    spec = MetricSpec(
        name,
        kind.value,
        labels,
        optional,
        node.line,
        unit.value if isinstance(unit, Scalar) else "",
        _period(name, node, reader),
        _aliases(name, node, reader),
        record=reader.text(node, "record"),
    )
    if spec.record and spec.type != "gauge":
        reader.error(f"metric {name!r} is a {spec.type}: only a gauge has a record", node.get("record"))
    if not spec.record and any(factor != 1 for factor in spec.aliases.values()):
        message = (
            f"metric {name!r} has an alias with a factor and no record: only what a rule records has another value"
        )
        reader.error(message, node.get("aliases"))
    return spec


def recorded(spec: MetricSpec) -> MetricSpec:
    """The series that a rule records of a metric: its labels by their own names alone."""
    labels = {name: replace(label, aliases=()) for name, label in spec.labels.items()}
    return replace(spec, name=spec.record, labels=labels, aliases={}, record="")


def _alias(spec: MetricSpec, name: str) -> MetricSpec:
    """The metric as a version exposes it that calls it otherwise: it need not be there."""
    unit = spec.unit if spec.aliases[name] == 1 else ""
    return replace(spec, name=name, optional=True, unit=unit, aliases={}, alias_of=spec.name, record="")


def _aliases(name: str, node: Mapping, reader: Reader) -> dict[str, float]:
    factors = {}
    for alias, factor in reader.entries(node.get("aliases"), "aliases"):
        value = float(factor.value) if isinstance(factor, Scalar) and factor.is_number else 0.0
        if not 0 < value < math.inf:
            reader.error(f"alias {alias!r} of metric {name!r} needs a number that its value is multiplied with", factor)
        factors[alias] = value
    return factors


def _period(name: str, node: Mapping, reader: Reader) -> float:
    written = reader.text(node, "period", "0")
    try:
        return parse_duration(written)
    except ValueError:
        reader.error(f"period of metric {name!r} is a duration such as 1h, not {written!r}", node.get("period"))
        return 0.0


def _add(contract: Contract, job: str, spec: MetricSpec) -> None:
    """Add a metric as the series that Prometheus keeps of it."""
    labels = {name: label.values for name, label in spec.labels.items()}
    others = [alias for label in spec.labels.values() for alias in label.aliases]
    unbounded = frozenset(name for name, label in spec.labels.items() if label.unbounded)
    for suffix, part_type, added in _PARTS[spec.type]:
        name = spec.name + suffix
        metric = contract.metrics.setdefault(name, Metric(name, part_type, {}, unbounded, set(), "", spec.period))
        metric.jobs |= {job} - {""}
        metric.period = min(metric.period, spec.period)
        metric.unit = metric.unit or ("" if suffix == "_count" else spec.unit)
        # several services may expose a metric of one name: together they have all their labels
        for label, values in {**labels, **dict.fromkeys((*added, *others), frozenset[str]())}.items():
            metric.labels[label] = _union(metric.labels.get(label), values)


def _union(before: frozenset[str] | None, values: frozenset[str]) -> frozenset[str]:
    """The values of both; any where one does not list them."""
    return values if before is None else (before | values if before and values else frozenset())


def _add_logs(contract: Contract, node: Node | None, reader: Reader) -> None:
    described = dict(reader.entries(node, "logs"))
    if isinstance(node, Mapping):
        reader.known_keys(node, _LOGS)
    for name, spec in reader.entries(described.get("fields"), "logs.fields"):
        values = (
            frozenset(reader.texts(spec.get("values"), "values")) if isinstance(spec, Mapping) else frozenset[str]()
        )
        contract.log_fields[name] = _union(contract.log_fields.get(name), values)


def _labels(node: Node | None, reader: Reader) -> dict[str, LabelSpec]:
    """Labels as a list of names, or as a mapping of names to what they may hold."""
    if isinstance(node, Mapping):
        return {name: _label(name, value, reader) for name, (_key, value) in node.items().items()}
    return dict.fromkeys(reader.texts(node, "labels"), LabelSpec())


def _label(name: str, node: Node, reader: Reader) -> LabelSpec:
    if not isinstance(node, Mapping):
        return LabelSpec(frozenset(reader.texts(node, f"label {name!r}")))
    reader.known_keys(node, _LABEL)
    most = _positive(node, "max", f"how many values label {name!r} may have", reader) or MOST_VALUES
    aliases = tuple(reader.texts(node.get("aliases"), f"aliases of label {name!r}"))
    return LabelSpec(
        most=most,
        unbounded=reader.flag(node, "unbounded"),
        aliases=aliases,
        optional=reader.flag(node, "optional"),
    )
