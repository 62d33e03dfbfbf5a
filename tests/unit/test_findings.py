# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.ias.observability.plugins.module_utils._findings import (
    Finding,
    failed,
    failure_message,
    summary,
)

WARNING = Finding("rules/missing-for", "warning", "no for", file="a.yaml", line=3, column=7, object="HighLatency")
ERROR = Finding("load/syntax", "error", "unexpected end", "close the bracket", file="a.yaml", line=9)


def test_only_errors_fail() -> None:
    assert not failed([WARNING])
    assert failed([WARNING, ERROR])


def test_the_summary_names_every_severity() -> None:
    assert summary([WARNING, WARNING]) == {"error": 0, "warning": 2, "info": 0}


def test_the_message_lists_all_errors_first() -> None:
    assert failure_message("a.yaml is not valid", [WARNING, ERROR]).splitlines() == [
        "a.yaml is not valid: 1 error, 1 warning",
        "error: a.yaml:9: unexpected end (close the bracket) [load/syntax]",
        "warning: a.yaml:3:7 HighLatency: no for [rules/missing-for]",
    ]


def test_evidence_is_told_where_there_is_some() -> None:
    assert "evidence" not in Finding("x/y", "info", "m").as_dict()


def test_a_finding_becomes_plain_data() -> None:
    assert Finding("x/y", "info", "m", evidence={"n": 1}).as_dict() == {
        "id": "x/y",
        "severity": "info",
        "message": "m",
        "hint": "",
        "file": "",
        "line": 0,
        "column": 0,
        "object": "",
        "evidence": {"n": 1},
    }
