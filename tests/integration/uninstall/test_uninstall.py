# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stack leaves the lab's cluster as it was; with its data kept, the next installation goes on. The lab must run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, connect

ROOT = Path(__file__).resolve().parents[3]
KUBECONFIG = ROOT / ".lab/kubeconfig"
LOKI = "/api/v1/namespaces/ias-system/services/loki:3100/proxy/loki/api/v1/query"
CLAIMS = "/api/v1/namespaces/ias-system/persistentvolumeclaims"
TRANSIENT = {"events", "leases", "pods", "replicasets", "controllerrevisions", "endpoints", "endpointslices"}
"""Kinds whose objects come and go by themselves."""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    if not KUBECONFIG.exists():
        pytest.fail("the lab does not run with the platform on it: make test-uninstall starts both")
    return Cluster(connect({"kubeconfig": str(KUBECONFIG)}))


def playbook(name: str, **variables: Any) -> str:
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        *(name, "-i", "inventories/lab", "--skip-tags", "verify", "-e", json.dumps(variables)),
    ]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    return done.stdout


def everything(cluster: Cluster) -> set[str]:
    """Every object of every kind, with its uid."""
    groups = [f"/apis/{group['preferredVersion']['groupVersion']}" for group in cluster.get("/apis")["groups"]]
    return {
        " ".join([resource["kind"], metadata.get("namespace", ""), metadata["name"], metadata["uid"]])
        for root in ["/api/v1", *groups]
        for resource in cluster.get(root)["resources"]
        if "list" in resource["verbs"] and resource["name"] not in TRANSIENT
        for metadata in (item["metadata"] for item in cluster.names(f"{root}/{resource['name']}"))
    }


def lines(cluster: Cluster, moment: float) -> int:
    """How many lines Loki has of the five minutes before a moment."""
    query = 'sum(count_over_time({namespace=~".+"}[5m]))'
    result = cluster.get(LOKI, query=query, time=f"{moment:.0f}")["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def claims(cluster: Cluster) -> dict[str, str]:
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in cluster.names(CLAIMS)}


def test_the_cluster_is_as_it_was_before_the_installation(cluster: Cluster) -> None:
    playbook("playbooks/uninstall.yml", observability_delete_data=True)
    before = everything(cluster)
    playbook("site.yml")
    assert len(everything(cluster) - before) > 50
    playbook("playbooks/uninstall.yml", observability_delete_data=True)
    end = time.monotonic() + 60  # what a provisioner needs to delete the volumes
    while (after := everything(cluster)) != before and time.monotonic() < end:
        time.sleep(2)
    assert after == before
    again = playbook("playbooks/uninstall.yml", observability_delete_data=True)
    assert "0 objects belong to the stack" in again


def test_the_next_installation_goes_on_with_the_data(cluster: Cluster) -> None:
    playbook("site.yml")
    end = time.monotonic() + 120
    while not (written := lines(cluster, moment := time.time())):
        assert time.monotonic() < end, "no line arrived"
        time.sleep(2)
    volumes = claims(cluster)
    playbook("playbooks/uninstall.yml")
    assert claims(cluster) == volumes
    playbook("site.yml")
    assert claims(cluster) == volumes
    assert lines(cluster, moment) >= written
