# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for each module, started as Ansible starts it: as a program."""

from __future__ import annotations

import ast
import json
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.doc_fragments import _kubernetes
from ansible_collections.ias.observability.plugins.module_utils._kube import client
from ansible_collections.ias.observability.plugins.module_utils._kube.arguments import AUTH_ARGS
from ansible_collections.ias.observability.plugins.modules import (
    alert_rules_coverage,
    alert_rules_validate,
    cluster_health_verify,
    dashboards_validate,
    findings_report,
    helm_values_validate,
    pod_logs_verify,
    validation_files_info,
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


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("part", ["DOCUMENTATION", "EXAMPLES", "RETURN"])
def test_its_reference_is_yaml(root: Path, name: str, part: str) -> None:
    tree = ast.parse(read_module(root, name))
    texts = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]
    assert yaml.load(ast.literal_eval(texts[part]), Loader=yaml.CSafeLoader)


@pytest.mark.parametrize(
    ("module", "args"),
    [
        (alert_rules_coverage, {"paths": []}),
        (alert_rules_validate, {"paths": []}),
        (dashboards_validate, {"paths": []}),
        (findings_report, {"results": []}),
        (helm_values_validate, {"chart_ref": "x", "values": {}}),
        (validation_files_info, {"src": "."}),
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


def test_the_action_group_has_every_module_that_takes_a_kubeconfig(root: Path) -> None:
    """`module_defaults: group/ias.observability.kubernetes` must reach all of them."""
    takes = [name for name in MODULES if "ias.observability._kubernetes" in read_module(root, name)]
    runtime = yaml.safe_load((root / "meta" / "runtime.yml").read_text("utf-8"))
    assert runtime["action_groups"]["kubernetes"] == takes


def test_the_documented_options_are_those_that_modules_of_kubernetes_core_take() -> None:
    documented = yaml.safe_load(_kubernetes.ModuleDocFragment.DOCUMENTATION)["options"]
    assert documented.keys() == AUTH_ARGS.keys()
    for name, option in AUTH_ARGS.items():
        assert documented[name]["type"] == option.get("type", "str"), name
        assert documented[name].get("aliases", []) == list(option.get("aliases", [])), name


def read_module(root: Path, name: str) -> str:
    return (root / "plugins" / "modules" / f"{name}.py").read_text("utf-8")
