# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`site.yml`, run as its user runs it, against a cluster in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.fakes.cluster import add_healthy_cluster
from tests.fakes.helm import FakeHelm
from tests.fakes.kube import FakeKube

ROOT = Path(__file__).resolve().parents[3]

Site = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        add_healthy_cluster(server)
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    program = FakeHelm(tmp_path)
    program.answer("template", "")
    return program


@pytest.fixture
def start(kube: FakeKube, helm: FakeHelm, tmp_path: Path) -> Start:
    """Begin a run; its processes are a group of their own, and it has no configuration but ours."""

    def run(group: str = "observability", **variables: object) -> subprocess.Popen[str]:
        inventory = tmp_path / "hosts.yml"
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "observability_kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
            "observability_helm_binary": str(helm.binary),
            "observability_storage_class": "fast",
            **variables,
        }
        inventory.write_text(yaml.safe_dump({group: {"hosts": {"fake": host}}}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("K8S_AUTH_")}
        configuration = tmp_path / "ansible.cfg"
        configuration.touch()
        own = {
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "400",
        }
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("ansible-playbook")), "site.yml", "-i", str(inventory)],
            cwd=ROOT,
            env={**environment, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    return run


@pytest.fixture
def site(start: Start) -> Site:
    """Run it, see it fail; returns what it printed."""

    def run(group: str = "observability", **variables: object) -> str:
        with start(group, **variables) as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 2, output
        return output

    return run
