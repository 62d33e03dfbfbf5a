# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for each module, started as Ansible starts it: as a program."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.module_utils._kube import client
from ansible_collections.ias.observability.plugins.modules import (
    alert_rules_coverage,
    alert_rules_validate,
    cluster_health_verify,
    dashboards_validate,
    helm_values_validate,
    pod_logs_verify,
)
from tests.fakes.module import run_module

MODULES = sorted(path.stem for path in Path(client.__file__).parents[2].joinpath("modules").glob("*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_a_wrong_call_is_one_message(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full_name = f"ansible_collections.ias.observability.plugins.modules.{name}"
    monkeypatch.delitem(sys.modules, full_name, raising=False)
    with patch_module_args({"colour": "green"}), pytest.raises(SystemExit) as ended:
        runpy.run_module(full_name, run_name="__main__")
    assert ended.value.code == 1
    result = json.loads(capsys.readouterr().out)
    assert result["failed"] is True
    assert "colour" in result["msg"] or "required" in result["msg"]
    assert "\n" not in result["msg"]


@pytest.mark.parametrize(
    ("module", "args"),
    [
        (alert_rules_coverage, {"paths": []}),
        (alert_rules_validate, {"paths": []}),
        (dashboards_validate, {"paths": []}),
        (helm_values_validate, {"chart_ref": "x", "values": {}}),
    ],
)
def test_without_pyyaml(module: ModuleType, args: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HAS_YAML", False)
    result = run_module(module, **args)
    assert result["failed"] is True
    assert "PyYAML" in result["msg"]


@pytest.mark.parametrize(
    ("module", "args"), [(cluster_health_verify, {"namespace": "ias-system"}), (pod_logs_verify, {})]
)
def test_without_the_library_of_kubernetes(
    module: ModuleType, args: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MISSING", "kubernetes")
    result = run_module(module, **args)
    assert result["failed"] is True
    assert "the Python library kubernetes is missing" in result["msg"]
    assert "Install kubernetes >= 24.2" in result["msg"]
