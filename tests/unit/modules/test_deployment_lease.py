# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: acquired, renewed, released, waited for, lost and taken over."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common import warnings

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, connect, lease
from ansible_collections.ias.observability.plugins.module_utils._kube.arguments import AUTH_ARGS
from ansible_collections.ias.observability.plugins.module_utils._kube.lease import DeploymentLease
from ansible_collections.ias.observability.plugins.modules import deployment_lease
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

LEASES = "/apis/coordination.k8s.io/v1/namespaces/ias-system/leases"
PATH = f"{LEASES}/ias-observability"
Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def no_warning_stays() -> Iterator[None]:
    """Ansible keeps them for the whole process."""
    yield
    warnings._global_warnings.clear()


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.serves.add(LEASES)
        server.clock = lambda: "2030-01-01T12:00:00Z"
        yield server


@pytest.fixture
def run(kube: FakeKube, tmp_path: Path) -> Run:
    kubeconfig = kube.write_kubeconfig(tmp_path / "kubeconfig")
    return lambda **options: run_module(deployment_lease, kubeconfig=str(kubeconfig), **options)


def holder(kube: FakeKube) -> str:
    return str(kube.objects[PATH]["spec"]["holderIdentity"]) if PATH in kube.objects else ""


def test_a_run_acquires_renews_and_releases(run: Run, kube: FakeKube) -> None:
    acquired = run()
    assert (acquired["changed"], holder(kube)) == (True, acquired["holder"])
    kube.clock = lambda: "2030-01-01T12:10:00Z"
    renewed = run(holder=acquired["holder"])
    assert renewed["changed"] is False
    spec = kube.objects[PATH]["spec"]
    assert (spec["acquireTime"], spec["renewTime"]) == ("2030-01-01T12:00:00.000000Z", "2030-01-01T12:10:00.000000Z")
    assert run(holder=acquired["holder"], state="absent")["changed"] is True
    assert holder(kube) == ""
    assert run(holder=acquired["holder"], state="absent")["changed"] is False


def test_a_second_run_stops_with_the_name_of_the_first(run: Run, kube: FakeKube) -> None:
    first = run()
    second = run()
    assert second["failed"] is True
    assert second["msg"].startswith(
        f"{first['holder']} is deploying to namespace ias-system since 2030-01-01 12:00:00 UTC. Nothing was changed."
    )
    assert "kubectl delete lease ias-observability --namespace ias-system" in second["msg"]
    assert holder(kube) == first["holder"]


def test_a_second_run_waits_for_the_end_of_the_first(run: Run, kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run()
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.05)
    reads = len(kube.requests)
    release = threading.Thread(target=kube.objects.pop, args=(PATH,))

    def clock() -> str:
        if len(kube.requests) > reads + 6 and release.ident is None:
            release.start()
        return "2030-01-01T12:00:01Z"

    kube.clock = clock
    second = run(wait_timeout=30)
    assert second["changed"] is True
    assert holder(kube) == second["holder"] != first["holder"]


def test_the_lease_of_a_dead_run_is_taken_over_with_a_word(run: Run, kube: FakeKube) -> None:
    first = run(duration=60)
    kube.clock = lambda: "2030-01-01T12:00:59Z"
    assert run()["failed"] is True
    kube.clock = lambda: "2030-01-01T12:01:00Z"
    second = run()
    assert holder(kube) == second["holder"]
    assert second["other_holder"] == first["holder"]


def test_a_run_whose_lease_was_taken_over_stops(run: Run, kube: FakeKube) -> None:
    first = run(duration=60)
    kube.clock = lambda: "2030-01-01T12:01:00Z"
    second = run()
    late = run(holder=first["holder"])
    assert f"{second['holder']} has taken it over" in late["msg"]
    assert run(holder=first["holder"], state="absent")["changed"] is False
    assert holder(kube) == second["holder"]


def test_a_run_whose_lease_was_deleted_stops(run: Run, kube: FakeKube) -> None:
    first = run()
    del kube.objects[PATH]
    assert "somebody has deleted it" in run(holder=first["holder"])["msg"]


def test_of_many_runs_at_one_moment_one_wins(kube: FakeKube, tmp_path: Path) -> None:
    """At a new lease, and at one that has expired."""
    params = dict.fromkeys(AUTH_ARGS) | {"kubeconfig": str(kube.write_kubeconfig(tmp_path / "many"))}
    for _round in ("new", "expired"):
        won: list[str] = []

        def compete(name: str, won: list[str] = won) -> None:
            one = DeploymentLease(Cluster(connect(params)), "ias-system", "ias-observability", name, 60)
            with contextlib.suppress(lease.KubeError):
                one.acquire(timeout=0)
                won.append(name)

        threads = [threading.Thread(target=compete, args=(f"{_round}-{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [holder(kube)]
        kube.clock = lambda: "2030-01-01T13:00:00Z"


def test_a_lease_without_a_holder_is_free(run: Run, kube: FakeKube) -> None:
    kube.add("/api/v1/namespaces/ias-system")
    kube.add(PATH, spec={"leaseDurationSeconds": 900, "renewTime": "2030-01-01T12:00:00.000000Z"})
    assert run()["holder"] == holder(kube)


def test_the_namespace_is_made(run: Run, kube: FakeKube) -> None:
    run()
    assert "/api/v1/namespaces/ias-system" in kube.objects


def test_a_check_only_reads(run: Run, kube: FakeKube) -> None:
    assert run(check=True)["changed"] is False
    first = run()
    before = len(kube.writes())
    result = run(check=True)
    assert result["other_holder"] == first["holder"]
    assert run(check=True, holder="gone")["changed"] is False
    assert run(check=True, holder=first["holder"], state="absent")["changed"] is False
    assert len(kube.writes()) == before


def test_rights_that_are_missing_are_named(run: Run, kube: FakeKube) -> None:
    kube.denied.add(("create", "leases"))
    assert "forbids POST" in run()["msg"]
