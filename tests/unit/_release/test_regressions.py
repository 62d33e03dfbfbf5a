# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._release.regressions import new_errors


def error(object_: str, message: str = "down", **more: str) -> dict[str, Any]:
    return {"id": "targets/down", "severity": "error", "object": object_, "message": message, **more}


def proof(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"findings": list(findings), "msg": "targets: 1 error"}


def test_an_error_that_was_there_before_is_not_the_upgrades() -> None:
    before = [proof(error("loki", "down for 10 s"))]
    after = [proof(error("loki", "down for 90 s"), error("tempo", "down", hint="Look at its log"))]
    assert new_errors(before, after) == ["tempo: down (Look at its log)"]


def test_a_warning_is_no_reason_to_go_back() -> None:
    assert new_errors([proof()], [proof(error("loki", severity="warning"))]) == []


def test_a_proof_that_could_not_look_is_an_error_unless_it_could_not_before() -> None:
    blind = {"msg": "no ready pod stands behind service loki", "changed": False}
    fine = {"workloads": ["StatefulSet ias-system/loki"], "changed": False}
    assert new_errors([fine, proof()], [fine, blind]) == [blind["msg"]]
    assert new_errors([fine, blind], [fine, {**blind, "msg": "refused"}]) == []
    assert new_errors([blind, proof()], [fine, blind]) == [blind["msg"]]


def test_a_long_list_is_cut() -> None:
    after = [proof(*(error(f"pod-{number}") for number in range(12)))]
    lines = new_errors([proof()], after)
    assert (len(lines), lines[-1]) == (11, "and 2 more")
