# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""promtool's test files: what goes in, and which alerts are expected when."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._findings import Report
from .._promql import PromQLError, parse
from .._promql.literals import parse_duration
from .._promql.nodes import METRIC_NAME, VectorSelector
from .._yaml.reader import Reader
from .._yaml.tree import Mapping, Scalar
from . import series_values
from .series_values import Values

DEFAULT_INTERVAL = 60.0


@dataclass(frozen=True, slots=True)
class Series:
    labels: dict[str, str]
    """The metric's name is the label __name__."""
    values: Values


@dataclass(frozen=True, slots=True)
class Case:
    """One `alert_rule_test`."""

    alert: str
    seconds: float
    """The evaluation that promtool looks at: the last one at or before `eval_time`."""
    expected: tuple[dict[str, str], ...]
    """The labels of each alert that must fire; empty when none may."""
    line: int
    column: int


@dataclass(slots=True)
class Test:
    file: str
    name: str
    line: int
    series: list[Series] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


def load(path: str, text: str, report: Report) -> list[Test]:
    """The tests in the text; what is wrong with it is reported as coverage/file."""
    report.file = path
    reader = _Reader(report, "coverage/file", "see promtool test rules")
    root = reader.root(text, "a test file is a mapping with `rule_files` and `tests`")
    return [] if root is None else reader.read(path, root)


class _Reader(Reader):
    path = ""
    evaluation = DEFAULT_INTERVAL

    def read(self, path: str, root: Mapping) -> list[Test]:
        self.path = path
        if root.get("tests") is None:
            self.error("a test file is a mapping with `rule_files` and `tests`", root)
        self.evaluation = self._duration(root, "evaluation_interval") or DEFAULT_INTERVAL
        return [self._test(node) for node in self.mappings(root, "tests")]

    def _test(self, node: Mapping) -> Test:
        test = Test(self.path, self.text(node, "name"), node.line)
        interval = self._duration(node, "interval") or self.evaluation
        for item in self.mappings(node, "input_series"):
            series = self._series(item, interval)
            if series is not None:
                test.series.append(series)
        test.cases = [self._case(item) for item in self.mappings(node, "alert_rule_test")]
        return test

    def _series(self, node: Mapping, interval: float) -> Series | None:
        text = self.text(node, "series")
        where = node.get("series") or node
        try:
            selector = parse(text)
        except PromQLError as error:
            self.error(f"series {text!r}: {error.message}", where)
            return None
        if not isinstance(selector, VectorSelector) or any(m.operator != "=" for m in selector.matchers):
            self.error(f'{text!r} is no series such as up{{job="api"}}', where)
            return None
        labels = {METRIC_NAME: selector.metric, **{m.name: m.value for m in selector.matchers}}
        try:
            return Series(labels, series_values.parse(self.text(node, "values"), interval))
        except ValueError as error:
            self.error(f"values of {text}: {error}", node.get("values") or node)
            return None

    def _case(self, node: Mapping) -> Case:
        seconds = self._duration(node, "eval_time")
        seconds -= seconds % self.evaluation
        expected = tuple(self._labels(alert) for alert in self.mappings(node, "exp_alerts"))
        return Case(self.text(node, "alertname"), seconds, expected, node.line, node.column)

    def _labels(self, alert: Mapping) -> dict[str, str]:
        labels = alert.get("exp_labels")
        if isinstance(labels, Mapping):
            return {name: value.value for name, (_key, value) in labels.items().items() if isinstance(value, Scalar)}
        return {}

    def _duration(self, node: Mapping, key: str) -> float:
        text = self.text(node, key)
        try:
            return parse_duration(text) if text else 0.0
        except ValueError as error:
            self.error(f"{key}: {error}", node.get(key))
            return 0.0
