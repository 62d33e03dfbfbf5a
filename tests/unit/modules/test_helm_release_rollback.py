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

from ansible_collections.ias.observability.plugins.modules import helm_release_rollback
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube
from tests.unit.modules.releases import record, store

Run = Callable[..., dict[str, Any]]
OLD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\ndata: {port: '3100'}\n"
NEW = OLD.replace("3100", "3200")


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    fake = FakeHelm(tmp_path)
    fake.answer("rollback", "Rollback was a success! Happy Helming!")
    return fake


@pytest.fixture
def run(kube: FakeKube, helm: FakeHelm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "helm_binary": str(helm.binary),
            "name": "demo",
            "namespace": "ias-system",
            "revision": 2,
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            helm_release_rollback.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def test_helm_goes_back_without_the_chart(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(2, "superseded", OLD))
    store(kube, record(3, "deployed", NEW))
    result = run(_ansible_diff=True)
    assert result["changed"] is True
    assert "3100" in result["diff"]["after"]
    assert "3200" in result["diff"]["before"]
    (call,) = helm.calls()
    assert call["arguments"] == [
        *(
            "rollback",
            "demo",
            "2",
            "--namespace",
            "ias-system",
            "--server-side=true",
            "--force-conflicts",
            "--timeout",
            "300s",
        )
    ]


def test_an_upgrade_that_failed_is_gone_back_from_although_it_changed_nothing(
    kube: FakeKube, helm: FakeHelm, run: Run
) -> None:
    """Its record says what was to be; Helm may have done a part of that."""
    store(kube, record(2, "deployed", OLD))
    store(kube, record(3, "failed", OLD))
    assert run()["changed"] is True
    assert len(helm.calls()) == 1


def test_what_was_gone_back_to_already_stays(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(2, "superseded", OLD))
    store(kube, record(3, "superseded", NEW))
    store(kube, record(4, "deployed", OLD))
    result = run()
    assert (result["changed"], result["release"]["revision"], helm.calls()) == (False, 4, [])


@pytest.mark.parametrize("difference", [{"values": {"a": 2}}, {"chart_version": "1.0.1"}])
def test_values_and_chart_are_part_of_a_revision(
    kube: FakeKube, helm: FakeHelm, run: Run, difference: dict[str, Any]
) -> None:
    store(kube, record(2, "superseded", OLD))
    store(kube, record(3, "deployed", OLD, **difference))
    assert run()["changed"] is True
    assert len(helm.calls()) == 1


def test_check_mode_runs_nothing(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(2, "superseded", OLD))
    store(kube, record(3, "deployed", NEW))
    assert run(_ansible_check_mode=True)["changed"] is True
    assert helm.calls() == []


def test_a_revision_that_helm_does_not_keep(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(3, "deployed", NEW))
    result = run()
    assert result["failed"] is True
    assert result["msg"] == "release demo: there is no revision 2 to go back to. Helm keeps these: 3"
    assert helm.calls() == []


def test_an_error_shows_no_value_of_the_release(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(2, "superseded", OLD, values={"password": "hunter2-x"}))
    store(kube, record(3, "deployed", NEW))
    helm.answer("rollback", error='Secret "demo" is invalid: data.password: "hunter2-x"')
    result = run(_ansible_verbosity=4, _ansible_inject_invocation=True)
    assert "helm rollback demo 2 failed" in result["msg"]
    assert "hunter2" not in json.dumps(result)
