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

from ansible_collections.ias.observability.plugins.module_utils._release import crds
from ansible_collections.ias.observability.plugins.modules import helm_chart_crds
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube

TEXT = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
spec:
  versions:
    - name: v1
      schema:
        enum: [=, "!="]
"""
NAME = "things.example.com"
PATH = f"{crds.PATH}/{NAME}"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.serves.add(crds.PATH)
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    fake = FakeHelm(tmp_path)
    fake.answer("show crds", f"{TEXT}---\n# nothing\n---\nkind: ConfigMap\n")
    return fake


@pytest.fixture
def run(kube: FakeKube, helm: FakeHelm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "helm_binary": str(helm.binary),
            "chart_ref": "/charts/demo",
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            helm_chart_crds.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


@pytest.fixture
def served(kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The API serves a definition as soon as somebody waits for it; returns the waits."""
    waits: list[float] = []

    def establish(seconds: float) -> None:
        waits.append(seconds)
        kube.objects[PATH]["status"] = {"conditions": [{"type": "Established", "status": "True"}]}

    monkeypatch.setattr(
        crds.wait_established, "__kwdefaults__", dict(crds.wait_established.__kwdefaults__ or {}, sleep=establish)
    )
    return waits


def test_creates_then_leaves_alone_then_updates(kube: FakeKube, helm: FakeHelm, run: Run, served: list[float]) -> None:
    first = run()
    assert (first["changed"], first["crds"]) == (True, [{"name": NAME, "action": "created"}])
    assert served
    assert kube.objects[PATH]["spec"]["versions"][0]["schema"]["enum"] == ["=", "!="]
    assert kube.writes()[0].query == {"fieldManager": "ias.observability", "force": "true"}
    kube.requests.clear()
    second = run()
    assert [request.path for request in kube.requests] == [PATH]
    assert (second["changed"], second["crds"]) == (False, [{"name": NAME, "action": "none"}])
    assert second["diff"] == {"before": "", "after": ""}
    helm.answer("show crds", TEXT.replace('"!="', '"!=", "~"'))
    third = run()
    assert (third["changed"], third["crds"]) == (True, [{"name": NAME, "action": "updated"}])
    assert third["diff"] == {"before": f"{NAME}: older\n", "after": f"{NAME}: the chart's\n"}


def test_what_a_killed_run_has_left_unserved_is_waited_for(kube: FakeKube, run: Run, served: list[float]) -> None:
    run()
    kube.objects[PATH]["status"] = {}
    served.clear()
    assert run()["crds"] == [{"name": NAME, "action": "none"}]
    assert served


def test_check_mode_writes_nothing(kube: FakeKube, run: Run) -> None:
    result = run(_ansible_check_mode=True)
    assert (result["changed"], result["crds"][0]["action"]) == (True, "created")
    assert kube.objects == {}
    assert kube.writes() == []


def test_a_definition_that_is_never_served(kube: FakeKube, run: Run) -> None:
    assert run(timeout=0)["msg"] == (
        f"definitions of chart /charts/demo: the API does not serve {NAME} after 0 s. See: kubectl describe crd"
    )


def test_a_chart_that_is_not_there(helm: FakeHelm, run: Run) -> None:
    helm.answer("show crds", error="path /charts/demo not found")
    assert run()["msg"] == "definitions of chart /charts/demo: helm show crds failed: path /charts/demo not found"
