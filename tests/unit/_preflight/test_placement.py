# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the cluster and the stack are: no node gets more than it has, and no pod is lost."""

from __future__ import annotations

import random

import pytest

from ansible_collections.ias.observability.plugins.module_utils._preflight.nodes import nodes
from ansible_collections.ias.observability.plugins.module_utils._preflight.placement import Placement
from ansible_collections.ias.observability.plugins.module_utils._preflight.workloads import workloads
from tests.unit._preflight.clusters import NAMESPACE, Object, apart, container, node, workload


def stack(chance: random.Random) -> list[Object]:
    made = []
    for number in range(chance.randint(1, 6)):
        name = f"app-{number}"
        affinity = apart(name) if chance.random() < 0.5 else {}
        asked = container(f"{chance.choice([50, 250, 900])}m", f"{chance.choice([64, 512, 3000])}Mi")
        made.append(
            workload("StatefulSet", name, asked, replicas=chance.randint(1, 4), affinity=affinity)
            if chance.random() < 0.8
            else workload("DaemonSet", name, asked)
        )
    return made


@pytest.mark.parametrize("seed", range(40))
def test_no_node_is_overfull_and_no_pod_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    cluster = nodes(
        [node(f"w{number}", chance.choice(["1", "2", "8"]), chance.choice(["1Gi", "4Gi"])) for number in range(4)], ()
    )
    wanted = workloads(stack(chance), NAMESPACE)
    misfits = Placement(cluster, {}).place(wanted, {})
    assert all(amount >= 0 for machine in cluster.values() for amount in machine.free.values())
    placed = [resident for machine in cluster.values() for resident in machine.residents]
    count = sum(len(cluster) if one.on_every_node else len(one.pods) for one in wanted)
    assert len(placed) + len(misfits) == count
    for machine in cluster.values():
        for resident in machine.residents:
            beside = [other for other in machine.residents if other is not resident]
            assert not any(term.matches(other.namespace, other.labels) for term in resident.apart for other in beside)


@pytest.mark.parametrize("seed", range(40))
def test_what_has_no_place_has_none_on_any_node(seed: int) -> None:
    """Of what is left free in the end, too."""
    chance = random.Random(seed)
    cluster = nodes([node(f"w{number}", "2", "4Gi") for number in range(3)], ())
    wanted = workloads([one for one in stack(chance) if one["kind"] == "StatefulSet"], NAMESPACE)
    misfits = Placement(cluster, {}).place(wanted, {})
    assert len(Placement(cluster, {}).schedule([misfit.pod for misfit in misfits])) == len(misfits)
