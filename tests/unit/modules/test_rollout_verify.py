# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module against a fake API: waits, then gives up early, and says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster
from ansible_collections.ias.observability.plugins.module_utils._release import waiting
from ansible_collections.ias.observability.plugins.modules import rollout_verify
from tests.fakes.kube import FakeKube
from tests.unit.modules.releases import record, store

DEPLOYMENT = "/apis/apps/v1/namespaces/ias-system/deployments/web"
PODS = "/api/v1/namespaces/ias-system/pods"
UP = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {name: web}
"""

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        store(server, record(1, "deployed", MANIFEST))
        server.add(
            DEPLOYMENT,
            metadata={"generation": 1},
            spec={"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
            status=dict(UP),
        )
        yield server


class Clock:
    """Time passes only when somebody sleeps; `then` happens in the sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.then: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.then()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()

    def waiter(cluster: Cluster, timeout: float, patience: float) -> waiting.Waiter:
        return waiting.Waiter(cluster, timeout, patience, clock=lambda: made.now, sleep=made.sleep)

    monkeypatch.setattr(rollout_verify, "Waiter", waiter)
    return made


@pytest.fixture
def run(kube: FakeKube, clock: Clock, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "releases": [{"name": "demo", "namespace": "ias-system"}],
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            rollout_verify.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def add_pod(kube: FakeKube, name: str, *, form: str = "new", born: str = "2", **status: Any) -> None:
    labels = {"app": "web", "pod-template-hash": form}
    kube.add(f"{PODS}/{name}", metadata={"labels": labels, "creationTimestamp": born}, status=status)


def waiting_for(reason: str, message: str = "") -> list[dict[str, Any]]:
    return [{"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}]


def test_what_is_up_is_not_waited_for(clock: Clock, run: Run) -> None:
    assert run() == {"changed": False, "workloads": ["Deployment ias-system/web"]}
    assert clock.now == 0


def test_waits_until_it_is_up(kube: FakeKube, clock: Clock, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] = {"observedGeneration": 0}
    clock.then = lambda: kube.objects[DEPLOYMENT].update(status=UP) if clock.now >= 10 else None
    assert "msg" not in run()
    assert clock.now == 10


def test_says_what_is_lacking_when_time_is_up(kube: FakeKube, clock: Clock, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] |= {"availableReplicas": 1}
    add_pod(kube, "web-1")
    kube.add(
        "/api/v1/namespaces/ias-system/events/one",
        type="Warning",
        reason="FailedMount",
        message='secret "x" not found',
    )
    assert run(timeout=30)["msg"] == (
        "release demo: not ready after 30 s:\n- Deployment ias-system/web: 1 of 2 pods are ready; "
        'web-1: FailedMount: secret "x" not found'
    )


def test_says_what_is_lacking_without_what_cannot_be_read(kube: FakeKube, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] |= {"availableReplicas": 1}
    add_pod(kube, "web-1")
    kube.denied.add(("list", "events"))
    assert run(timeout=30)["msg"] == (
        "release demo: not ready after 30 s:\n- Deployment ias-system/web: 1 of 2 pods are ready"
    )


def test_a_workload_that_does_not_exist(kube: FakeKube, run: Run) -> None:
    del kube.objects[DEPLOYMENT]
    assert "- Deployment ias-system/web: it does not exist" in run(timeout=1)["msg"]


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"]
)
def test_gives_up_on_lasting_trouble(kube: FakeKube, clock: Clock, run: Run, reason: str) -> None:
    kube.objects[DEPLOYMENT]["status"] = {}
    add_pod(kube, "web-1", containerStatuses=waiting_for(reason, "no such image"))
    assert run()["msg"] == (
        f"release demo: these pods do not come up:\n- pod web-1, container main: {reason}: no such image"
    )
    assert 45 <= clock.now < 50


def test_trouble_that_heals_is_forgiven(kube: FakeKube, clock: Clock, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] = {}
    add_pod(kube, "web-1", containerStatuses=waiting_for("ErrImagePull"))

    def heal() -> None:
        if clock.now >= 30:
            kube.objects[DEPLOYMENT]["status"] = UP

    clock.then = heal
    assert "msg" not in run()


def test_a_crash_is_told_by_its_last_words(kube: FakeKube, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] = {}
    add_pod(kube, "web-1", containerStatuses=waiting_for("CrashLoopBackOff", "back-off 10s"))
    kube.texts[f"{PODS}/web-1/log"] = "starting\nfailed to parse config: line 3\n\n"
    assert run()["msg"].endswith("- pod web-1, container main crashes: failed to parse config: line 3")
    kube.texts[f"{PODS}/web-1/log"] = ""
    assert run()["msg"].endswith("crashes: it wrote no log")
    del kube.texts[f"{PODS}/web-1/log"]
    assert "crashes: its log cannot be read" in run()["msg"]


def test_a_pod_that_fits_nowhere(kube: FakeKube, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] = {}
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    add_pod(kube, "web-1", conditions=[condition])
    assert run()["msg"].endswith("- pod web-1: Unschedulable: 0/3 nodes")


def test_pods_that_are_being_replaced_may_be_broken(kube: FakeKube, clock: Clock, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] |= {"replicas": 3}
    add_pod(kube, "web-old", form="old", born="1", containerStatuses=waiting_for("CrashLoopBackOff"))
    add_pod(kube, "web-new")
    assert "1 old replicas still run" in run(timeout=100)["msg"]


def test_check_mode_and_a_release_that_is_not_there(kube: FakeKube, clock: Clock, run: Run) -> None:
    kube.objects[DEPLOYMENT]["status"] = {}
    assert run(_ansible_check_mode=True)["workloads"] == ["Deployment ias-system/web"]
    assert run(releases=[{"name": "other", "namespace": "ias-system"}]) == {"changed": False, "workloads": []}
    assert clock.now == 0


def test_several_releases_are_awaited_at_once(kube: FakeKube, clock: Clock, run: Run) -> None:
    store(kube, record(1, "deployed", MANIFEST.replace("name: web", "name: api"), name="second"))
    names = [{"name": name, "namespace": "ias-system"} for name in ("demo", "second")]
    result = run(releases=names, timeout=30)
    assert result["msg"].startswith(
        "releases demo, second: not ready after 30 s:\n- Deployment ias-system/api: it does not"
    )
    kube.objects[DEPLOYMENT.replace("web", "api")] = kube.objects[DEPLOYMENT]
    assert run(releases=names)["workloads"] == ["Deployment ias-system/web", "Deployment ias-system/api"]
