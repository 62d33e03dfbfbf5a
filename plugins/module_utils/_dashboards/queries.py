# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queries of panels: parsed in their languages, and checked by the lints of rules and some of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from .._contract.model import Contract
from .._findings import Finding, Severity
from .._grafana_model.json_values import mapping, text
from .._grafana_model.variables import label_values
from .._logql import parse as parse_logql
from .._logql.nodes import Query, RangeAggregation, VectorAggregation
from .._promql import Profile, PromQLError
from .._promql import parse as parse_promql
from .._promql.errors import QueryError
from .._promql.nodes import (
    METRIC_NAME,
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Subquery,
    VectorSelector,
    walk,
)
from .._promql.shapes import PER_SECOND
from .._rules.context import DEFAULT_SCRAPE_INTERVAL, Context, Index
from .._rules.label_flow import can
from .._rules.lint import lint_expression
from .._rules.lints import contract as lint_contract
from .._rules.model import Group, Rule, RuleFile
from .._rules.report import RuleReport
from .._traceql import parse as parse_traceql
from . import log_fields, units
from .expand import MARK, expansions
from .json_positions import Path
from .layout import units as units_of
from .model import Dashboard, Panel, Target, Variable
from .report import DashboardReport

_COUNTS = frozenset({"absent", "absent_over_time", "timestamp", "count_values", "count", "group", "changes", "resets"})
_LEGEND_LABEL = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_GRAPHS = frozenset({"timeseries", "stat", "gauge", "bargauge", "graph", "singlestat", "barchart"})
Tree = TypeVar("Tree")
_RANGE_IN_TEXT = re.compile(r"\[\s*[0-9][a-z0-9]*\s*[\]:]")


@dataclass(frozen=True)
class Reader:
    """What queries are read with; `rules` are the files whose recording rules make further series."""

    profile: Profile
    contract: Contract | None = None
    rules: Sequence[RuleFile] = ()
    scrape_interval: float = DEFAULT_SCRAPE_INTERVAL

    @cached_property
    def index(self) -> Index:
        return Index.of(self.rules, self.contract)

    def unit_of(self, metric: str) -> str:
        described = self.contract.metrics.get(metric) if self.contract is not None else None
        return (described.unit if described is not None else "") or units.by_suffix(metric)


def check(dashboard: Dashboard, reader: Reader, report: DashboardReport) -> None:
    for panel in dashboard.panels:
        for target in panel.targets:
            if target.query and not target.raw.get("hide"):
                _LANGUAGES[target.language](dashboard, panel, target, reader, report)
    for variable in dashboard.variables.values():
        if variable.type == "query":
            query = variable.raw.get("query")
            selector, label = label_values(text(query) or text(mapping(query).get("query"))) or ("", "")
            if selector:
                _selector(variable, selector, label, reader, report)


def _parsed(
    parse: Callable[[str], Tree], dashboard: Dashboard, panel: Panel, target: Target, report: DashboardReport
) -> Tree | None:
    """The tree and the text that it was made from; what cannot be parsed is reported."""
    problem: QueryError | None = None
    for query in expansions(target.query, dashboard.variables):
        try:
            return parse(query)
        except QueryError as error:
            problem = problem or error
    if problem is not None:
        around = problem.text[max(problem.position - 20, 0) : problem.position + 20]
        report.add(
            "dashboards/query",
            "error",
            f"query {target.ref}: {problem.message}",
            hint=f"near {around.strip()!r}, character {problem.position + 1}",
            path=target.query_path,
            panel=panel,
        )
    return None


# -- PromQL


def _promql(dashboard: Dashboard, panel: Panel, target: Target, reader: Reader, report: DashboardReport) -> None:
    found = _parsed(lambda query: parse_promql(query, reader.profile), dashboard, panel, target, report)
    if found is None:
        return
    tree = found
    open_grouping = any(isinstance(node, Aggregation) and any(map(_is_free, node.labels)) for node in walk(tree))
    context = _context(tree, panel.name, target.query_path, reader, report)
    lint_expression(context)
    if not open_grouping:
        _legend(panel, target, lambda label: can(context.flows.of(tree), label), report)
    _ranges(panel, target, tree, report)
    _counters(panel, target, context, reader, report)
    _unit(panel, target, tree, reader, report)
    if panel.type == "timeseries" and target.raw.get("instant") and not target.raw.get("range"):
        message = f"query {target.ref} is instant: a time series panel draws one point of it"
        report.add("dashboards/instant", "warning", message, path=target.path, panel=panel)


def _context(tree: Expr, name: str, path: Path, reader: Reader, report: DashboardReport) -> Context:
    """The lints' view of a query: it is like an expression of a recording rule."""
    group = Group(report.dashboard.uid or "dashboard", RuleFile(report.dashboard.file), 0, 0)
    rule = Rule("record", name, "", group, 0, 0, tree)
    for node in walk(tree):
        if isinstance(node, VectorSelector):
            _free(node)
        elif isinstance(node, Aggregation):
            node.labels = tuple(label for label in node.labels if not _is_free(label))
    return Context(rule, tree, reader.index, _Relay(report, path), reader.scrape_interval)


def _free(node: VectorSelector) -> None:
    """What stands in for a variable may be anything."""
    if MARK in node.name:
        node.name = ""
    node.matchers = [matcher for matcher in node.matchers if MARK not in matcher.name]
    for matcher in node.matchers:
        if MARK in matcher.value and matcher.operator in {"=", "=~"}:
            matcher.operator, matcher.value = "=~", ".+"


def _is_free(label: str) -> bool:
    return MARK in label


class _Relay(RuleReport):
    """Takes what the lints find, and puts it where the query is written."""

    def __init__(self, report: DashboardReport, path: Path) -> None:
        super().__init__()
        self.report = report
        self.path = path

    def rule(self, rule: Rule, identity: str, severity: Severity, message: str, **more: object) -> None:
        line, column = self.report.positions.of(self.path)
        self.report.findings.append(
            Finding(
                identity,
                severity,
                message,
                str(more.get("hint", "")),
                file=self.report.dashboard.file,
                line=line,
                column=column,
                object=rule.object,
            )
        )


def _legend(panel: Panel, target: Target, keeps: Callable[[str], bool], report: DashboardReport) -> None:
    for label in dict.fromkeys(_LEGEND_LABEL.findall(text(target.raw.get("legendFormat")))):
        if label != METRIC_NAME and not keeps(label):
            report.add(
                "dashboards/legend-label",
                "warning",
                f"the legend of query {target.ref} names {label!r}, which the query does not keep",
                hint=f"add {label} to the aggregation, or leave it out of the legend",
                path=(*target.path, "legendFormat"),
                panel=panel,
            )


def _ranges(panel: Panel, target: Target, tree: Expr, report: DashboardReport) -> None:
    if target.raw.get("instant") or not _RANGE_IN_TEXT.search(target.query):
        return
    if any(isinstance(node, Call) and node.name in PER_SECOND for node in walk(tree)):
        report.add(
            "dashboards/fixed-range",
            "info",
            f"query {target.ref} has a fixed range: zoomed out, it leaves out what happens in between",
            hint="use [$__rate_interval]",
            path=target.query_path,
            panel=panel,
        )


def _counters(panel: Panel, target: Target, context: Context, reader: Reader, report: DashboardReport) -> None:
    if panel.type not in _GRAPHS:
        return
    for node in context.nodes:
        if not isinstance(node, VectorSelector) or not node.metric or _is_counted(context, node):
            continue
        described = reader.contract.metrics.get(node.metric) if reader.contract is not None else None
        if described.type == "counter" if described is not None else node.metric.endswith("_total"):
            report.add(
                "dashboards/raw-counter",
                "warning" if described is not None else "info",
                f"query {target.ref} shows the counter {node.metric} as it is: it only says how long the process runs",
                hint="show rate() or increase() of it",
                path=target.query_path,
                panel=panel,
            )
            return


def _is_counted(context: Context, node: VectorSelector) -> bool:
    """Something around the selector makes sense of a counter, or does not look at its value."""
    return any(
        isinstance(around, MatrixSelector | Subquery)
        or (isinstance(around, Call) and around.name in _COUNTS)
        or (isinstance(around, Aggregation) and around.operator in _COUNTS)
        or (isinstance(around, Binary) and around.operator in {"-", "and", "unless", "/"})
        for around in context.ancestors(node)
    )


def _unit(panel: Panel, target: Target, tree: Expr, reader: Reader, report: DashboardReport) -> None:
    shown = units_of(panel.raw)
    wrong = units.mismatch(tree, shown[0], reader.unit_of) if len(shown) == 1 else ""
    if wrong:
        message = f"query {target.ref}: {wrong}"
        report.add("dashboards/unit", "warning", message, path=target.query_path, panel=panel)


def _selector(variable: Variable, selector: str, label: str, reader: Reader, report: DashboardReport) -> None:
    """The selector of label_values(selector, label)."""
    path = (*variable.path, "query")
    for query in expansions(selector, report.dashboard.variables):
        try:
            tree = parse_promql(query, reader.profile)
        except PromQLError:
            continue
        context = _context(tree, f"variable {variable.name}", path, reader, report)
        if reader.contract is not None:
            lint_contract.check(context)
            if not can(context.flows.of(tree), label):
                message = f"the variable lists the values of {label!r}, a label that {selector} does not have"
                report.add("contract/label", "error", message, path=path)
        return


# -- LogQL, TraceQL


def _logql(dashboard: Dashboard, panel: Panel, target: Target, reader: Reader, report: DashboardReport) -> None:
    found = _parsed(parse_logql, dashboard, panel, target, report)
    if found is None:
        return
    if reader.contract is not None and reader.contract.log_fields:
        known = {*reader.contract.log_fields, *reader.contract.target_labels}
        for name, message in log_fields.unknown(found, known):
            if not _is_free(name):
                located = f"query {target.ref}: {message}"
                report.add("contract/log-field", "warning", located, path=target.query_path, panel=panel)
    labels = _grouped(found)
    if labels is not None and not any(map(_is_free, labels)):
        _legend(panel, target, labels.__contains__, report)


def _grouped(query: Query) -> tuple[str, ...] | None:
    """The labels that the outermost aggregation leaves; None where that is open."""
    if not isinstance(query, RangeAggregation | VectorAggregation):
        return None
    if query.grouping is None:
        return () if isinstance(query, VectorAggregation) and query.operator not in {"topk", "bottomk"} else None
    return None if query.grouping.without else query.grouping.labels


def _traceql(dashboard: Dashboard, panel: Panel, target: Target, _reader: Reader, report: DashboardReport) -> None:
    if text(target.raw.get("queryType")) in {"", "traceql"}:
        _parsed(parse_traceql, dashboard, panel, target, report)


def _other(_dashboard: Dashboard, _panel: Panel, _target: Target, _reader: Reader, _report: DashboardReport) -> None:
    """SQL and the like are passed over."""


_LANGUAGES = {"promql": _promql, "logql": _logql, "traceql": _traceql, "other": _other}
