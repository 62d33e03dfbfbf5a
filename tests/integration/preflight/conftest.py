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


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        add_healthy_cluster(server)
        yield server


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    return FakeHelm(tmp_path)


@pytest.fixture
def site(kube: FakeKube, helm: FakeHelm, tmp_path: Path) -> Site:
    """Run it, see it fail; returns what it printed."""

    def run(group: str = "observability", **variables: object) -> str:
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
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "site.yml", "-i", str(inventory)],
            cwd=ROOT,
            env={**environment, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "400"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 2, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
