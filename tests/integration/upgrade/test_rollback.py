# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upgrade that breaks something is taken back, says what broke, and leaves nothing for the next run to do."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster
from tests.integration.upgrade.conftest import Site, revision

UPGRADES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a Prometheus that scrapes nothing": (
        "prometheus",
        {
            "prometheus_values": {
                "prometheus": {"prometheusSpec": {"serviceMonitorSelector": {"matchLabels": {"no": "x"}}}}
            }
        },
        "Prometheus still scrapes",
    ),
    "a Tempo that takes no spans": (
        "tempo",
        {"tempo_values": {"tempo": {"receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:4317"}}}}}}},
        "trace",
    ),
    "an image that does not exist": (
        "loki",
        {"loki_values": {"loki": {"image": {"tag": "0.0.0"}}}},
        "loki:0.0.0",
    ),
}


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_it_is_taken_back(cluster: Cluster, site: Site, upgrade: str) -> None:
    release, variables, cause = UPGRADES[upgrade]
    before = revision(cluster, release)
    done = site(**variables, verify_timeout=90, observability_rollout_timeout=120)
    after = revision(cluster, release)
    assert done.code != 0
    printed = " ".join(done.output.split())  # Ansible breaks long lines
    verdict = printed[printed.index(f"Release {release} does not work after its upgrade") :]
    assert cause in verdict
    assert f"It is back at revision {before.number} ({before.chart}), as revision {after.number}" in verdict
    assert "works as before the upgrade" in verdict
    assert (after.status, after.number) == ("deployed", before.number + 2)
    assert after.same_as(before)
    assert "changed=0" in site().output


def test_an_upgrade_that_works_stays(cluster: Cluster, site: Site) -> None:
    before = revision(cluster, "tempo")
    done = site(tempo_values={"podAnnotations": {"upgraded": "yes"}})
    assert done.code == 0, done.output[-6000:]
    after = revision(cluster, "tempo")
    assert (after.status, after.number) == ("deployed", before.number + 1)
    assert site().code == 0
