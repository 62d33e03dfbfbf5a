# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `lab status` says of nodes, pods and images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import cluster, images, status, toolchain
from tests.lab.state import LabError

LOKI = "docker.io/grafana/loki:3.7.6"
GRAFANA = "docker.io/grafana/grafana:13.2.0"


def pod(name: str, image: str, *, ready: bool = True, phase: str = "Running") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "n", "name": name},
        "spec": {"containers": [{"image": image}]},
        "status": {"phase": phase, "containerStatuses": [{"ready": ready}]},
    }


def node(ready: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": ready}]}}


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    path.touch()
    monkeypatch.setattr(status, "KUBECONFIG", path)


def test_without_a_cluster_it_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "KUBECONFIG", tmp_path / "none")
    assert status.lines("offline") == ["cluster ias-lab: none; start it with `python -m tests.lab up`"]


def test_a_cluster_that_does_not_answer_is_no_traceback(kubeconfig: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*argv: str) -> str:
        raise LabError("connection refused")

    monkeypatch.setattr(cluster, "kubectl", refuse)
    assert status.lines("offline") == ["cluster ias-lab: does not answer: connection refused"]


def test_nodes_and_pods_are_counted_and_those_not_ready_named(
    kubeconfig: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "nodes": [node("True"), node("Unknown")],
        "pods": [pod("a", LOKI), pod("b", LOKI, ready=False), pod("done", LOKI, ready=False, phase="Succeeded")],
    }
    monkeypatch.setattr(cluster, "kubectl", lambda *argv: json.dumps({"items": answers[argv[1]]}))
    lines = status.lines("offline")
    assert "1 of 2 nodes Ready, 2 of 3 pods Ready" in lines[0]
    assert lines[1] == "  not ready: n/b (Running)"
    assert len(lines) == 3  # one image


def test_a_pod_whose_containers_have_not_started_is_not_ready() -> None:
    assert not status.pod_ready({"status": {"phase": "Pending"}})


def test_the_tag_stands_beside_what_is_behind_it() -> None:
    known = {name: row for row in images.table() for name in row.names}
    lines = status.table([GRAFANA, LOKI, "example.org/other:1"], known)
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        "the Grafana double",
        f"loki {toolchain.load()['loki'].version}",
        "not the lab's",
    ]


def test_published_images_are_what_their_tags_say() -> None:
    assert status.table([LOKI], {}) == [f"  {LOKI}  as published"]
