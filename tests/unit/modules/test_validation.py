# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all validators have in common: when they fail, and the files that they write for CI systems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import (
    alert_rules_validate,
    dashboards_validate,
    helm_values_validate,
)
from tests.fakes.module import run_module


@pytest.fixture
def wrong(root: Path) -> str:
    """Three alerts with a warning each."""
    return str(root / "tests" / "fakes" / "wrong_alerts")


def validate(paths: str | list[str], **options: Any) -> dict[str, Any]:
    return run_module(alert_rules_validate, paths=paths, promtool=[], return_rules=False, **options)


@pytest.mark.parametrize(("fail_on", "failed"), [("error", False), ("warning", True), ("info", True)])
def test_it_fails_for_what_is_severe_enough(wrong: str, fail_on: str, *, failed: bool) -> None:
    result = validate(wrong, fail_on=fail_on)
    assert (result["summary"]["error"], result["summary"]["warning"]) == (0, 3)
    assert result.get("failed", False) is failed
    if failed:
        assert result["msg"].startswith("The rules are not fit for use: 3 warnings\nwarning: ")


def test_what_is_waived_fails_nothing_and_is_not_written(wrong: str, tmp_path: Path) -> None:
    waivers, junit = tmp_path / "waivers.yaml", tmp_path / "junit.xml"
    waivers.write_text("waivers: [{id: 'rules/*', reason: as an example, until: 2999-01-01}]")
    result = validate(wrong, fail_on="info", waivers=str(waivers), outputs={"junit": str(junit)})
    assert "failed" not in result
    assert len(result["waived"]) == 3
    assert "no findings" in junit.read_text()


def test_the_findings_are_written_also_when_it_fails(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(wrong).parent)
    outputs = {name: str(tmp_path / "reports" / name) for name in ("sarif", "junit", "github")}
    result = validate(wrong, fail_on="warning", outputs=outputs)
    assert (result["failed"], result["changed"]) == (True, True)
    assert Path(outputs["github"]).read_text().count("::warning file=wrong_alerts/alerts.yaml,line=") == 3
    assert '<testsuite name="ias.observability.validate" tests="3" failures="3"' in Path(outputs["junit"]).read_text()
    assert len(json.loads(Path(outputs["sarif"]).read_text())["runs"][0]["results"]) == 3
    assert validate(wrong, fail_on="warning", outputs=outputs)["changed"] is False


def test_check_mode_writes_nothing(wrong: str, tmp_path: Path) -> None:
    result = validate(wrong, outputs={"sarif": str(tmp_path / "found.sarif")}, check=True)
    assert result["changed"] is True
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(wrong: str, tmp_path: Path) -> None:
    result = validate(wrong, outputs={"sarif": str(tmp_path)})
    assert result["failed"] is True
    assert result["msg"] == f"outputs.sarif: {tmp_path} cannot be written: Is a directory"


def test_a_secret_of_a_url_is_not_written(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    expr = 'up{instance="https://user:hunter2@example.org"} ) '
    rules.write_text(f"groups: [{{name: g, rules: [{{alert: 'https://u:hunter2@example.org', expr: '{expr}'}}]}}]")
    outputs = {name: str(tmp_path / name) for name in ("sarif", "junit", "github")}
    assert validate(str(rules), outputs=outputs)["failed"] is True
    for path in outputs.values():
        assert "***@example.org" in Path(path).read_text()
        assert "hunter2" not in Path(path).read_text()


def test_dashboards_and_values_do_likewise(tmp_path: Path) -> None:
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("{name: api, version: 1.2.3}")
    dashboard = {"uid": "a", "title": "A", "panels": [{"type": "graph", "id": 1}]}
    for module, options in (
        (dashboards_validate, {"dashboards": [dashboard]}),
        (helm_values_validate, {"chart_ref": str(tmp_path / "chart"), "values": {"auth": {"password": "hunter2"}}}),
    ):
        output = tmp_path / "found.sarif"
        result = run_module(module, fail_on="info", outputs={"sarif": str(output)}, **options)
        assert result["failed"] is True
        found = json.loads(output.read_text())["runs"][0]["results"]
        assert [one["ruleId"] for one in found] == [one["id"] for one in result["findings"]]
        assert "hunter2" not in output.read_text()
