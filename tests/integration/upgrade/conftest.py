# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`site.yml` on the lab, which must run with the stack on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, connect
from ansible_collections.ias.observability.plugins.module_utils._release import history

ROOT = Path(__file__).resolve().parents[3]
KUBECONFIG = ROOT / ".lab/kubeconfig"
NAMESPACE = "ias-system"


class Run(NamedTuple):
    """How site.yml ended, and what it printed."""

    code: int
    output: str


Site = Callable[..., Run]


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    if not KUBECONFIG.exists():
        pytest.fail("the lab does not run with the stack on it: make demo starts both")
    return Cluster(connect({"kubeconfig": str(KUBECONFIG)}))


@pytest.fixture(scope="session")
def site() -> Site:
    """Without the last proofs: what is tried here is what each release does for itself."""

    def run(**variables: Any) -> Run:
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("site.yml", "-i", "inventories/lab", "--skip-tags", "verify", "-e", json.dumps(variables)),
        ]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)

    return run


@pytest.fixture(scope="session", autouse=True)
def converged(site: Site) -> None:
    """As the inventory says, and nothing left to do."""
    done = site()
    assert done.code == 0, done.output[-6000:]


def revision(cluster: Cluster, release: str) -> history.Revision:
    found = history.latest(cluster, NAMESPACE, release)
    assert found is not None
    return found
