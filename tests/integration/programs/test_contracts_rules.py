# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule tests that would notice: for each threshold and duration of alerts.yaml there is one that fails without it."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tools import yaml_text
from tools.contracts import programs, rules

# Any line that is dropped, a database that is not there, an engine that runs nothing: nothing to move.
WITHOUT_THRESHOLD = {"LogsDropped", "TracesDropped", "DatabaseDown", "ServingStalled", "Watchdog"}
WITHOUT_DURATION = {"GpuXidError", "Watchdog"}
Change = Callable[[dict[str, str]], None]
COMPARED = re.compile(r"(?<=[<>=] )\d+(\.\d+)?")


@pytest.fixture(scope="module")
def alerts(root: Path) -> set[str]:
    groups = yaml_text.load((root / "contracts/alerts.yaml").read_text())["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def scaled(factor: float) -> Change:
    def change(rule: dict[str, str]) -> None:
        rule["expr"] = COMPARED.sub(lambda found: f"{float(found[0]) * factor:g}", rule["expr"])

    return change


def held(minutes: int) -> Change:
    def change(rule: dict[str, str]) -> None:
        if "for" in rule:
            rule["for"] = f"{max(int(rule['for'].removesuffix('m')) + minutes, 0)}m"

    return change


CHANGES = {"lower": scaled(0.94), "higher": scaled(1.06), "sooner": held(-1), "later": held(1)}


@pytest.fixture(scope="module")
def noticed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The alerts whose tests fail when every rule has been changed, by the change."""
    folders = {name: tmp_path_factory.mktemp(name) for name in CHANGES}  # here: the factory knows no threads

    def run(name: str) -> set[str]:
        content = yaml_text.load((root / "contracts/alerts.yaml").read_text())
        for group in content["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    CHANGES[name](rule)
        folder = folders[name]
        (folder / "alerts.yaml").write_text(yaml.safe_dump(content))
        for copied in ("alerts.tests.yaml", "records.yaml"):
            (folder / copied).write_text((root / "contracts" / copied).read_text())
        said = programs.run("promtool", "test", "rules", "alerts.tests.yaml", cwd=folder)[1]
        return set(re.findall(r"alertname: (\w+)", said))

    with ThreadPoolExecutor() as pool:
        return dict(zip(CHANGES, pool.map(run, CHANGES), strict=True))


@pytest.mark.parametrize("change", ["lower", "higher"])
def test_a_threshold_that_is_moved_is_noticed(noticed: dict[str, set[str]], alerts: set[str], change: str) -> None:
    assert noticed[change] == alerts - WITHOUT_THRESHOLD


@pytest.mark.parametrize(("change", "untouched"), [("sooner", WITHOUT_DURATION), ("later", {"Watchdog"})])
def test_a_duration_that_is_changed_is_noticed(
    noticed: dict[str, set[str]], alerts: set[str], change: str, untouched: set[str]
) -> None:
    assert noticed[change] == alerts - untouched


def test_what_is_wrong_with_a_rule_has_file_and_line(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(
        "groups:\n  - name: g\n    rules:\n      - record: a:b:rate5m\n        expr: rate(nobody_has_this[5m]\n"
    )
    wrong = rules.read([file], root / "contracts/services.yaml", Path("/")).wrong
    assert [line.partition(": ")[0] for line in wrong] == [f"{str(file)[1:]}:5:19 g/a:b:rate5m"]


def test_an_alert_that_no_test_covers_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text((root / "contracts/services.yaml").read_text())
    content = (root / "contracts/alerts.yaml").read_text().replace("alert: HighLatency", "alert: Untried")
    (tmp_path / "alerts.yaml").write_text(content)
    for name in ("records.yaml", "alerts.tests.yaml"):
        (tmp_path / name).write_text((root / "contracts" / name).read_text())
    checked = rules.read([tmp_path / "records.yaml", tmp_path / "alerts.yaml"], tmp_path / "services.yaml", tmp_path)
    covered, wrong = rules.check_coverage(checked, [tmp_path / "alerts.yaml"], tmp_path)
    assert [one.rule.name for one in covered if not one.is_complete] == ["Untried"]
    assert any("Untried" in line and "coverage/firing" in line for line in wrong)
    assert any("coverage/unknown-alert" in line for line in wrong)


def test_a_test_that_fails_has_file_and_line(root: Path, tmp_path: Path) -> None:
    for name in ("records.yaml", "alerts.yaml", "alerts.tests.yaml"):
        (tmp_path / name).write_text((root / "contracts" / name).read_text().replace("> 60", "> 61"))
    (wrong,) = rules.promtool([tmp_path / "alerts.yaml"], tmp_path)
    line = (tmp_path / "alerts.tests.yaml").read_text().splitlines().index(
        "  - name: an event waits for 61 seconds"
    ) + 1
    assert wrong.startswith(
        f"alerts.tests.yaml:{line}: an event waits for 61 seconds:\n    alertname: AnalyticsBacklog"
    )


RULE = "groups: [{name: g, rules: [{alert: A, expr: 'a > 1'}]}]"
TESTS = """\
rule_files: [alerts.yaml]
tests:
  - input_series: [{series: a, values: "5x3"}]
    alert_rule_test:
      - {eval_time: 1m, alertname: A}
  - name: the second
    input_series: [{series: a, values: "5x3"}]
    promql_expr_test:
      - {expr: a + 1, eval_time: 1m, exp_samples: [{labels: "{}", value: 5}]}
"""


@pytest.mark.parametrize(
    ("rule", "tests", "told"),
    [
        (RULE, TESTS, [("tests", "5", "a case"), ("tests", "9", "a + 1")]),
        (RULE, TESTS.replace("alertname: A}", "alertname: A, exp_alerts: [{}]}"), [("tests", "9", "a + 1")]),
        (RULE, TESTS.replace("a + 1", "a +"), [("tests", "5", "a case"), ("tests", "9", "err: ")]),
        (
            RULE,
            TESTS.replace("- input_series", "- name: the first\n    input_series", 1),
            [("tests", "3", "the first:\n    alertname: A"), ("tests", "10", "a + 1")],
        ),
        (RULE, TESTS.replace("eval_time", "evaltime", 1), [("tests", "5", "field evaltime not found")]),
        (RULE, TESTS.replace("tests:", "tests: ["), [("tests", "2", "did not find expected")]),
        ("groups: [{name: g, rules: [{alert: A, expr: 'a >'}]}]", "tests: []", [("alerts", "1:45", "parse error")]),
        ("groups:\n  - name: g\n    rules: [{alert: A, expr: a, for: 1x}]", "tests: []",
         [("alerts", "3", 'unknown unit "x" in duration "1x"')]),
    ],
)  # fmt: skip
def test_what_promtool_says_has_file_and_line(
    tmp_path: Path, rule: str, tests: str, told: list[tuple[str, str, str]]
) -> None:
    (tmp_path / "alerts.yaml").write_text(rule)
    (tmp_path / "alerts.tests.yaml").write_text(tests)
    wrong = list(rules.promtool([tmp_path / "alerts.yaml"], tmp_path))
    names = {"alerts": "alerts.yaml", "tests": "alerts.tests.yaml"}
    found = [re.match(r"(\S+?):(\d+(?::\d+)?): (.*)", line) for line in wrong]
    assert [one and (one[1], one[2]) for one in found] == [(names[file], line) for file, line, _what in told]
    for line, (_file, _line, what) in zip(wrong, told, strict=True):
        assert what in line
