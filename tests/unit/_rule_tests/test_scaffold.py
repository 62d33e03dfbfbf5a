# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First tests for alerts: promtool itself says that they pass."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.coverage import cover
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.load import load as load_tests
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.scaffold import Scaffold, as_yaml, scaffold
from ansible_collections.ias.observability.plugins.module_utils._rules.context import Index
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport

RECORDS = [
    {"record": "job:requests:rate5m", "expr": "sum by (job) (rate(requests_total[5m]))"},
    {"record": "job:failures:rate5m", "expr": 'sum by (job) (rate(requests_total{code=~"5.."}[5m]))'},
]
SOLVED = [
    "up == 0",
    'up{job="a"} != 1',
    "a > 1",
    "a >= 0.5",
    "a < -3",
    "a <= 1e9",
    "3 > a",
    "abs(a) > 2",
    "-a > 2",
    "2 * a + 1 > 7",
    "1 - a > 0.2",
    "10 / a > 2",
    "a - b > 5",
    "a + b > 5",
    "a * b > 5",
    "a / b > 0.9",
    "(total - free) / total > 0.9",
    "1 - free / total > 0.9",
    "a > b",
    "a > on (job) group_left (team) b * 0.8",
    "rate(a_total[5m]) > 0",
    "increase(a_total[1h]) >= 3",
    "deriv(a[10m]) < -2",
    "delta(a[10m]) > 2",
    "sum without (pod) (rate(a_total[5m])) > 10",
    "max by (job) (a) > 10",
    "avg_over_time(a[10m]) > 0.9",
    "min_over_time(a[10m:1m]) > 0.9",
    "absent(a)",
    'absent(a{job="x", pod=~"y.*"})',
    'a{job="x"} == 0 or absent(a{job="x"})',
    "a > 1 or b > 2",
    "a > 1 and b < 2",
    "(a > 1 or b > 2) and on () c > 0",
    "a > 1 unless b > 3",
    'sum by (job) (rate(r_total{code=~"5.."}[5m])) / sum by (job) (rate(r_total[5m])) > 0.05',
    '100 * sum(rate(r_total{code=~"4..|5.."}[5m])) / sum(rate(r_total[5m])) > 5 and sum(rate(r_total[5m])) > 1000',
    "job:failures:rate5m / job:requests:rate5m > 0.05 and job:requests:rate5m > 0.1",
    "histogram_quantile(0.95, sum by (job, le) (rate(d_seconds_bucket[5m]))) > 1",
    "histogram_quantile(0.5, rate(d_seconds_bucket[5m])) > 0.25",
    'a{l!="x", m!~"y.*", n!=""} > 3',
    "ALERTS > 3",
    "absent(sum(a))",
    "absent_over_time(a[5m])",
    "(a > 1 and b < 2) and c > 0",
    "(a > 1 unless b > 2) and c > 0",
    "a > -(-1)",
    "a > 5 and a > 3",
    "a > 1 and a",
]
NOT_SOLVED = [
    "a",
    "count(a) > 5",
    "a offset 1h > 3",
    "a ^ 2 > 4",
    "changes(a[5m]) > 2",
    'label_replace(a, "b", "$1", "c", "(.*)") > 1',
    '{job="x"} > 1',
    "absent(a or b)",
    "rate(a_total[5m]) < 0",
    "rate(a_total[5m]) > 0 and rate(a_total[1h]) > 0",
    "0 / a > 1",
    "a / 0 > 1",
    "a * 0 > 1",
    "a > 5 and a < 3",
    "a == 1 and a == 2",
    "sum_over_time(a[5m]) > 3",
    "+".join(["a"] * 3000) + " > 1",
]


def rules_of(*expressions: str, for_: str = "5m", **fields: Any) -> list[dict[str, Any]]:
    return [{"alert": f"A{n}", "expr": expr, "for": for_, **fields} for n, expr in enumerate(expressions)]


def index_of(groups: list[dict[str, Any]], path: str = "r.yaml") -> Index:
    return Index.of(parse_rules(path, json.dumps({"groups": groups}), Profile(), RuleReport()))


def scaffolds(index: Index) -> list[Scaffold]:
    return [scaffold(rule, index) for rule in index.rules if rule.is_alert]


@pytest.mark.parametrize("expr", SOLVED)
def test_works_out_series(expr: str) -> None:
    """The tests cover the rule, as far as alert_rules_coverage can tell."""
    index = index_of([{"name": "g", "rules": [*RECORDS, *rules_of(expr)]}])
    (written,) = scaffolds(index)
    assert written.todo == []
    report = RuleReport()
    (one,) = cover(index, load_tests("t", as_yaml([written], ["r.yaml"]), report), report)
    assert [str(finding) for finding in report.findings] == []
    assert one.is_complete


@pytest.mark.parametrize("expr", NOT_SOLVED)
def test_says_what_it_cannot_work_out(expr: str) -> None:
    (written,) = scaffolds(index_of([{"name": "g", "rules": rules_of(expr)}]))
    assert written.todo
    assert all("not worked out" in todo for todo in written.todo)
    text = as_yaml([written], ["r.yaml"])
    assert text.startswith("# A0: write the series of 'A0: ")
    assert yaml.safe_load(text)["rule_files"] == ["r.yaml"]


def test_takes_values_from_the_rule() -> None:
    rule = {"alert": "A", "expr": 'up{job="x"} == 0', "for": "3m", "labels": {"severity": "page"}}
    (written,) = scaffolds(index_of([{"name": "g", "rules": [rule]}]))
    beyond, within = written.tests
    assert beyond["input_series"] == [{"series": 'up{job="x"}', "values": "0x4"}]
    assert beyond["alert_rule_test"] == [
        {"eval_time": "2m", "alertname": "A"},
        {"eval_time": "3m", "alertname": "A", "exp_alerts": [{"exp_labels": {"job": "x", "severity": "page"}}]},
    ]
    assert within["input_series"] == [{"series": 'up{job="x"}', "values": "1x4"}]


def test_names_texts_that_are_left() -> None:
    rule = {"alert": "A", "expr": "a > 1", "annotations": {"summary": "{{ $value }} of {{ $labels.job }}"}}
    (written,) = scaffolds(index_of([{"name": "g", "rules": [rule]}]))
    assert written.todo == ["write the annotation summary as it comes out: '{{ $value }} of {{ $labels.job }}'"]


def test_promtool_cannot_read_a_manifest() -> None:
    manifest = {"kind": "PrometheusRule", "metadata": {"name": "m"}}
    text = json.dumps({**manifest, "spec": {"groups": [{"name": "g", "rules": rules_of("a > 1")}]}})
    (written,) = scaffolds(Index.of(parse_rules("m.yaml", text, Profile(), RuleReport())))
    assert written.todo == ["promtool reads rule files only: give it the spec of PrometheusRule m"]


def test_several_alerts_of_one_name_are_for_a_person() -> None:
    rules = [{"alert": "A", "expr": "a > 1"}, {"alert": "A", "expr": "a > 2"}]
    assert [one.todo for one in scaffolds(index_of([{"name": "g", "rules": rules}]))] == [
        ["add what the other alerts of this name are expected to do"]
    ] * 2


def test_a_window_of_months_is_left_alone() -> None:
    (written,) = scaffolds(index_of([{"name": "g", "rules": rules_of("avg_over_time(a[60d]) < 1")}]))
    assert any("a test over that much time" in todo for todo in written.todo)


def test_a_broken_rule_has_no_tests() -> None:
    (written,) = scaffolds(index_of([{"name": "g", "rules": rules_of("a >")}]))
    assert (written.tests, written.todo) == ([], ["correct the expression first"])


def test_records_that_double_their_uses_end_soon(collector_off: None) -> None:
    records = [{"record": "r0", "expr": "a"}]
    records += [{"record": f"r{n}", "expr": f"r{n - 1} + r{n - 1}"} for n in range(1, 50)]
    start = time.perf_counter()
    (written,) = scaffolds(index_of([{"name": "g", "rules": [*records, *rules_of("r49 > 1")]}]))
    assert written.todo
    assert time.perf_counter() - start < 5
