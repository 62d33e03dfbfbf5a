# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.modules import findings_report
from tests.fakes.module import run_module

WARNING = Finding("rules/x", "warning", "not so good", "make it better", "/src/a.yaml", 3, 4, "g/A").as_dict()
INFO = Finding("rules/y", "info", "could be better", file="/src/a.yaml", line=5).as_dict()


def report(*results: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run_module(findings_report, results=list(results), root="/src", **options)


def test_findings_of_all_results_are_one_list_each_once() -> None:
    looped = {"results": [{"findings": [WARNING]}, {"findings": [INFO]}], "skipped": False}
    result = report({"findings": [WARNING]}, looped, {"skipped": True})
    assert [(one["id"], one["file"], one["line"], one["column"]) for one in result["findings"]] == [
        ("rules/x", "a.yaml", 3, 4),
        ("rules/y", "a.yaml", 5, 0),
    ]
    assert result["summary"] == {"error": 0, "warning": 1, "info": 1}
    assert result["lines"] == ["findings: 1 warning, 1 info"]


def test_what_makes_it_fail_is_shown() -> None:
    result = report({"findings": [INFO, WARNING]}, fail_on="warning")
    assert result["failed"] is True
    assert result["msg"].startswith("The files are not fit for use: 1 warning, 1 info\nwarning: a.yaml:3:4 g/A: not so")
    assert result["lines"] == [
        "* warning: a.yaml:3:4 g/A: not so good (make it better) [rules/x]",
        "findings: 1 warning, 1 info",
    ]


def test_not_more_is_shown_than_a_screen_holds() -> None:
    many = [{**WARNING, "line": line} for line in range(1, 31)]
    lines = report({"findings": many}, fail_on="warning", shown=2)["lines"]
    assert lines[2:] == ["... and 28 more", "findings: 30 warnings"]


def test_a_validator_that_did_not_run_is_an_error() -> None:
    for broken, message in (({"msg": "no chart"}, "no chart"), ({}, "a validator ended without a result")):
        result = report(broken)
        assert result["failed"] is True
        assert [(one["id"], one["message"]) for one in result["findings"]] == [("validate/not-run", message)]


def test_waivers_are_of_all_and_name_files_as_the_findings_do(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    reason = "reason: as an example, until: 2999-01-01"
    waivers.write_text(
        f"waivers:\n- {{id: rules/x, file: a.yaml, {reason}}}\n- {{id: rules/z, {reason}}}\n", encoding="utf-8"
    )
    result = run_module(
        findings_report,
        results=[{"findings": [{**WARNING, "file": f"{tmp_path}/a.yaml"}]}],
        root=str(tmp_path),
        waivers=str(waivers),
        fail_on="warning",
    )
    assert [one["id"] for one in result["waived"]] == ["rules/x"]
    assert [(one["id"], one["file"]) for one in result["findings"]] == [("waivers/unused", "waivers.yaml")]
