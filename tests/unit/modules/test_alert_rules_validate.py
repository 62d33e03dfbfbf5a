# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module: files in, one JSON result out."""

from __future__ import annotations

import json
import os
import time
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


@pytest.fixture(autouse=True)
def _no_promtool(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of this machine, whose start would take longer than the test."""
    monkeypatch.setenv("PATH", os.defpath)


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


def test_the_scrape_interval_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    rules = {
        "groups": [{"name": "g", "rules": [{"record": "job:a:rate1m", "expr": "sum by (job) (rate(a_total[1m]))"}]}]
    }

    def ids(**arguments: Any) -> list[str]:
        return [finding["id"] for finding in run(capsys, rules=rules, **arguments)["findings"]]

    assert ids() == ["rules/range-vs-scrape"]
    assert ids(scrape_interval="15s") == []
    for wrong in ("often", "0", "0s"):
        assert run(capsys, rules=rules, scrape_interval=wrong)["msg"] == (
            f"scrape_interval must be a duration such as 15s or 1m, not {wrong!r}"
        )


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


def test_the_rules_need_not_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    rules = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0"}, {"record": "r:s", "expr": "up"}]}]}
    result = run(capsys, rules=rules, return_rules=False)
    assert "rules" not in result
    assert result["summary"]["rules"] == 2


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
    (finding,) = result["findings"]
    assert (finding["id"], finding["line"]) == ("load/yaml", 15)
    assert "its aliases stand for more than" in finding["message"]


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


ROUTING = (
    "route: {receiver: a, routes: [{matchers: [severity=critical], receiver: b}]}\nreceivers: [{name: a}, {name: b}]\n"
)


def test_routing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, routing = tmp_path / "r.yaml", tmp_path / "am.yaml"
    rules.write_text(GOOD, encoding="utf-8")
    routing.write_text(ROUTING.replace("=critical", "=critcal"), encoding="utf-8")
    (finding,) = run(capsys, paths=[str(rules)], alertmanager_config=str(routing))["findings"]
    assert (finding["id"], finding["file"], finding["line"], finding["column"]) == (
        "rules/routing-unreached",
        str(routing),
        1,
        31,
    )
    assert finding["hint"] == "did you mean 'critical'?"
    given = {"route": {"receiver": "a"}, "receivers": [{"name": "b"}]}
    result = run(capsys, paths=[str(rules)], alertmanager_config=given)
    assert result["failed"] is True
    assert result["msg"].splitlines()[1] == (
        "error: alertmanager_config:3:15 route: no receiver is called 'a' (receivers has b)"
        " [rules/routing-undefined-receiver]"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is a mapping with `route` and `receivers`, not empty"),
        (b"# nothing\n---\n", "is a mapping with `route` and `receivers`, not empty"),
        (b"text", "is a mapping with `route` and `receivers`, not a text"),
        (b"[]", "is a mapping with `route` and `receivers`, not a list"),
        (b"route: [", "not YAML"),
        (b"[" * 300_000, "not YAML"),
        (b"\xff\xfe\x00", "not a UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), "the file has more than 16 MiB"),
        (b"receivers: []", "there is no `route`"),
        (b"route: 5", "route is no mapping"),
        (b"route: {}", "the root route has no receiver"),
        (b"route: {receiver: a, routes: 5}\nreceivers: [{name: a}]", "route.routes is no list"),
        (b"route: {receiver: a, routes: [5]}\nreceivers: [{name: a}]", "route.routes[0] is no mapping"),
        (b"route: {receiver: a, rutes: []}\nreceivers: [{name: a}]", "unknown key 'rutes'"),
        (b"route: {receiver: a}\nroute: {receiver: a}\nreceivers: [{name: a}]", "key 'route' is written twice"),
        (b"route: {receiver: a, match: {a: b}}\nreceivers: [{name: a}]", "the root route must not have match"),
        (b"route: {receiver: a, continue: true}\nreceivers: [{name: a}]", "the root route must not have continue"),
        (b"route: {receiver: a, group_wait: 5 m}\nreceivers: [{name: a}]", "group_wait: not a valid duration"),
        (b"route: {receiver: a, repeat_interval: 0s}\nreceivers: [{name: a}]", "repeat_interval cannot be zero"),
        (b"route: {receiver: a, routes: [{matchers: ['a=~(']}]}\nreceivers: [{name: a}]", "'a=~(' is no matcher"),
        (b"route: {receiver: a, routes: [{matchers: [a]}]}\nreceivers: [{name: a}]", "'a' is no matcher"),
        (
            b"route: {receiver: a, routes: [{match_re: {a: '*'}}]}\nreceivers: [{name: a}]",
            "'*' is no regular expression",
        ),
        (b"route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", "receiver 'a' is there already"),
        (b"route: {receiver: a}\nreceivers: [{}]", "the receiver has no name"),
        (
            b"route: {receiver: a, routes: [{mute_time_intervals: [x]}]}\nreceivers: [{name: a}]",
            "no time interval is called",
        ),
    ],
)
def test_what_is_no_routing(content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "am.yaml"
    path.write_bytes(content)
    result = run(capsys, rules={"groups": []}, alertmanager_config=str(path))
    assert result["failed"] is True
    assert message in result["msg"]
    assert {finding["file"] for finding in result["findings"]} == {str(path)}
    assert "Traceback" not in str(result)


def test_a_bomb_of_anchors_as_routing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    (tmp_path / "am.yaml").write_text(f"{bomb}{ROUTING}templates: *a59\n", encoding="utf-8")
    result = run(capsys, rules={"groups": []}, alertmanager_config=str(tmp_path / "am.yaml"))
    assert {finding["id"] for finding in result["findings"]} == {"rules/routing-config"}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (5, "of type int"),
        ("", "a text"),
        (["s3cret"], "of type list"),
        (True, "of type bool"),
        ("route:\n  receiver: s3cret\n", "a text"),
    ],
)
def test_a_routing_of_another_type_is_not_repeated(given: Any, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, rules={"groups": []}, alertmanager_config=given)
    assert result["msg"] == f"alertmanager_config must be the path of a file or a mapping, not {what}"


def test_a_routing_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, rules={"groups": []}, alertmanager_config=str(tmp_path / "none"))
    assert [finding["id"] for finding in result["findings"]] == ["load/unreadable"]
    assert f"not the folder {tmp_path}" in run(capsys, rules={}, alertmanager_config=str(tmp_path))["msg"]


def promtool(folder: Path, verdict: str) -> str:
    """A promtool of version 3.14.2 that has this to say of any rules."""
    path = folder / "promtool"
    answers = f"--version) echo 'promtool, version 3.14.2 (branch: x)';; *) cat >>{folder}/seen; {verdict};;"
    path.write_text(f'#!/bin/sh\ncase "$1" in\n{answers}\nesac\n', encoding="utf-8")
    path.chmod(0o755)
    return str(path)


REFUSES = """echo '  FAILED:' >&2; echo '1:9: group "0/api", rule 1, "ApiDown": no good' >&2; exit 1"""
ACCEPTS = "echo '  SUCCESS: 1 rules found'"


@pytest.mark.parametrize(
    "case",
    [
        (GOOD, ACCEPTS, "3.14", []),
        (GOOD, REFUSES, "3.14", [("error", "promtool 3.14.2 refuses it: no good")]),
        (GOOD, REFUSES, "3.13", [("warning", "promtool 3.14.2 refuses it: no good")]),
        (BAD, REFUSES, "3.14", []),
        (BAD, ACCEPTS, "3.14", [("info", "promtool 3.14.2 accepts the file")]),
        (GOOD, "echo no connection; exit 1", "3.14", [("warning", "promtool could not be asked: no connection")]),
    ],
)
def test_promtool_where_it_sees_things_differently(
    case: tuple[str, str, str, list[tuple[str, str]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, verdict, version, wanted = case
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    program = promtool(tmp_path, verdict)
    result = run(capsys, paths=[str(tmp_path / "a.yaml")], promtool=[program], prometheus_version=version)
    told = [(one["severity"], one["message"]) for one in result["findings"] if one["id"] == "load/promtool"]
    assert told == wanted
    asked = "echo no connection" not in verdict
    assert result["promtool"] == {"asked": asked, "version": "3.14.2" if asked else ""}
    assert (tmp_path / "seen").read_text().startswith("{" if text == GOOD else "groups:")


def is_running(pid: str) -> bool:
    """A zombie is not: it waits for somebody to ask how it ended."""
    try:
        return Path("/proc", pid, "stat").read_text("utf-8").rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("hanging", ["--version", "check"])
def test_promtool_that_does_not_answer(
    hanging: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended, although it takes no notice of a polite signal."""
    monkeypatch.setattr(alert_rules_validate, "PROMTOOL_SECONDS", 0.3)
    path = tmp_path / "promtool"
    hang = f'if [ "$1" = {hanging} ]; then trap "" TERM HUP; echo $$ >{tmp_path}/pids; exec sleep 600; fi'
    path.write_text(f"#!/bin/sh\n{hang}\necho 'promtool, version 3.14.2 (branch: x)'\n", encoding="utf-8")
    path.chmod(0o755)
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    started = time.monotonic()
    result = run(capsys, paths=[str(tmp_path / "a.yaml")], promtool=[str(path)])
    assert time.monotonic() - started < 30
    (finding,) = [one for one in result["findings"] if one["id"] == "load/promtool"]
    assert (finding["severity"], finding["hint"]) == ("warning", "see the option promtool")
    assert finding["message"] == f"promtool could not be asked: {path} did not answer within 0.3 s"
    assert result["promtool"] == {"asked": False, "version": ""}
    until = time.monotonic() + 10
    while any(map(is_running, (tmp_path / "pids").read_text().split())):
        assert time.monotonic() < until, "it still runs"


def test_promtool_that_cannot_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "promtool"
    path.write_bytes(b"\x7fELF of another machine")
    path.chmod(0o755)
    result = run(capsys, rules={"groups": []}, promtool=[str(path)])
    assert [one["message"] for one in result["findings"]] == [
        f"promtool could not be asked: {path} cannot be run: Exec format error"
    ]


def test_promtool_is_looked_for_on_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = {"groups": [{"name": "api", "rules": [{"record": "a:b", "expr": "sum(a)"}]}]}
    monkeypatch.setenv("PATH", str(tmp_path))
    nobody = {"asked": False, "version": ""}
    assert run(capsys, rules=rules)["promtool"] == nobody
    result = run(capsys, rules=rules, promtool=["promtool"])
    assert [one["message"] for one in result["findings"]] == ["promtool could not be asked: promtool is not there"]
    promtool(tmp_path, ACCEPTS)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    assert run(capsys, rules=rules)["promtool"] == {"asked": True, "version": "3.14.2"}
    assert run(capsys, rules=rules, promtool=[])["promtool"] == nobody
