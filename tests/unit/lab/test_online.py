# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LAB=online and LAB=offline as plans: what is asked of kind, the engine and the registries in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import chart_folder, cli, cluster, online_images, releases, workloads
from tests.lab.mode import Mode, choose
from tests.lab.state import LAB, ROOT, LabError


@pytest.mark.parametrize(
    ("wish", "engine_answers", "chosen"),
    [("", True, "online"), ("", False, "offline"), ("offline", True, "offline"), ("online", False, "online")],
)
def test_an_engine_that_answers_decides_unless_a_wish_does(wish: str, engine_answers: bool, chosen: str) -> None:
    mode, reason = choose(wish, engine_answers=engine_answers)
    assert mode == chosen
    assert reason.startswith(f"LAB={chosen}")


def test_a_wish_that_is_no_mode_is_refused() -> None:
    with pytest.raises(LabError, match="LAB=remote is not a mode"):
        choose("remote", engine_answers=True)


def test_both_modes_have_the_same_nodes_and_only_offline_brings_an_image() -> None:
    online = cluster.configuration("online", "", cgroup_v1=False)
    offline = cluster.configuration("offline", "ias-lab/node:1", cgroup_v1=False)
    assert [node["role"] for node in online["nodes"]] == ["control-plane", "worker", "worker"]
    assert [node["role"] for node in offline["nodes"]] == ["control-plane", "worker", "worker"]
    assert all("image" not in node for node in online["nodes"])
    assert {node["image"] for node in offline["nodes"]} == {"ias-lab/node:1"}
    assert "resolvConf" not in "".join(online["kubeadmConfigPatches"])


def test_an_old_host_gets_the_cgroup_settings_of_old_hosts() -> None:
    patches = cluster.configuration("online", "", cgroup_v1=True)["kubeadmConfigPatches"]
    assert yaml.safe_load(patches[0])["failCgroupV1"] is False


def test_only_offline_is_kind_told_of_the_labs_own_engine() -> None:
    assert "DOCKER_HOST" not in cluster.environment("online")
    assert cluster.environment("offline")["DOCKER_HOST"].startswith("unix:///run/ias-lab-")


def test_both_modes_have_the_same_storage_classes() -> None:
    def classes(path: Path) -> list[dict[str, Any]]:
        documents = yaml.safe_load_all(path.read_text())
        return [document for document in documents if document["kind"] == "StorageClass"]

    online = classes(cluster.STORAGE_CLASSES)
    offline = classes(LAB / "node" / "default-storage.yaml")
    assert [one["metadata"]["name"] for one in online] == [one["metadata"]["name"] for one in offline]
    assert [one.get("reclaimPolicy") for one in online] == [one.get("reclaimPolicy") for one in offline]


def test_online_starts_a_cluster_with_published_programs_and_no_engine_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []

    def run(argv: list[object], **options: object) -> str:
        commands.append([str(word) for word in argv])
        if "create" in commands[-1]:
            cluster.KUBECONFIG.touch()
        return ""

    required: list[list[str]] = []
    monkeypatch.setattr(cluster, "STATE", tmp_path)
    monkeypatch.setattr(cluster, "KUBECONFIG", tmp_path / "kubeconfig")
    monkeypatch.setattr(cluster, "run", run)
    monkeypatch.setattr(cluster.engine, "start", lambda: pytest.fail("an engine was started"))
    monkeypatch.setattr(releases, "require", lambda names: required.append(list(names)))
    cluster.up("online")
    assert required == [["kind", "kubectl", "helm"]]
    assert [command[1:3] for command in commands] == [
        ["delete", "cluster"],
        ["create", "cluster"],
        ["apply", "-f"],
        ["wait", "--for=condition=Ready"],
    ]


def test_online_builds_and_loads_the_platforms_image_alone() -> None:
    build, load = online_images.plan()
    assert build[:2] == ["docker", "build"]
    assert load[1:4] == ["load", "docker-image", workloads.IMAGE]
    sources = [
        word
        for line in online_images.DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY")
        for word in line.split()[1:-1]
    ]
    assert sources
    assert all((ROOT / source).exists() for source in sources)


def charts(folder: Path) -> Path:
    for name in chart_folder.NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "Chart.yaml").write_text(f"name: {name}\n")
    return folder


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_given_charts_are_laid_out_in_both_modes(mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_folder, "PLACE", tmp_path / "place")
    chart_folder.assemble(mode, charts(tmp_path / "given"))
    assert {path.name for path in chart_folder.PLACE.iterdir()} == {*chart_folder.NAMES, *chart_folder.ON_DEMAND}
    assert not any((chart_folder.PLACE / name / "templates").exists() for name in chart_folder.NAMES)


def test_online_leaves_charts_to_their_registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_folder, "PLACE", charts(tmp_path / "place"))
    chart_folder.assemble("online", None)
    assert not chart_folder.PLACE.exists()


def test_a_folder_that_lacks_a_chart_is_refused_and_what_is_laid_out_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart_folder, "PLACE", charts(tmp_path / "place"))
    with pytest.raises(LabError, match="no unpacked chart kube-prometheus-stack, loki, tempo, alloy"):
        chart_folder.assemble("offline", tmp_path)
    assert (chart_folder.PLACE / "loki").exists()


def test_an_error_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAB", "remote")
    assert cli.main(["up"]) == 1
    assert capsys.readouterr().err == "lab up: LAB=remote is not a mode; use online or offline, or leave it out\n"
