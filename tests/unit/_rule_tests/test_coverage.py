# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which alerts the rule tests try."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile, parse
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.coverage import Coverage, branches, cover
from ansible_collections.ias.observability.plugins.module_utils._rule_tests.load import load as load_tests
from ansible_collections.ias.observability.plugins.module_utils._rules.context import Index
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport

DOWN = {"alert": "Down", "expr": 'max by (job) (up{job="a"}) == 0 or absent(up{job="a"})', "labels": {"severity": "x"}}
FIRES = [{"exp_labels": {"severity": "x", "job": "a"}}]


def index_of(*rules: dict[str, Any]) -> Index:
    report = RuleReport()
    files = parse_rules("r.yaml", json.dumps({"groups": [{"name": "g", "rules": list(rules)}]}), Profile(), report)
    assert report.findings == []
    return Index.of(files)


def covered(
    rule: dict[str, Any], *tests: dict[str, Any], records: tuple[dict[str, Any], ...] = ()
) -> tuple[Coverage, list[str]]:
    report = RuleReport()
    read = load_tests("t.yaml", json.dumps({"evaluation_interval": "1m", "tests": list(tests)}, indent=1), report)
    (one,) = cover(index_of(*records, rule), read, report)
    return one, [finding.id for finding in report.findings]


def scene(values: dict[str, str], *expected: dict[str, Any], at: str = "5m", alert: str = "Down") -> dict[str, Any]:
    """A test with one case; series by name."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": text} for name, text in values.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": list(expected)}],
    }


def test_each_branch_needs_both() -> None:
    is_down, is_up, gone = scene({'up{job="a"}': "0x9"}, *FIRES), scene({'up{job="a"}': "1x9"}), scene({}, *FIRES)
    one, found = covered(DOWN, is_down, is_up)
    assert found == ["coverage/branch"]
    assert [bool(branch.firing) for branch in one.branches] == [True, False]
    one, found = covered(DOWN, is_down, is_up, gone)
    assert (found, one.is_complete) == ([], True)
    assert covered(DOWN, is_up, gone)[1] == ["coverage/branch"]
    assert covered(DOWN, is_down, gone)[1] == ["coverage/silent"]
    assert covered(DOWN, is_up)[1] == ["coverage/firing"]
    assert covered(DOWN)[1] == ["coverage/firing", "coverage/silent"]


def test_a_silent_test_without_the_series_proves_nothing() -> None:
    rule = {"alert": "Down", "expr": "a > 1 or b > 1"}
    one, found = covered(rule, scene({"a": "2x9"}, {}), scene({"b": "2x9"}, {}), scene({"a": "1x9"}))
    assert found == ["coverage/branch"]
    assert [len(branch.silent) for branch in one.branches] == [1, 0]


def test_a_firing_case_without_the_series_cannot_be_right() -> None:
    rule = {"alert": "Down", "expr": "a > 1"}
    assert covered(rule, scene({"b": "2x9"}, {}), scene({"a": "1x9"}))[1] == ["coverage/branch"]
    assert covered(rule, scene({"a": "2x9"}, {}), scene({"a": "1x9"}))[1] == []


@pytest.mark.parametrize(
    ("values", "at", "fires_by"),
    [
        ("0x9", "5m", [True, False]),
        ("1x9", "5m", [False, False]),
        ("0x2 stale", "5m", [False, True]),
        ("0x2", "6m", [True, False]),  # within the lookback
        ("0x2", "7m", [False, True]),
        ("_x5 0", "4m", [False, True]),
        ("_ _ _ _ _ 0", "5m30s", [True, False]),  # the evaluation at 5m
        ("5-1x5", "5m", [True, False]),
        ("{{schema:0 count:1}}x9", "5m", [True, False]),  # cannot be told
        ("NaNx9", "5m", [True, False]),
        ("1e0x9", "5m", [False, False]),
    ],
)
def test_what_is_there_at_a_moment(values: str, at: str, fires_by: list[bool]) -> None:
    one, _ = covered(DOWN, scene({'up{job="a"}': values}, *FIRES, at=at))
    assert [bool(branch.firing) for branch in one.branches] == fires_by


@pytest.mark.parametrize(
    ("expr", "fires"),
    [
        ("a > 5", False),
        ("a >= 5", True),
        ("a < 5", False),
        ("a <= 5", True),
        ("a != 5", False),
        ("4 < a", True),
        ("a * 2 > 10", False),
        ("a / 2 > 2", True),
        ("a / 0 > 2", True),
        ("-a > 0", False),
        ("a - 5 == 0", True),
        ("max(a) > 5", False),
        ("sum(a) > 5", True),
        ("a > bool 9", True),
        ("a offset 1h > 1", False),
        ("a offset 2m > 1", True),
        ("a @ 1 > 9", True),
        ("missing > 1", False),
        ("a + missing > 1", False),
        ("a or missing", True),
        ("a and missing", False),
        ("a unless missing", True),
        ("a + on () fill (0) missing", True),
        ("rate(a[2m]) > 0", True),
        ("rate(a[2m] offset 10m) > 0", False),
        ("max_over_time(a[2m:1m]) > 9", True),
        ("max_over_time(missing[2m:1m]) > 9", False),
        ('a{l="x"} > 1', False),
        ('a{l!="x", m=~"|y"} > 1', True),
        ('a{l=~"x.*"} > 1', False),
        ('a{l=~"[[:alpha:]]+"} > 1', False),
        ('a{l=~"\\\\p{Greek}+"} > 1', True),  # Python does not know the scripts: cannot be told
        ('{__name__=~"b.*"} > 1', True),
        ("absent(a)", False),
        ("absent(missing)", True),
        ("absent(sum(a))", False),
        ('absent(a{l="x"})', True),
        ("absent_over_time(a[1m])", False),
        ("vector(1) > 2", True),
        ('ALERTS{alertname="x"} > 1', True),
        ("recorded > 1", True),
        ("recorded_missing > 1", False),
        ("circle > 1", True),
    ],
)
def test_whether_an_expression_can_fire(expr: str, fires: bool) -> None:
    records = (
        {"record": "recorded", "expr": "a"},
        {"record": "recorded_missing", "expr": "missing"},
        {"record": "circle", "expr": "circle + circle"},
    )
    rule = {"alert": "Down", "expr": expr}
    report = RuleReport()
    (case,) = load_tests("t", json.dumps({"tests": [scene({"a": "5x9"}, {})]}), report)
    profile = Profile((3, 14), frozenset({"promql-binop-fill-modifiers"}))
    files = parse_rules("r", json.dumps({"groups": [{"name": "g", "rules": [*records, rule]}]}), profile, report)
    (one,) = cover(Index.of(files), [case], report)
    assert any(branch.firing for branch in one.branches) is fires


def test_the_expected_labels_tell_the_branch() -> None:
    rule = {"alert": "Down", "expr": "sum by (job) (a) > 1 or sum by (pod) (a) > 1"}
    one, _ = covered(rule, scene({"a": "5x9"}, {"exp_labels": {"pod": "p", "alertname": "Down"}}))
    assert [bool(branch.firing) for branch in one.branches] == [False, True]


def test_rules_of_one_name_differ_in_their_labels() -> None:
    rules = [{**DOWN, "expr": "a > 1", "labels": {"severity": severity}} for severity in ("page", "ticket")]
    report = RuleReport()
    tests = [scene({"a": "5x9"}, {"exp_labels": {"severity": "page"}})]
    both = cover(index_of(*rules), load_tests("t", json.dumps({"tests": tests}), report), report)
    assert [(len(one.firing), len(one.silent)) for one in both] == [(1, 0), (0, 1)]


def test_a_misspelled_alert_is_found() -> None:
    assert "coverage/unknown-alert" in covered(DOWN, scene({}, alert="Dwon"))[1]


@pytest.mark.parametrize(
    ("expr", "texts"),
    [
        ("a > 1", ["a > 1"]),
        ("(a > 1 or b > 1) and c > 0", ["a > 1 and c > 0", "b > 1 and c > 0"]),
        ("(a or (b or c)) unless d", ["a", "b", "c"]),
        ("sum(a or b) > 1", ["sum(a or b) > 1"]),
    ],
)
def test_branches(expr: str, texts: list[str]) -> None:
    assert [branch.text for branch in branches(parse(expr))] == texts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a test file is a mapping"),
        ("[1]", "a test file is a mapping"),
        ("{", "not YAML"),
        ("tests: 5", "tests must be a list, not a number or truth value"),
        ("tests: [{input_series: [{series: 'up{', values: '1'}]}]", "series 'up{'"),
        ("tests: [{input_series: [{series: 'rate(a[5m])', values: '1'}]}]", "is no series"),
        ("tests: [{input_series: [{series: 'a{b=~\"c\"}', values: '1'}]}]", "is no series"),
        ("tests: [{input_series: [{series: a, values: '1 abc'}]}]", "'abc' is no sample"),
        ("tests: [{input_series: [{series: a, values: [1]}]}]", "values must be a text, not a list"),
        ("tests: [{interval: 5 minutes}]", "interval: not a valid duration"),
    ],
)
def test_what_is_wrong_with_a_test_file(text: str, message: str) -> None:
    report = RuleReport()
    load_tests("t.yaml", text, report)
    assert [finding.id for finding in report.findings] == ["coverage/file"]
    assert message in report.findings[0].message


@pytest.mark.parametrize("name", ["alerts", "slo-alerts"])
def test_the_collections_own_alerts(root: Path, name: str) -> None:
    """The tests in contracts/ try every alert by every branch."""
    report = RuleReport()
    names = ("records.yaml", f"{name}.yaml")
    read = {file: (root / "contracts" / file).read_text("utf-8") for file in names}
    files = [one for file, text in read.items() for one in parse_rules(file, text, Profile(), report)]
    found = sorted((root / "contracts").glob(f"{name}.*tests.yaml"))
    tests = [test for path in found for test in load_tests(path.name, path.read_text("utf-8"), report)]
    covered = cover(Index.of(files), tests, report)
    assert [str(finding) for finding in report.findings] == []
    assert all(one.is_complete for one in covered)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["1", "_", "x3", "+2", "-1", "stale", "{{", "}}", "NaN", " ", "1e9", "é"])).map("".join)
)
def test_any_values(values: str) -> None:
    report = RuleReport()
    text = json.dumps({"tests": [scene({'up{job="a"}': values}, *FIRES)]})
    cover(index_of(DOWN), load_tests("t", text, report), report)
    assert all(finding.id.startswith("coverage/") for finding in report.findings)


def test_hostile_rules_and_tests_end_soon(collector_off: None) -> None:
    """Records that double their uses at each level, long chains, a trillion samples."""
    records = [{"record": "r0", "expr": "a"}]
    records += [{"record": f"r{n}", "expr": f"r{n - 1} + rate(r{n - 1}[5m])"} for n in range(1, 40)]
    chain = {"alert": "Down", "expr": "+".join(["r39"] * 3000) + " > 1"}
    start = time.perf_counter()
    one, _ = covered(chain, scene({"a": "1x999999999999"}, {}, at="9d"), records=tuple(records))
    assert one.firing
    assert time.perf_counter() - start < 5
