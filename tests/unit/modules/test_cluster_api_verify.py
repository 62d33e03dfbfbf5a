# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that does not answer is one message, soon."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import cluster_api_verify
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module


def run(kube: FakeKube, tmp_path: Path, **args: Any) -> dict[str, Any]:
    return run_module(cluster_api_verify, kubeconfig=str(kube.write_kubeconfig(tmp_path / "kubeconfig")), **args)


def test_an_api_that_answers(tmp_path: Path) -> None:
    with FakeKube() as kube:
        result = run(kube, tmp_path)
    assert (result["findings"], result["version"], result["changed"]) == ([], "v1.36.3", False)


def test_credentials_that_are_refused(tmp_path: Path) -> None:
    with FakeKube() as kube:
        path = kube.write_kubeconfig(tmp_path / "kubeconfig")
        kube.token = "another"
        result = run_module(cluster_api_verify, kubeconfig=str(path))
    assert [finding["id"] for finding in result["findings"]] == ["verify/unreachable"]
    assert "401" in result["msg"] or "credentials" in result["msg"]


@pytest.mark.parametrize("listening", [True, False])
def test_an_api_that_does_not_answer(listening: bool, tmp_path: Path) -> None:
    """Nobody listens, or what listens never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not listening:
            server.close()
        kube = FakeKube()
        config = tmp_path / "kubeconfig"
        with kube:
            kube.write_kubeconfig(config)
            config.write_text(config.read_text().replace(kube.url, f"http://127.0.0.1:{port}"))
        begun = time.monotonic()
        result = run_module(cluster_api_verify, kubeconfig=str(config), timeout=1)
    assert [finding["id"] for finding in result["findings"]] == ["verify/no-cluster"]
    assert f"the Kubernetes API at http://127.0.0.1:{port} cannot be reached" in result["msg"]
    assert time.monotonic() - begun < 2.5
