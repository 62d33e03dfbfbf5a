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

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, KubeError, connect
from ansible_collections.ias.observability.plugins.module_utils._release import history
from ansible_collections.ias.observability.plugins.modules import helm_release_plan
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube
from tests.unit.modules.releases import record, store

OLD = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: old\n"
NEW = OLD.replace("old", "new")
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  same: c2FtZQ==\n  key: {}\n"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    fake = FakeHelm(tmp_path)
    fake.answer("template", OLD)
    fake.answer("upgrade", {**record(2, "pending-upgrade", OLD)})
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
            "values": {"a": 1},
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            helm_release_plan.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def cluster(kube: FakeKube) -> Cluster:
    return Cluster(connect({"kubeconfig": kube.kubeconfig()}))


def test_a_release_that_is_not_there_is_installed(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    result = run()
    assert result["action"] == "install"
    assert result["changed"] is False
    assert result["release"]["revision"] == 0
    assert "a: old" in result["diff"]["after"]
    assert result["diff"]["before"] == ""
    assert helm.calls()[0]["arguments"][:2] == ["template", "demo"]
    assert kube.writes() == []


def test_nothing_to_do(kube: FakeKube, run: Run) -> None:
    store(kube, record(1, "superseded", NEW))
    store(kube, record(2, "deployed", OLD))
    result = run()
    assert (result["action"], result["reasons"], result["changed"]) == ("none", [], False)
    assert "diff" not in result
    assert result["release"] == {
        "name": "demo",
        "namespace": "ias-system",
        "revision": 2,
        "status": "deployed",
        "chart": "demo-1.0.0",
        "app_version": "9",
    }


def test_the_order_of_objects_and_keys_does_not_matter(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    two = OLD.replace("one", "two")
    store(kube, record(1, "deployed", OLD + two))
    helm.answer("upgrade", record(2, "pending-upgrade", two + OLD))
    assert run()["action"] == "none"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"chart_version": "1.1.0"}, "the chart changes from demo-1.0.0 to demo-1.1.0"),
        ({"manifest": NEW}, "the rendered objects differ"),
    ],
)
def test_what_makes_an_upgrade(kube: FakeKube, helm: FakeHelm, run: Run, change: dict[str, str], reason: str) -> None:
    store(kube, record(1, "deployed", OLD))
    helm.answer("upgrade", record(2, "pending-upgrade", **{"manifest": OLD, **change}))
    result = run()
    assert (result["action"], result["reasons"]) == ("upgrade", [reason])


@pytest.mark.parametrize("check", [False, True])
def test_the_apis_schemas_are_asked_only_where_nobody_else_will(
    kube: FakeKube, helm: FakeHelm, run: Run, *, check: bool
) -> None:
    """They are most of Helm's work, and Helm's own run asks them."""
    store(kube, record(1, "deployed", OLD))
    assert run(_ansible_check_mode=check)["action"] == "none"
    helm.answer("upgrade", record(2, "pending-upgrade", NEW))
    assert run(_ansible_check_mode=check)["action"] == "upgrade"
    asked = ["--disable-openapi-validation" not in call["arguments"] for call in helm.calls()]
    assert asked == [False, False, *([True] if check else [])]
    if check:
        helm.answer("upgrade", error="spec.replicas: expected integer")
        assert "expected integer" in run(_ansible_check_mode=True)["msg"]


@pytest.mark.parametrize(("size", "action"), [("1Gi", "none"), ("2Gi", "upgrade")])
def test_a_volume_that_the_chart_looked_up_is_no_change(
    kube: FakeKube, helm: FakeHelm, run: Run, size: str, action: str
) -> None:
    claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {size: 1Gi"
    store(kube, record(1, "deployed", claim + "}\n"))
    live = claim.replace("1Gi", size) + ", volumeName: pvc-1}\n"
    helm.answer("upgrade", record(2, "pending-upgrade", live))
    result = run()
    assert result["action"] == action
    assert "volumeName" not in result.get("diff", {}).get("after", "")


def test_values_that_change_no_object_are_recorded_all_the_same(kube: FakeKube, run: Run) -> None:
    store(kube, record(1, "deployed", OLD))
    assert run(values={"a": 1, "ignored": True})["reasons"] == ["the values differ"]


def test_a_failed_release_is_upgraded_even_to_the_same(kube: FakeKube, run: Run) -> None:
    store(kube, record(1, "failed", OLD))
    assert run()["reasons"] == ["revision 1 is failed"]


def test_an_uninstalled_release_is_installed(kube: FakeKube, run: Run) -> None:
    store(kube, record(1, "uninstalled", OLD))
    assert run()["action"] == "install"
    store(kube, record(2, "uninstalling", OLD))
    assert "is being uninstalled" in run()["msg"]


def test_an_abandoned_revision_is_marked_as_failed(kube: FakeKube, run: Run) -> None:
    store(kube, record(1, "deployed", OLD))
    path = store(kube, record(2, "pending-upgrade", NEW), age=425)
    result = run()
    assert (result["changed"], result["recovered"], result["action"]) == (True, True, "upgrade")
    assert kube.objects[path]["metadata"]["labels"]["status"] == "failed"
    assert history.decode(kube.objects[path]).body["info"]["description"] == "interrupted (pending-upgrade)"
    assert run()["changed"] is False


def test_check_mode_only_says_that_it_would_recover(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(1, "pending-install", NEW), age=425)
    helm.answer("upgrade", error="another operation (install/upgrade/rollback) is in progress")
    result = run(_ansible_check_mode=True)
    assert (result["changed"], result["recovered"], result["action"]) == (True, True, "upgrade")
    assert kube.writes() == []


def test_a_running_operation_is_waited_for(kube: FakeKube, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store(kube, record(1, "pending-install", OLD), age=5)

    def finish(_: float) -> None:
        kube.objects.pop(path)
        store(kube, record(1, "deployed", OLD))

    monkeypatch.setattr(history.settled, "__kwdefaults__", dict(history.settled.__kwdefaults__ or {}, sleep=finish))
    result = run()
    assert (result["recovered"], result["action"]) == (False, "none")


@pytest.mark.parametrize(("skew", "age", "recovered"), [(-3600, 425, True), (3600, 5, False), (-3600, 5, False)])
def test_age_is_counted_by_the_clock_of_the_api_server(
    kube: FakeKube, run: Run, monkeypatch: pytest.MonkeyPatch, *, skew: float, age: float, recovered: bool
) -> None:
    kube.skew = skew
    path = store(kube, record(2, "pending-upgrade", OLD), age=age)

    def finish(_: float) -> None:
        kube.objects.pop(path)
        store(kube, record(2, "deployed", OLD))

    monkeypatch.setattr(history.settled, "__kwdefaults__", dict(history.settled.__kwdefaults__ or {}, sleep=finish))
    assert run()["recovered"] is recovered


def test_a_helm_that_waits_for_a_hook_is_left_alone(kube: FakeKube) -> None:
    """Helm gives a hook five minutes by default."""
    store(kube, record(1, "pending-install", OLD), age=300)
    slept: list[float] = []
    clock = iter(range(0, 2000, 10))
    with pytest.raises(KubeError, match="somebody else deploys it: revision 1 is pending-install"):
        history.settled(
            cluster(kube), "ias-system", "demo", pending_after=420, clock=lambda: next(clock), sleep=slept.append
        )
    assert slept
    assert kube.writes() == []


def test_a_revision_that_changes_meanwhile_is_left_alone(kube: FakeKube, run: Run) -> None:
    path = store(kube, record(1, "pending-install", OLD), age=425)
    kube.failures[f"PATCH {path}"] = [409]
    assert "changed while it was looked at" in run()["msg"]


def test_values_never_show(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(1, "deployed", SECRET.format("b2xkLXNlY3JldA=="), values={"password": "old-secret"}))
    helm.answer("upgrade", record(2, "pending-upgrade", SECRET.format("bmV3LXNlY3JldA==")))
    result = run(values={"password": "new-secret"}, _ansible_inject_invocation=True, _ansible_verbosity=4)
    text = json.dumps(result)
    for secret in ("old-secret", "new-secret", "b2xkLXNlY3JldA==", "bmV3LXNlY3JldA==", "c2FtZQ=="):
        assert secret not in text
    assert "key: (hidden, changed)" in result["diff"]["after"]
    assert "same: (hidden)" in result["diff"]["after"]
    call = helm.calls()[0]
    assert "new-secret" not in json.dumps(call["arguments"])
    assert call["files"]["--values"] == {"password": "new-secret"}
    assert call["files"]["KUBECONFIG"]["links"] == 0  # a file without a name: nothing is left of a killed run


def test_helm_speaks_to_the_same_cluster_as_the_same_user(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    run()
    config = helm.calls()[0]["files"]["KUBECONFIG"]["content"]
    assert config["clusters"][0]["cluster"] == {"server": kube.url}
    assert config["users"][0]["user"] == {"token": kube.token}


def test_a_chart_that_cannot_be_rendered(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(1, "deployed", OLD))
    helm.answer("upgrade", error="template: demo/x.yaml:1: nil pointer")
    message = run()["msg"]
    assert message == (
        "release demo: helm upgrade demo oci://registry.example/demo failed: template: demo/x.yaml:1: nil pointer"
    )
    assert kube.writes() == []


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("hunter2-x", "values don't meet the specifications of the schema: at '/password': 'hunter2-x' does not match"),
        ("hunter2-x", "execution error at (x.yaml:1:3): hunter2-x is no password"),
        ('a "quoted" one', r'at \'/password\': "a \"quoted\" one" is too short'),
        ("two\nlines-of-it", "execution error at (x.yaml:1:3): two\nlines-of-it"),
        ("hunter2-x", "error converting YAML: line 3: aHVudGVyMi14"),
        (12345678, "execution error at (x.yaml:1:3): 1.2345678e+07 is no password"),
    ],
)
def test_an_error_of_helm_shows_no_value(
    kube: FakeKube, helm: FakeHelm, run: Run, secret: str | int, written: str
) -> None:
    store(kube, record(1, "deployed", OLD))
    helm.answer("upgrade", error=written)
    message = run(values={"password": secret})["msg"]
    assert "***" in message
    assert message.startswith("release demo: helm upgrade demo oci://registry.example/demo failed: ")
    for word in ("hunter2", "quoted", "lines-of-it", "aHVudGVyMi14", "2345678"):
        assert word not in message


def test_progress_of_a_registry_ahead_of_the_answer(kube: FakeKube, helm: FakeHelm, run: Run) -> None:
    store(kube, record(1, "deployed", OLD))
    helm.answer("upgrade", "Pulled: x\nDigest: y\n" + json.dumps(record(2, "pending-upgrade", OLD)))
    assert run()["action"] == "none"


def test_a_secret_that_is_no_release(kube: FakeKube, run: Run) -> None:
    path = store(kube, record(1, "deployed", OLD))
    kube.objects[path]["data"]["release"] = "bm90aGluZw=="
    assert "does not hold a Helm release" in run()["msg"]


def test_helm_missing_or_old(helm: FakeHelm, run: Run, tmp_path: Path) -> None:
    assert "Helm is missing" in run(helm_binary=str(tmp_path / "nowhere"))["msg"]
    helm.answers["version"] = "v3.19.0"
    helm.save()
    assert "Helm >= 4 is required" in run()["msg"]
