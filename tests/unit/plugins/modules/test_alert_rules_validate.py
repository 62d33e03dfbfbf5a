# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module: files in, one JSON result out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.module_utils._files import MAX_BYTES
from ansible_collections.ias.observability.plugins.modules import alert_rules_validate

GOOD = """\
groups:
- name: api
  rules:
  - alert: ApiDown
    expr: up{job="api"} == 0 or absent(up{job="api"})
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: '{{ $labels.job }} is down'
      description: No target of {{ $labels.job }} answers.
      runbook_url: https://example.org/runbooks/ApiDown
"""
BAD = GOOD.replace("== 0", "= 0").replace("for: 5m", "for: 5 minutes")


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args({"_ansible_check_mode": True, **arguments}), pytest.raises(SystemExit):
        alert_rules_validate.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_good_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    result = run(capsys, paths=[str(tmp_path)])
    assert result["findings"] == []
    assert result["changed"] is False
    assert result["summary"] == {"error": 0, "warning": 0, "info": 0, "files": 1, "rules": 1}
    assert result["rules"][0]["name"] == "ApiDown"
    assert result["rules"][0]["for"] == 300


def test_all_errors_are_in_the_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b.yml", "a.yaml"):
        (tmp_path / name).write_text(BAD, encoding="utf-8")
    result = run(capsys, paths=[str(tmp_path), str(tmp_path / "a.yaml")])
    assert result["failed"] is True
    assert result["summary"]["error"] == 4
    assert result["msg"].startswith("The rules are not fit for use: 4 errors")
    for name in ("a.yaml", "b.yml"):
        assert f"{tmp_path / name}:5:25 api/ApiDown: expr: unexpected '='" in result["msg"]
        assert f"{tmp_path / name}:6:10 api/ApiDown: for: not a valid duration" in result["msg"]


def test_rules_given_directly(capsys: pytest.CaptureFixture[str]) -> None:
    rules = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "first_over_time(a[5m]) > 1"}]}]}
    assert run(capsys, rules=rules)["rules"][0]["expr"] == "first_over_time(a[5m]) > 1"
    old = run(capsys, rules=rules, prometheus_version="3.13")
    assert "promql-experimental-functions" in old["msg"]
    flag = ["promql-experimental-functions"]
    assert "failed" not in run(capsys, rules=rules, prometheus_version="3.13", prometheus_features=flag)


@pytest.mark.parametrize(
    ("content", "identity"),
    [
        (b"\xff\xfe\x00binary", "load/encoding"),
        (b"groups: \x00", "load/yaml"),
        (b"#" * (MAX_BYTES + 1), "load/too-large"),
        (b"[" * 300_000, "load/yaml"),
        (b"{% for x in y %}", "load/yaml"),
        (b"groups: []\ngroups: []\n", "load/duplicate-key"),
        (b"groups: 5", "load/type"),
        (b"groups: [{name: g, rules: {a: b}}]", "load/type"),
        (b"- groups", "load/type"),
        (b"text", "load/type"),
        (b"\tgroups: []", "load/yaml"),
        (b"a: &a [x]\ngroups: *a", "load/unknown-field"),
    ],
)
def test_what_is_no_rule_file(
    content: bytes, identity: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    result = run(capsys, paths=[str(tmp_path / "a.yaml")])
    assert result["findings"][0]["id"] == identity
    assert {finding["file"] for finding in result["findings"]} == {str(tmp_path / "a.yaml")}
    assert "Traceback" not in str(result)


def test_bomb_of_anchors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    (tmp_path / "a.yaml").write_text(f"{bomb}groups: *a59\n", encoding="utf-8")
    result = run(capsys, paths=[str(tmp_path)])
    assert {finding["id"] for finding in result["findings"]} == {"load/unknown-field", "load/type"}


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_what_is_one(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    assert run(capsys, paths=[str(tmp_path / "a.yaml")])["findings"] == []


def test_paths_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, paths=[str(tmp_path), str(tmp_path / "nothing.yaml")])
    assert [finding["id"] for finding in result["findings"]] == ["load/no-files", "load/unreadable"]


def test_unknown_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "prometheus_version: 'latest' is not a Prometheus version"
        in run(capsys, rules={}, prometheus_version="latest")["msg"]
    )


def test_something_to_check_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "one of the following is required: paths, rules" in run(capsys)["msg"]


def test_contract_and_waivers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, waivers = tmp_path / "services.yaml", tmp_path / "waivers.yaml"
    contract.write_text("services: {api: {metrics: {a: {type: gauge}}}}", encoding="utf-8")
    rules = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "rate(a[5m]) > 1", "for": "5m"}]}]}
    result = run(capsys, rules=rules, contract=str(contract))
    assert [finding["id"] for finding in result["findings"] if finding["severity"] == "error"] == ["contract/type"]
    waivers.write_text("waivers: [{id: contract/type, reason: r, until: 2999-01-01}]", encoding="utf-8")
    result = run(capsys, rules=rules, contract=str(contract), waivers=str(waivers))
    assert "failed" not in result
    assert [finding["id"] for finding in result["waived"]] == ["contract/type"]
    result = run(capsys, rules=rules, contract=str(tmp_path / "no"), waivers=str(tmp_path / "none"))
    assert [f["id"] for f in result["findings"] if f["severity"] == "error"] == ["load/unreadable"] * 2


def test_tests_of_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, tests = tmp_path / "rules.yaml", tmp_path / "tests.yaml"
    rules.write_text(GOOD, encoding="utf-8")
    tests.write_text("tests: [{alert_rule_test: [{eval_time: 9m, alertname: ApiDown}]}]", encoding="utf-8")
    result = run(capsys, paths=[str(rules)], tests=[str(tests)])
    assert [finding["id"] for finding in result["findings"]] == [
        "coverage/firing",
        "coverage/branch",
        "coverage/branch",
    ]
    assert result["findings"][0]["file"] == str(rules)
    result = run(capsys, paths=[str(rules)], tests=[str(tmp_path / "none.yaml")])
    assert result["findings"][0]["id"] == "load/unreadable"
