# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that answers with other JSON than its own is one message, whatever the JSON is."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.hostile import hostile_server, json_of
from tests.fakes.module import run_module
from tests.unit.modules.proofs import PROOFS

ODD: list[Any] = [
    None,
    [],
    {},
    5,
    "text",
    [None],
    [[]],
    [5],
    [{}],
    {"status": "success"},
    {"status": "success", "data": None},
    {"status": "success", "data": 5},
    {"status": "success", "data": []},
    {"status": "success", "data": {}},
    {"status": "success", "data": {"result": None, "groups": 5, "activeTargets": "x", "activeAlertmanagers": {}}},
    {"data": {"result": [5], "groups": [{}], "activeTargets": [5], "activeAlertmanagers": [5]}},
    {"data": {"result": [{"metric": 5, "value": []}], "groups": [{"name": [], "rules": 5}], "activeTargets": [[]]}},
    {"data": {"result": [{"metric": {"a": 5}, "value": [0, "x"]}], "activeTargets": [{"labels": 5}]}},
    {"data": {"activeTargets": [{"labels": {"job": ["x"]}, "scrapeUrl": {}}]}},
    {"traces": 5, "batches": 5},
    {"traces": [5]},
    {"traces": [{"traceID": "../../secrets"}]},
    {"traces": [{"traceID": "ab"}], "batches": [5]},
    {"traces": [{"traceID": "ab"}], "batches": [{"resource": {"attributes": [{"key": "service.name", "value": 5}]}}]},
    [{"name": 5, "receivers": 5, "status": 5}],
    [{"name": "x", "receivers": [5], "status": {"state": 5}}],
    [{"uid": "x", "name": "x", "type": "loki"}],
    [{"uid": ["x"], "name": {}, "type": 5, "jsonData": 5}],
    [{"uid": "x", "title": "IAS Platform", "folderUid": []}],
    {"results": {"A": {"frames": [{"schema": 5, "data": {"values": 5}}]}}},
]


@pytest.mark.parametrize("answer", ODD, ids=lambda answer: json.dumps(answer)[:60])
@pytest.mark.parametrize("module", PROOFS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_odd_answer(module: ModuleType, answer: Any) -> None:
    services, options = PROOFS[module]
    with hostile_server(json_of(json.dumps(answer).encode())) as url:
        result = run_module(module, timeout=0, **options, **{service: {"url": url} for service in services})
    assert "exception" not in result
    for finding in result["findings"] if result.get("failed") else []:
        assert finding["message"]
