# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong rules are found where a reader must act (warning or error), right ones beside them are left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check
from ansible_collections.ias.observability.plugins.module_utils._sources import Source

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "golden" / "wrong_and_right.yaml").read_text("utf-8"))


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(pair["id"], case, id=f"{pair['id']}-{number}")
        for pair in TABLE["pairs"]
        for number, case in enumerate(pair[kind])
    ]


def found(case: Any, identity: str) -> list[str]:
    """The severities of the findings with this id; the rules must load."""
    rules = [
        {"alert": "A", "for": "5m", "expr": rule} if isinstance(rule, str) else rule
        for rule in (case if isinstance(case, list) else [case])
    ]
    text = json.dumps({"groups": [{"name": "g", "rules": rules}]})
    contract = Source("services.yaml", json.dumps(TABLE["contract"]))
    findings = check([Source("rules.yaml", text)], Profile(), contract=contract).findings
    assert [str(one) for one in findings if one.id.startswith(("load/", "contract/file"))] == []
    return [one.severity for one in findings if one.id == identity]


@pytest.mark.parametrize(("identity", "case"), cases("wrong"))
def test_finds_what_is_wrong(identity: str, case: Any) -> None:
    assert set(found(case, identity)) & {"warning", "error"}


@pytest.mark.parametrize(("identity", "case"), cases("right"))
def test_leaves_alone_what_is_right(identity: str, case: Any) -> None:
    assert found(case, identity) == []
