# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module: rules and tests in, what is not tried out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import alert_rules_coverage
from tests.fakes.module import run_module

RULES = """\
groups:
- name: api
  rules:
  - alert: ApiDown
    expr: up{job="api"} == 0 or absent(up{job="api"})
    for: 5m
"""
TESTS = """\
rule_files: [rules.yaml]
tests:
- input_series: [{series: 'up{job="api"}', values: 0x10}]
  alert_rule_test:
  - {eval_time: 9m, alertname: ApiDown, exp_alerts: [{exp_labels: {job: api}}]}
- input_series: [{series: 'up{job="api"}', values: 1x10}]
  alert_rule_test: [{eval_time: 9m, alertname: ApiDown}]
"""
GONE = """\
- alert_rule_test:
  - {eval_time: 9m, alertname: ApiDown, exp_alerts: [{exp_labels: {job: api}}]}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    return path


def run(rules: Path, tests: str, **arguments: Any) -> dict[str, Any]:
    file = rules.parent / "tests.yaml"
    file.write_text(tests, encoding="utf-8")
    return run_module(alert_rules_coverage, check=True, paths=[str(rules)], tests=[str(file)], **arguments)


def test_all_is_tried(rules: Path) -> None:
    result = run(rules, TESTS + GONE)
    assert "failed" not in result
    assert (result["changed"], result["findings"], result["skeleton"]) == (False, [], "")
    assert result["summary"] == {"alerts": 1, "covered": 1, "error": 0, "warning": 0, "info": 0}


def test_a_branch_is_not_tried(rules: Path) -> None:
    result = run(rules, TESTS)
    assert result["failed"] is True
    assert 'api/ApiDown: no test makes the alert fire by `absent(up{job="api"})`' in result["msg"]
    (alert,) = result["coverage"]
    assert [len(branch["firing"]) for branch in alert["branches"]] == [1, 0]
    assert alert["firing"] == [f"{rules.parent}/tests.yaml:5"]


def test_the_skeleton_covers_what_was_not(rules: Path) -> None:
    result = run_module(alert_rules_coverage, paths=[str(rules)])
    assert result["summary"]["error"] == 2
    assert f"rule_files:\n- {rules}\n" in result["skeleton"]
    assert "failed" not in run(rules, result["skeleton"])


def test_waivers(rules: Path) -> None:
    waivers = rules.parent / "waivers.yaml"
    waivers.write_text("waivers: [{id: coverage/branch, reason: r, until: 2999-01-01}]", encoding="utf-8")
    result = run(rules, TESTS, waivers=str(waivers))
    assert "failed" not in result
    assert [finding["id"] for finding in result["waived"]] == ["coverage/branch"]


@pytest.mark.parametrize(
    ("content", "identity"),
    [
        (b"", "coverage/file"),
        (b"\xff\xfe\x00", "load/encoding"),
        (b"tests: \x00", "coverage/file"),
        (b"[" * 100_000, "coverage/file"),
        (b"a: &a [x]\nb: &b [*a,*a]\ntests: *b", "coverage/file"),
        (b"#" * (17 << 20), "load/too-large"),
    ],
)
def test_what_is_no_test_file(content: bytes, identity: str, rules: Path) -> None:
    file = rules.parent / "tests.yaml"
    file.write_bytes(content)
    result = run_module(alert_rules_coverage, paths=[str(rules)], tests=[str(file)])
    assert identity in [finding["id"] for finding in result["findings"]]


@pytest.mark.parametrize("edit", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_what_is_one(edit: Any, rules: Path) -> None:
    assert "failed" not in run(rules, edit(TESTS + GONE))


def test_a_rule_that_does_not_load(rules: Path) -> None:
    rules.write_text(RULES.replace("== 0", "= 0"), encoding="utf-8")
    result = run(rules, TESTS)
    assert [finding["id"] for finding in result["findings"]] == ["load/promql"]


def test_unknown_version(rules: Path) -> None:
    assert run(rules, TESTS, prometheus_version="x")["msg"].startswith("prometheus_version: 'x' is not a Prometheus")
