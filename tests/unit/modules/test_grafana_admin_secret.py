# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grafana's admin is made once: no second run, no Helm and no race takes it away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import grafana_admin_secret
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

SECRETS = "/api/v1/namespaces/ias-system/secrets"
PATH = f"{SECRETS}/prometheus-grafana"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.add("/api/v1/namespaces/ias-system")
        yield server


@pytest.fixture
def run(kube: FakeKube, tmp_path: Path) -> Run:
    kubeconfig = kube.write_kubeconfig(tmp_path / "kubeconfig")
    return lambda **options: run_module(grafana_admin_secret, kubeconfig=str(kubeconfig), **options)


def password(kube: FakeKube) -> str:
    return base64.b64decode(kube.objects[PATH]["data"]["admin-password"]).decode()


def test_made_once(run: Run, kube: FakeKube) -> None:
    first = run(user="root")
    before = password(kube)
    assert (first["changed"], first["action"], len(before)) == (True, "created", 32)
    assert base64.b64decode(kube.objects[PATH]["data"]["admin-user"]) == b"root"
    assert before not in str(first)
    second = run(user="other")
    assert (second["changed"], second["action"], password(kube)) == (False, "none", before)


def test_a_run_that_comes_second_keeps_the_first_password(run: Run, kube: FakeKube) -> None:
    """Both have seen that there is none."""
    run()
    before = password(kube)
    kube.failures[f"GET {PATH}"] = [404]
    result = run()
    assert (result["changed"], result["action"], password(kube)) == (False, "none", before)


def test_one_that_helm_owns_is_kept_from_helm(run: Run, kube: FakeKube) -> None:
    kube.add(
        PATH,
        metadata={"annotations": {"meta.helm.sh/release-name": "prometheus"}},
        data={"admin-password": base64.b64encode(b"old").decode()},
    )
    assert (run()["action"], run()["action"], password(kube)) == ("kept", "none", "old")
    assert kube.objects[PATH]["metadata"]["annotations"] == {
        "meta.helm.sh/release-name": "prometheus",
        "helm.sh/resource-policy": "keep",
    }


def test_a_check_changes_nothing(run: Run, kube: FakeKube) -> None:
    assert run(check=True)["action"] == "created"
    kube.add(PATH, metadata={"annotations": {"meta.helm.sh/release-name": "prometheus"}})
    assert run(check=True)["action"] == "kept"
    assert kube.writes() == []


def test_a_check_needs_no_namespace(run: Run, kube: FakeKube) -> None:
    kube.objects.clear()
    assert run(check=True)["action"] == "created"


def test_an_api_that_refuses_is_named(run: Run, kube: FakeKube) -> None:
    kube.denied.add(("create", "secrets"))
    result = run()
    assert result["failed"] is True
    assert result["msg"].startswith(
        "Secret prometheus-grafana in namespace ias-system: the Kubernetes API forbids POST"
    )
