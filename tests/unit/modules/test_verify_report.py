# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from ansible_collections.ias.observability.plugins.module_utils._report.proofs import facts_of, read_proof
from ansible_collections.ias.observability.plugins.module_utils._report.text import table
from ansible_collections.ias.observability.plugins.modules import verify_report
from tests.fakes.module import run_module

GOOD = {"findings": [], "summary": {"checked": 24, "passed": 24}, "seconds": 2.1, "jobs": {"a": {}, "b": {}}}
BAD = {
    "findings": [
        {"severity": "error", "object": "web", "message": "down & out", "hint": "Look <there>"},
        {"severity": "info", "object": "", "message": "nothing", "hint": ""},
    ],
    "summary": {"checked": 3, "passed": 2},
}
CRASHED = {"msg": "MODULE FAILURE", "rc": 1}


def proofs() -> list[dict[str, Any]]:
    return [
        {"name": "targets", "title": "Targets are up", "result": GOOD},
        {"name": "logs", "title": "Logs", "result": BAD},
        {"name": "traces", "title": "Traces", "result": CRASHED},
    ]


def test_the_table_shows_every_proof_and_every_error() -> None:
    assert table([read_proof(**proof) for proof in proofs()]) == [
        "        PROOF           PASSED  SECONDS",
        "ok      Targets are up  24/24   2.1",
        "FAILED  Logs            2/3",
        "FAILED  Traces          0/0",
        "Targets are up: 2 jobs",
        "Logs FAILED:",
        "* web: down & out (Look <there>)",
        "Traces FAILED:",
        "* MODULE FAILURE",
    ]


def test_lines_are_short_and_lose_nothing() -> None:
    long = {**GOOD, "silent": [f"kube-system/kube-proxy-{number}/kube-proxy" for number in range(9)]}
    lines = table([read_proof("logs", "Logs", long)])
    assert max(map(len, lines)) <= 72
    assert all(name in " ".join(lines) for name in long["silent"])


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({}, ""),
        (
            {"all_nodes": {"written": 3078, "read": 3078, "twice": 0, "p50": 1.8, "p95": 1.9, "max": 5.6}},
            "3078 lines written, 3078 read, seconds until then: p50 1.8, p95 1.9, max 5.6",
        ),
        (
            {"outage_budget": {"seconds": 90, "container": "web/shop-1/app"}},
            "Loki may be away for 90 s before lines of web/shop-1/app are lost",
        ),
        ({"jobs": ["a", "b"], "silent": ["c", "d"]}, "2 jobs; wrote nothing: c, d"),
        ({"trace": {"id": "1f", "spans": ["web", "api"]}}, "trace 1f through api, web"),
        ({"trace": {"id": ""}}, ""),
        (
            {"panels": 9, "dashboards": 2, "may_be_empty": [{"panel": "D/a"}, {"panel": "D/b"}]},
            "9 panels on 2 dashboards; may be empty: D/a, D/b",
        ),
        ({"loaded": 40}, "40 rules loaded in all"),
    ],
)
def test_what_a_proof_tells_beside_its_numbers(result: dict[str, Any], told: str) -> None:
    assert facts_of(result) == told


def test_the_files(tmp_path: Path) -> None:
    dest = tmp_path / "reports"
    result = run_module(verify_report, proofs=proofs(), dest=str(dest))
    assert result["failed_proofs"] == ["Logs", "Traces"]
    assert (dest / "verify.txt").read_text().splitlines() == result["lines"]
    suite = Xml.parse(dest / "verify.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert [case.get("time") for case in suite] == ["2.1", "0.0", "0.0"]
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["logs", "traces"]
    assert "down & out" in (suite[1].findtext("failure") or "")
    assert run_module(verify_report, proofs=proofs(), dest=str(dest))["changed"] is False
    assert {path.name for path in dest.iterdir()} == {
        *("verify.txt", "verify.xml", "report.html", "report.json", "ctrf-report.json"),
    }


def test_a_second_run_keeps_the_first_in_its_history(tmp_path: Path) -> None:
    for day in (1, 2):
        run_module(verify_report, proofs=proofs(), dest=str(tmp_path), started=f"2026-03-0{day}T02:00:00+00:00")
    history = json.loads((tmp_path / "report.json").read_text())["history"]
    assert [(past["started"][:10], past["seconds"]) for past in history] == [("2026-03-01", 2.1), ("2026-03-02", 2.1)]


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    result = run_module(verify_report, check=True, proofs=proofs(), dest=str(tmp_path / "reports"))
    assert result["changed"] is True
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run_module(verify_report, proofs=proofs(), dest=str(tmp_path / "file"))
    assert "The report cannot be written" in result["msg"]


def test_a_proof_that_was_not_run_is_not_passed() -> None:
    assert not read_proof("x", "X", {"skipped": True}).ok


HOSTILE = {
    "findings": [
        {"severity": "error", "object": "api\x1b[2J", "message": "http://me:pw@web/?token=t0ken \u202e", "hint": "\x00"}
    ],
    "summary": {"checked": 1, "passed": 0},
    "silent": ["\x1b]0;title\x07", "name-\x9b"],
}


def test_texts_of_services_are_written_so_that_they_can_be_read(tmp_path: Path) -> None:
    result = run_module(
        verify_report, proofs=[{"name": "x", "title": "X", "result": HOSTILE}], dest=str(tmp_path / "reports")
    )
    assert result["failed_proofs"] == ["X"]
    Xml.parse(tmp_path / "reports" / "verify.xml")
    for path in (tmp_path / "reports").iterdir():
        text = path.read_text("utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), path
        assert "pw@" not in text, path
        assert "t0ken" not in text, path


def test_a_failure_without_a_finding_is_not_passed(tmp_path: Path) -> None:
    failed = {"failed": True, "findings": [], "summary": {"checked": 3, "passed": 3}}
    result = run_module(verify_report, proofs=[{"name": "x", "title": "X", "result": failed}])
    assert result["failed_proofs"] == ["X"]
