# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lints of recording rules' names and of rules against each other: duplicates, order, cycles, undefined names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

from ..._findings import Finding
from ..._promql.literals import format_duration
from ..._promql.nodes import MatrixSelector, Number, Subquery, VectorSelector, walk
from ..context import Context, Index
from ..label_flow import can
from ..model import Rule
from ..report import RuleReport

_WINDOW = re.compile(r"(?:rate|increase|ratio|delta|avg|burnrate|errors)_?(\d+(?:ms|[smhdwy]))$")

_LEVELS = frozenset(
    {
        *("cluster", "container", "deployment", "endpoint", "host", "instance", "job", "namespace", "node", "pod"),
        *("region", "service", "statefulset", "tenant", "workload", "zone"),
        *("code", "device", "handler", "le", "method", "mode", "mountpoint", "operation", "path", "quantile", "queue"),
        *("reason", "route", "status", "topic", "verb"),
    }
)
"""Labels that levels are named after; those of the metrics at hand are added. "cluster" alone may mean all of it."""


def check_name(context: Context) -> None:
    """A recording rule's own name."""
    rule = context.rule
    if ":" not in rule.name:
        context.report.rule(
            rule,
            "rules/record-name",
            "info",
            f"record {rule.name!r} does not say level:metric:operations: it looks like a scraped metric",
            hint="name it like job:http_requests:rate5m",
            place=rule.place("record"),
        )
        return
    _level(context)
    window = _WINDOW.search(rule.name)
    if window is None:
        return
    ranges = {
        format_duration(node.range.value)
        for node in context.nodes
        if isinstance(node, MatrixSelector | Subquery) and isinstance(node.range, Number)
    }
    if ranges and _normal(window[1]) not in ranges:
        context.report.rule(
            rule,
            "rules/record-window",
            "warning",
            f"the name says {window[1]}, the expression uses {', '.join(sorted(ranges))}",
            place=rule.place("record"),
        )


def _level(context: Context) -> None:
    """`job_instance:…` says that the result has the labels job and instance."""
    rule = context.rule
    flow = tuple(branch.add(frozenset(rule.group.all_labels(rule))) for branch in context.flows.of(context.tree))
    kept = {label for branch in flow for label in branch.possible or ()}
    contract = context.index.contract
    known = _LEVELS | kept | (contract.target_labels if contract is not None else set())
    known |= {label for node in context.all(VectorSelector) for label in _labels_of(context, node)}
    level = rule.name.partition(":")[0]
    missing = [label for label in _split(level, known) if label != "cluster" and not can(flow, label)]
    if missing:
        context.report.rule(
            rule,
            "rules/record-level",
            "warning",
            f"the name says {level}, but the expression does not keep {', '.join(missing)}",
            hint=f"keep {', '.join(missing)}, or name the record by the labels that it has",
            place=rule.place("record"),
        )


def _labels_of(context: Context, node: VectorSelector) -> set[str]:
    described = context.metric(node.metric)
    return {matcher.name for matcher in node.matchers} | set(described.labels if described is not None else ())


def _split(level: str, known: set[str] | frozenset[str]) -> list[str]:
    """The labels that a level is made of; none where a part of it is no label (`namespace_memory`)."""
    words, labels = level.split("_"), list[str]()
    while words:
        length = next((n for n in range(len(words), 0, -1) if "_".join(words[:n]) in known), 0)
        if not length:
            return []
        labels.append("_".join(words[:length]))
        words = words[length:]
    return labels


def _normal(duration: str) -> str:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800, "y": 31_536_000}
    match = re.fullmatch(r"(\d{1,9})(ms|[smhdwy])", duration)
    return format_duration(int(match[1]) * units[match[2]]) if match else duration


def lint_recording_rules(index: Index) -> list[Finding]:
    """What there is to say of all rules of the run together."""
    report = RuleReport()
    _duplicates(index, report)
    uses = {id(rule): _used(rule) for rule in index.rules}
    _order(index, uses, report)
    _cycles(index, uses, report)
    return report.findings


def _duplicates(index: Index, report: RuleReport) -> None:
    named: dict[tuple[str, str], list[Rule]] = {}
    for rule in index.rules:
        named.setdefault((rule.kind, rule.name), []).append(rule)
    for rules in named.values():
        if len(rules) > 1:
            _same(rules, report)


def _same(rules: Iterable[Rule], report: RuleReport) -> None:
    """Of rules of one kind and name, those that have all labels, and an alert the expression, of one before."""
    seen: dict[tuple[str, ...], Rule] = {}
    for rule in rules:
        labels = sorted(rule.group.all_labels(rule).items())
        key = (" ".join(rule.expr.split()) if rule.is_alert else "", *chain.from_iterable(labels))
        first = seen.setdefault(key, rule)
        if first is not rule:
            where = f"{first.group.file.path}:{first.line}" if first.group.file.path else first.object
            report.rule(
                rule,
                "rules/duplicate",
                "warning",
                f"{'the same alert' if rule.is_alert else 'a record with the same name and labels'} is at {where}",
                hint="keep one of them",
                place=(rule.line, rule.column),
            )


def _used(rule: Rule) -> list[str]:
    if ":" not in rule.expr or rule.tree is None:
        return []
    return [node.metric for node in walk(rule.tree) if isinstance(node, VectorSelector) and ":" in node.metric]


def _order(index: Index, uses: dict[int, list[str]], report: RuleReport) -> None:
    groups = {id(rule.group): rule.group for rule in index.rules}.values()
    position = {id(rule): at for group in groups for at, rule in enumerate(group.rules)}
    for rule in index.rules:
        for name in dict.fromkeys(uses[id(rule)]):
            recorded = index.records.get(name)
            if recorded is None:
                scraped = index.contract is not None and index.contract.knows(name)
                if index.records and not scraped:
                    report.rule(
                        rule,
                        "rules/undefined-record",
                        "info",
                        f"no rule here records {name!r}",
                        hint="is it recorded by other rules of the same server?",
                    )
                continue
            same = [other for other in recorded if other.group is rule.group and other is not rule]
            if same and all(position[id(other)] > position[id(rule)] for other in same):
                report.rule(
                    rule,
                    "rules/record-order",
                    "info",
                    f"{name!r} is recorded further down in the same group: its value here is one evaluation old",
                    hint="put the recording rule first",
                )


def _cycles(index: Index, uses: dict[int, list[str]], report: RuleReport) -> None:
    """Records that are made of themselves through others. Iterative: chains may be long."""
    edges = {
        name: sorted({used for rule in rules for used in uses[id(rule)] if used in index.records and used != name})
        for name, rules in index.records.items()
    }
    done: set[str] = set()
    for start, targets in edges.items():
        path: list[str] = []
        stack = [(start, iter(targets))] if start not in done else []
        on_path = {start} if stack else set()
        path += [start] if stack else []
        while stack:
            name, following = stack[-1]
            target = next(following, None)
            if target is None:
                stack.pop()
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif target in on_path:
                circle = [*path[path.index(target) :], target]
                report.rule(
                    index.records[target][0],
                    "rules/record-cycle",
                    "error",
                    f"the record is made of itself: {' → '.join(circle)}",
                )
                done.add(target)
            elif target not in done:
                stack.append((target, iter(edges[target])))
                path.append(target)
                on_path.add(target)
