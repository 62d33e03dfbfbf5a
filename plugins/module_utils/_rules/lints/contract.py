# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`contract/*`: expressions against the metrics contract."""

from __future__ import annotations

import functools
import re

from ..._contract.model import Contract, Metric
from ..._findings import did_you_mean
from ..._promql.nodes import METRIC_NAME, Aggregation, Call, Expr, Matcher, MatrixSelector, VectorSelector, strip_parens
from ..._promql.patterns import accepts
from ..._promql.shapes import COUNTER_FUNCTIONS
from ..context import Context
from ..label_flow import can

_GAUGE_FUNCTIONS = frozenset({"delta", "idelta", "deriv", "predict_linear"})
_OF_EVERY_TARGET = re.compile(r"up$|scrape_|process_|go_|python_")
_ALTERNATIVES = re.compile(r"(?:\((?:\?:)?)?([\w|/:-]+)\)?")
_ANY_LABELS = frozenset({METRIC_NAME, "le", "quantile"})


def check(context: Context) -> None:
    contract = context.index.contract
    if contract is None:
        return
    for node in context.nodes:
        if isinstance(node, VectorSelector):
            _selector(context, contract, node)
        elif isinstance(node, Aggregation):
            _grouping(context, node)
        elif isinstance(node, Call):
            _types(context, contract, node)


def check_alert(context: Context) -> None:
    contract = context.index.contract
    if contract is not None:
        _cardinality(context, contract)


def _add(context: Context, identity: str, message: str, node: Expr, hint: str = "") -> None:
    place = context.rule.place_in_expr(node.start)
    context.report.rule(context.rule, f"contract/{identity}", "error", message, hint=hint, place=place)


_nearest = functools.lru_cache(maxsize=256)(did_you_mean)
"""One wrong name stands in many expressions, and a look takes 20 ms."""


def _selector(context: Context, contract: Contract, node: VectorSelector) -> None:
    name = node.metric
    metric = contract.metrics.get(name)
    if metric is None:
        if name and name not in context.index.records and not contract.knows(name):
            hint = _nearest(name, (*contract.metrics, *context.index.records))
            _add(context, "metric", f"no service exposes {name!r}, and no rule records it", node, hint)
        elif name in context.index.records or _OF_EVERY_TARGET.match(name):
            _unknown_jobs(context, contract, node)
        return
    for matcher in node.matchers:
        if matcher.name == "job":
            _jobs(context, contract, node, metric, matcher)
        elif matcher.name not in metric.labels:
            if matcher.name not in contract.target_labels | _ANY_LABELS:
                hint = _nearest(matcher.name, tuple(metric.labels))
                _add(context, "label", f"{name} has no label {matcher.name!r}", node, hint)
        else:
            _value(context, node, metric, matcher)


def _jobs(context: Context, contract: Contract, node: VectorSelector, metric: Metric, matcher: Matcher) -> None:
    for job in _named_jobs(matcher):
        if job in contract.jobs and job not in metric.jobs:
            message = f"job {job!r} does not expose {metric.name}"
            _add(context, "job", message, node, f"exposed by {', '.join(sorted(metric.jobs))}")
        elif job not in contract.jobs:
            hint = _nearest(job, tuple(sorted(contract.jobs)))
            _add(context, "job", f"there is no job {job!r}", node, hint)


def _unknown_jobs(context: Context, contract: Contract, node: VectorSelector) -> None:
    """A warning: what every target has may also come from one that the contract does not describe."""
    for matcher in node.matchers:
        if matcher.name != "job" or any("job" in rule.labels for rule in context.index.records.get(node.metric, ())):
            continue
        for job in _named_jobs(matcher):
            if job not in contract.jobs:
                context.report.rule(
                    context.rule,
                    "contract/job",
                    "warning",
                    f"no service of the contract has the job {job!r}",
                    hint=_nearest(job, tuple(sorted(contract.jobs))) or "describe the service in the contract",
                    place=context.rule.place_in_expr(node.start),
                )


def _named_jobs(matcher: Matcher) -> list[str]:
    """The jobs that a matcher names: one, or the alternatives of a pattern without any other sign."""
    if matcher.operator == "=":
        return [matcher.value] if matcher.value else []
    found = _ALTERNATIVES.fullmatch(matcher.value) if matcher.operator == "=~" else None
    return [job for job in found[1].split("|") if job] if found else []


def _value(context: Context, node: VectorSelector, metric: Metric, matcher: Matcher) -> None:
    values = metric.labels[matcher.name]
    if not values or matcher.operator not in {"=", "=~"} or not matcher.value:
        return
    if not (matcher.value in values if matcher.operator == "=" else _some_match(matcher.value, values)):
        _add(
            context,
            "value",
            f"{matcher.name} of {metric.name} is never {matcher.value!r}",
            node,
            f"it is one of {', '.join(sorted(values))}",
        )


def _some_match(pattern: str, values: frozenset[str]) -> bool:
    return any(accepts(pattern, value) is not False for value in values)


def _grouping(context: Context, node: Aggregation) -> None:
    if node.without:
        return
    flow = context.flows.of(node.expr)
    for label in node.labels:
        if label != METRIC_NAME and not can(flow, label):
            known = tuple(sorted({name for branch in flow for name in branch.possible or ()}))
            hint = _nearest(label, known)
            _add(context, "label", f"by ({label}): nothing below has a label {label!r}", node, hint)


def _types(context: Context, contract: Contract, node: Call) -> None:
    if node.name == "histogram_quantile":
        selector = strip_parens(node.arguments[1])
        if isinstance(selector, VectorSelector):
            metric = contract.metrics.get(selector.metric)
            if metric is not None and metric.type != "histogram" and not selector.metric.endswith("_bucket"):
                _add(context, "type", f"{metric.name} is a {metric.type}, not a histogram", node)
        return
    argument = node.arguments[0] if node.arguments else None
    if not isinstance(argument, MatrixSelector):
        return
    metric = contract.metrics.get(argument.vector.metric)
    if metric is None:
        return
    if node.name in COUNTER_FUNCTIONS and metric.type == "gauge":
        _add(context, "type", f"{node.name}() of the gauge {metric.name}", node, "use deriv() or delta()")
    elif node.name in _GAUGE_FUNCTIONS and metric.type == "counter":
        _add(context, "type", f"{node.name}() of the counter {metric.name}", node, "use rate() or increase()")


def _cardinality(context: Context, contract: Contract) -> None:
    flow = context.flows.of(context.tree)
    for node in context.nodes:
        metric = contract.metrics.get(node.metric) if isinstance(node, VectorSelector) else None
        for label in sorted(metric.unbounded if metric is not None else ()):
            if metric is not None and can(flow, label):
                context.report.rule(
                    context.rule,
                    "contract/cardinality",
                    "warning",
                    f"the alert keeps {label!r} of {metric.name}: it has any number of values, so have the alerts",
                    hint="aggregate it away",
                )
                return
