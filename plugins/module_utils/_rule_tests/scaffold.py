# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A first test for an alert, in promtool's format, from its own threshold and `for`.

For each branch: silent just before `for` is over, firing afterwards, silent just within the threshold. What could not
be worked out is named, so that it can be written by hand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from .._findings import Plain
from .._promql.literals import format_duration
from .._promql.nodes import (
    METRIC_NAME,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
    children,
    strip_parens,
    walk,
)
from .._promql.printer import quote, to_text
from .._rules.context import Index
from .._rules.model import Rule
from .coverage import Branch, branches
from .solver import Solver, SyntheticSeries, UnsolvedError, labels_of_absent, selects

with suppress(ImportError):  # Ansible brings it
    import yaml

_INTERVALS = (300, 60, 30, 15, 10, 5, 1)
_SHORT = 6 * 3600.0
"""Windows up to here get a sample a minute."""
_TO_DO = "TODO"
_LABEL = re.compile(r"\{\{-? *(?:\$labels|\.Labels)\.(\w+) *-?\}\}")
_MAX_SAMPLES = 2_000  # with more, promtool takes minutes
_NOT_ADDED = frozenset({METRIC_NAME, "le", "quantile"})


@dataclass(slots=True)
class Scaffold:
    """The tests of one alert; `todo` says what is left to write."""

    rule: Rule
    interval: int
    """Seconds between samples and between evaluations."""
    settled: float = 0.0
    """Seconds until every window is full of samples."""
    tests: list[Plain] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)


def scaffold(rule: Rule, index: Index) -> Scaffold:
    """Tests for every branch of the alert's expression."""
    if rule.tree is None:
        return Scaffold(rule, _INTERVALS[0], todo=["correct the expression first"])
    trees = _trees(rule.tree, index)
    windows = [_windows(tree) for tree in trees]
    result = Scaffold(rule, _interval(rule.for_seconds, [window for ranges in windows for window in ranges]))
    if rule.group.file.manifest:
        result.todo.append(
            f"promtool reads rule files only: give it the spec of PrometheusRule {rule.group.file.manifest}"
        )
    if len(trees) > 1 or windows[0]:
        # a recorded value is one evaluation old where its rule comes later
        result.settled = sum(max(ranges, default=0.0) for ranges in windows) + 3 * result.interval
    if any(other.name == rule.name for other in index.rules if other.is_alert and other is not rule):
        result.todo.append("add what the other alerts of this name are expected to do")
    alternatives = branches(rule.tree)
    for branch in alternatives:
        _Writer(index, branch, [other for other in alternatives if other is not branch], result).write()
    result.todo = list(dict.fromkeys(result.todo))
    return result


def as_yaml(scaffolds: Iterable[Scaffold], rule_files: Iterable[str]) -> str:
    """A test file. Comments in front say what is left to do."""
    written = list(scaffolds)
    head = [f"# {scaffold.rule.name}: {todo}" for scaffold in written for todo in scaffold.todo]
    interval = min((scaffold.interval for scaffold in written), default=_INTERVALS[0])
    body = {
        "rule_files": list(rule_files),
        "evaluation_interval": format_duration(interval),
        "tests": [test for scaffold in written for test in scaffold.tests],
    }
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000)
    return "\n".join([*head, text])


def _windows(tree: Expr) -> list[float]:
    return [
        node.range.value
        for node in walk(tree)
        if isinstance(node, MatrixSelector | Subquery) and isinstance(node.range, Number)
    ]


def _interval(for_seconds: float, windows: list[float]) -> int:
    """A minute, or less where `for` or the shortest window asks for it, or more where the longest one does."""
    shortest, longest = min(windows, default=math.inf), max(windows, default=0.0)
    for interval in _INTERVALS[longest <= _SHORT :]:
        if for_seconds % interval == 0 and interval * 4 <= shortest:
            return interval
    return _INTERVALS[-1]


def _trees(tree: Expr, index: Index) -> list[Expr]:
    """The expression and those of the records that it uses."""
    trees, names = [tree], set[str]()
    for used in trees:
        for node in walk(used):
            if isinstance(node, VectorSelector) and node.metric in index.records and node.metric not in names:
                names.add(node.metric)
                trees += [rule.tree for rule in index.records[node.metric] if rule.tree is not None]
    return trees


class _Writer:
    """Writes the tests of one branch."""

    def __init__(self, index: Index, branch: Branch, others: list[Branch], result: Scaffold) -> None:
        self.rule = rule = result.rule
        self.index = index
        self.branch = branch
        self.others = others
        self.result = result
        self.until = rule.for_seconds + result.settled

    def write(self) -> None:
        name = f"{self.rule.name}: {self.branch.text}"
        try:
            firing = self._solve(fires=True)
            held = self.rule.for_seconds - self.result.interval
            cases: list[Plain] = [self._case(held)] if held >= 0 else []
            labels = self._labels(firing)
            cases.append({**self._case(self.until), "exp_alerts": [self._expected(labels)]})
            self._test(f"{name}, beyond the threshold", firing, cases)
        except UnsolvedError as error:
            self._give_up(f"{name}, beyond the threshold", error, fires=True)
        try:
            self._test(f"{name}, within it", self._solve(fires=False), [self._case(self.until)])
        except UnsolvedError as error:
            self._give_up(f"{name}, within it", error, fires=False)

    def _solve(self, *, fires: bool) -> Solver:
        solver = Solver(self.index, self._common())
        solver.satisfy(self.branch.parts, fires=fires)
        for other in self.others:  # they must not fire instead
            first = other.parts[0]
            if isinstance(first, Call) and first.name in {"absent", "absent_over_time"}:
                own = self.branch.parts[0]
                if not (fires and isinstance(own, Call) and own.name == first.name):
                    self._keep_present(solver, first, fires=fires)
        return solver

    def _keep_present(self, solver: Solver, absent: Call, *, fires: bool) -> None:
        solver.exists(absent.arguments[0])
        own = self.branch.parts[0]
        if fires and isinstance(own, Call) and own.name in {"absent", "absent_over_time"}:
            raise UnsolvedError(f"{to_text(absent)} beside {to_text(own)}")

    def _common(self) -> dict[str, str]:
        """Labels that the alert or its texts name: every series gets them, with one value."""
        names: set[str] = set()
        for tree in _trees(self.rule.tree, self.index) if self.rule.tree is not None else []:
            for node in walk(tree):
                if isinstance(node, Aggregation) and not node.without:
                    names.update(node.labels)
                elif isinstance(node, Binary) and node.matching.on:
                    names.update(node.matching.labels, node.matching.include)
        for text in (*self.rule.labels.values(), *self.rule.annotations.values()):
            names.update(_LABEL.findall(text))
        return {name: f"{name}-1" for name in sorted(names - _NOT_ADDED - set(self.rule.labels))}

    # -- parts of the file

    def _case(self, seconds: float) -> Plain:
        return {"eval_time": format_duration(seconds), "alertname": self.rule.name}

    def _test(self, name: str, solver: Solver, cases: list[Plain]) -> None:
        interval = self.result.interval
        samples = math.ceil(self.until / interval) + 1
        if samples > _MAX_SAMPLES:
            raise UnsolvedError("a test over that much time")
        series = [
            {"series": _series(series), "values": f"{_number(series.start)}{_step(series.slope * interval)}x{samples}"}
            for series in solver.series
        ]
        self.result.tests.append(
            {
                "name": name,
                "interval": format_duration(interval),
                "input_series": series,
                "alert_rule_test": cases,
            }
        )

    def _give_up(self, name: str, error: UnsolvedError, *, fires: bool) -> None:
        self.result.todo.append(f"write the series of {name!r} (not worked out: {error})")
        case = self._case(self.until)
        if fires:
            case["exp_alerts"] = [{"exp_labels": dict(self.rule.group.all_labels(self.rule))}]
        self.result.tests.append(
            {
                "name": f"{_TO_DO} {name}",
                "interval": format_duration(self.result.interval),
                "input_series": [],
                "alert_rule_test": [case],
            }
        )

    def _expected(self, labels: dict[str, str]) -> Plain:
        own = self.rule.group.all_labels(self.rule)
        rendered = {name: self._text(f"label {name}", text, labels) for name, text in own.items()}
        annotations = {
            name: self._text(f"annotation {name}", text, labels) for name, text in self.rule.annotations.items()
        }
        expected: Plain = {"exp_labels": {**labels, **{name: value for name, value in rendered.items() if value}}}
        if annotations:
            expected["exp_annotations"] = annotations
        return expected

    def _text(self, what: str, text: str, labels: dict[str, str]) -> str:
        filled = _LABEL.sub(lambda match: labels.get(match[1], ""), text)
        if "{{" in filled:
            self.result.todo.append(f"write the {what} as it comes out: {text!r}")
            return f"{_TO_DO} {filled}"
        return filled

    # -- the labels of what fires

    def _labels(self, solver: Solver) -> dict[str, str]:
        labels = self._flow(self.branch.parts[0], solver, 0)
        return {name: value for name, value in labels.items() if name != METRIC_NAME}

    def _flow(self, node: Expr, solver: Solver, depth: int) -> dict[str, str]:
        solver.step(depth)
        node = strip_parens(node)
        if isinstance(node, VectorSelector):
            return self._flow_of_selector(node, solver, depth)
        if isinstance(node, Unary | Subquery | MatrixSelector):
            return self._flow(node.vector if isinstance(node, MatrixSelector) else node.expr, solver, depth + 1)
        if isinstance(node, Aggregation):
            below = self._flow(node.expr, solver, depth + 1)
            if node.operator in {"topk", "bottomk"}:
                return below
            return {name: value for name, value in below.items() if (name in node.labels) != node.without}
        if isinstance(node, Binary):
            return self._flow_of_binary(node, solver, depth)
        return self._flow_of_call(node, solver, depth) if isinstance(node, Call) else {}

    def _flow_of_selector(self, node: VectorSelector, solver: Solver, depth: int) -> dict[str, str]:
        selected: list[SyntheticSeries] = [series for series in solver.series if selects(node, series)]
        if selected:
            return selected[0].label_map
        for rule in self.index.records.get(node.metric, []):
            if rule.tree is not None:
                return {**self._flow(rule.tree, solver, depth + 1), **rule.group.all_labels(rule)}
        return {}

    def _flow_of_binary(self, node: Binary, solver: Solver, depth: int) -> dict[str, str]:
        if node.left.type == "scalar" or node.right.type == "scalar" or node.operator in SET_OPERATORS:
            return self._flow(node.right if node.left.type == "scalar" else node.left, solver, depth + 1)
        matching = node.matching
        many, other = (node.right, node.left) if matching.cardinality == "one-to-many" else (node.left, node.right)
        labels = self._flow(many, solver, depth + 1)
        if matching.cardinality == "one-to-one":
            return {name: value for name, value in labels.items() if (name in matching.labels) == matching.on}
        others = self._flow(other, solver, depth + 1)
        return {**labels, **{name: others[name] for name in matching.include if name in others}}

    def _flow_of_call(self, node: Call, solver: Solver, depth: int) -> dict[str, str]:
        if node.name in {"absent", "absent_over_time"}:
            return labels_of_absent(node)
        if node.name in {"label_replace", "label_join"}:
            target = node.arguments[1]
            raise UnsolvedError(f"the label {target.value if isinstance(target, String) else ''} of {node.name}()")
        inner = next((child for child in children(node) if child.type in {"vector", "matrix"}), None)
        labels = {} if inner is None else self._flow(inner, solver, depth + 1)
        return {name: value for name, value in labels.items() if name != "le" or node.name != "histogram_quantile"}


def _series(series: SyntheticSeries) -> str:
    labels = ", ".join(f"{name}={quote(value)}" for name, value in series.labels if name != METRIC_NAME)
    name = series.label_map[METRIC_NAME]
    return f"{name}{{{labels}}}" if labels else name


def _number(value: float) -> str:
    return f"{value:.12g}"


def _step(step: float) -> str:
    return f"{'-' if step < 0 else '+'}{_number(abs(step))}" if step else ""
