# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels ask, held against the query languages and the metrics contract."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.ias.observability.plugins.module_utils import _logql, _promql, _traceql
from ansible_collections.ias.observability.plugins.module_utils._contract.load import Contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.panels import expanded
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.series import LABEL
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.variables import (
    NAMES,
    QUERIES,
    SOURCES,
    STREAMS,
    TEXTS,
)
from ansible_collections.ias.observability.plugins.module_utils._dashboards.expand import references
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.variables import (
    LABEL_VALUES,
    Chosen,
    substitute,
)
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import walk
from ansible_collections.ias.observability.plugins.module_utils._rules.context import Context, Index, Settings
from ansible_collections.ias.observability.plugins.module_utils._rules.label_flow import Flows, can
from ansible_collections.ias.observability.plugins.module_utils._rules.lints import contract as lint_contract
from ansible_collections.ias.observability.plugins.module_utils._rules.lints import series as lint_series
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Group, Rule, RuleFile
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import Scalar, documents
from tools.contracts import log_fields
from tools.contracts.schema import node_at

Object = dict[str, Any]

# Grafana's own: what a query has in their place.
MACROS = {
    name: Chosen((value,))
    for name, value in (
        *(("__rate_interval", "5m"), ("__interval", "1m"), ("__auto", "1m"), ("__range", "1h")),
        *(("__url_time_range", ""), ("__all_variables", "")),
    )
}
ALL = Chosen(("a",), True, ".+")
# A variable that is compared as text, by = or !=.
COMPARED = re.compile(r"=\s*[\"'`]\$\{?(\w+)")
# What a variable may stand for: All, one value, several that need escaping.
CHOICES = (ALL, Chosen(("one",), True), Chosen(("a.b", "c|d"), True))


@dataclass(frozen=True)
class Asked:
    """One query of a panel, and where its text stands."""

    panel: str
    source: str
    expr: str
    legend: str
    where: Scalar


def check(path: Path, name: str, contract: Contract, rules: Iterable[RuleFile]) -> list[Finding]:
    """What is wrong with the queries of a dashboard's description; rules are those whose records it may use."""
    content = path.read_text()
    spec, tree = yaml.load(content, Loader=yaml.CSafeLoader), next(iter(documents(content)), None)
    file = RuleFile(name, content)
    report = RuleReport(name)
    index = Index.of(rules, contract)
    declared = set(spec["variables"])
    asked = list(queries(spec, tree, contract))
    for query in asked:
        _variables(query, declared, report)
        {"prometheus": _promql_query, "loki": _logql_query, "tempo": _traceql_query}[query.source](
            query, file, index, report
        )
    _unused(spec, asked, tree, report)
    return report.findings


def queries(spec: Object, tree: Any, contract: Contract) -> Iterator[Asked]:
    """Everything that the dashboard asks, its variables' queries too."""
    for place, name in enumerate(spec["variables"]):
        if name in QUERIES:
            found = LABEL_VALUES.match(QUERIES[name][1])
            if found is not None:
                expr = f"count by ({found['label']}) ({found['selector']})"
                yield Asked(f"variable {name}", "prometheus", expr, "", _scalar(tree, "variables", place))
        elif name in STREAMS:
            yield Asked(f"variable {name}", "loki", STREAMS[name][2], "", _scalar(tree, "variables", place))
    for row_at, row in enumerate(spec["rows"]):
        for panel_at, panel in enumerate(row["panels"]):
            for query_at, query in enumerate(panel["queries"]):
                where = _scalar(
                    tree, "rows", row_at, "panels", panel_at, "queries", query_at, "slo" if "slo" in query else "expr"
                )
                for one in expanded([query], contract):
                    source = one.get("source", "prometheus")
                    legend = one.get("legend", "")
                    yield Asked(panel["title"], source, one["expr"], legend, where)


def _scalar(tree: Any, *path: str | int) -> Scalar:
    node = node_at(tree, path)
    if not isinstance(node, Scalar):
        raise TypeError(f"no text at {path}")
    return node


def filled(text: str, choice: Chosen) -> str:
    """The query as Grafana sends it when each variable has this choice."""
    return substitute(text, {**dict.fromkeys(NAMES, choice), **dict.fromkeys(TEXTS, Chosen(("x",))), **MACROS})


def _variables(query: Asked, declared: set[str], report: RuleReport) -> None:
    for name in sorted(_named(query.expr) - declared - set(MACROS)):
        _add(report, query, "variable", f"the dashboard has no variable {name}")
    for name in sorted({match[1] for match in COMPARED.finditer(query.expr)} & {*QUERIES, *STREAMS}):
        _add(report, query, "variable", f"variable {name} may hold several values, or All: compare it by =~")


def _named(text: str) -> set[str]:
    return {name for name, _format in references(text)}


def _unused(spec: Object, asked: Iterable[Asked], tree: Any, report: RuleReport) -> None:
    used = {name for query in asked for name in _named(query.expr)} | {query.source for query in asked}
    for place, name in enumerate(spec["variables"]):
        if name not in used:
            where = _scalar(tree, "variables", place)
            report.add(
                "dashboards/variable",
                "error",
                f"no panel uses variable {name}",
                place=(where.line, where.column),
                object_=spec["title"],
            )
    for source in sorted({query.source for query in asked} & set(SOURCES) - set(spec["variables"])):
        report.add("dashboards/variable", "error", f"the variable {source} is missing", object_=spec["title"])


def _add(report: RuleReport, query: Asked, identity: str, message: str) -> None:
    place = (query.where.line, query.where.column)
    report.add(f"dashboards/{identity}", "error", message, place=place, object_=query.panel)


def _promql_query(query: Asked, file: RuleFile, index: Index, report: RuleReport) -> None:
    for choice in CHOICES[1:]:
        try:
            _promql.parse(filled(query.expr, choice))
        except _promql.PromQLError as error:
            _add(report, query, "promql", f"not PromQL with {', '.join(choice.values)} chosen: {error}")
            return
    expr = filled(query.expr, ALL)
    try:
        tree = _promql.parse(expr)
    except _promql.PromQLError as error:
        _add(report, query, "promql", f"not PromQL: {error}")
        return
    group = Group(Path(file.path).stem, file, 0, 0)
    at = query.where
    rule = Rule("record", query.panel, expr, group, at.line, at.column, tree, scalars={"expr": at})
    context = Context(rule, tree, index, Settings(), report)
    if index.contract is not None:
        lint_contract.check(context)
    lint_series.check(context)
    flow = Flows(list(walk(tree)), index.flow).of(tree)
    for label in LABEL.findall(query.legend):
        if not can(flow, label):
            _add(report, query, "legend", f"the legend names {label!r}, which the query's result does not have")


def _logql_query(query: Asked, file: RuleFile, index: Index, report: RuleReport) -> None:
    for choice in CHOICES:
        try:
            _logql.parse(filled(query.expr, choice))
        except _logql.LogQLError as error:
            _add(report, query, "logql", f"not LogQL with {choice.pattern or ', '.join(choice.values)} chosen: {error}")
            return
    if index.contract is None:
        return
    expr = filled(query.expr, ALL)
    rule = Rule("record", query.panel, expr, Group("", file, 0, 0), 0, 0, scalars={"expr": query.where})
    for message, start in log_fields.unknown(_logql.parse(expr), index.contract.log_fields):
        report.add("dashboards/log-field", "error", message, place=rule.place_in_expr(start), object_=query.panel)


def _traceql_query(query: Asked, _file: RuleFile, _index: Index, report: RuleReport) -> None:
    for choice in CHOICES:
        try:
            _traceql.parse(filled(query.expr, choice))
        except _traceql.TraceQLError as error:
            _add(report, query, "traceql", f"not TraceQL with {choice.pattern or ', '.join(choice.values)}: {error}")
            return
