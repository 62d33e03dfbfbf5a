# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module against a fake API and a fake helm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.modules import helm_release_apply
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube
from tests.unit.modules.releases import record, store

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    fake = FakeHelm(tmp_path)
    fake.answer("upgrade", "Release demo has been upgraded.")
    return fake


@pytest.fixture
def run(kube: FakeKube, helm: FakeHelm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "helm_binary": str(helm.binary),
            "name": "demo",
            "namespace": "ias-system",
            "chart_ref": "oci://registry.example/demo",
            "chart_version": "1.0.0",
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            helm_release_apply.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def test_runs_helm_once_with_the_values_on_its_standard_input(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(3, "deployed"))
    values = {"time": "17:00", "count": "1e6", "y": "y"}
    result = run(values=values)
    assert result["changed"] is True
    assert result["release"]["revision"] == 3
    (call,) = helm.calls()
    assert call["arguments"] == [
        *("upgrade", "demo", "oci://registry.example/demo", "--version", "1.0.0", "--namespace", "ias-system"),
        *(
            "--values",
            "-",
            "--install",
            "--create-namespace",
            "--reset-values",
            "--skip-crds",
            "--server-side=true",
            "--force-conflicts",
        ),
        *("--timeout", "300s"),
    ]
    assert call["files"]["--values"] == values
    assert call["files"]["KUBECONFIG"]["links"] == 0


def test_check_mode_runs_nothing(helm: FakeHelm, run: Run) -> None:
    assert run(_ansible_check_mode=True)["changed"] is True
    assert helm.calls() == []


def test_an_error_shows_no_value(helm: FakeHelm, run: Run) -> None:
    helm.answer("upgrade", error="at '/password': 'hunter2-x' does not match pattern '^x'")
    result = run(values={"password": "hunter2-x"}, _ansible_inject_invocation=True, _ansible_verbosity=4)
    assert result["msg"] == (
        "release demo: helm upgrade demo oci://registry.example/demo failed: "
        "at '/password': '***' does not match pattern '^x'"
    )
    assert "hunter2" not in json.dumps(result)
