# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the outage budget is made of: the busiest log file, and its node's rotation."""

from __future__ import annotations

from collections.abc import Mapping

from .._checks.logs import Container
from .._checks.outage_budget import BUSIEST, OutageBudget, Rotation, container_of, read_rotation
from .._kube import ApiError, Cluster
from .._prometheus import Prometheus


def read_outage_budget(cluster: Cluster, prometheus: Prometheus, nodes: Mapping[Container, str]) -> OutageBudget | None:
    """None where no collector counts what it reads of each file. `nodes` of the running containers."""
    rates = {container_of(path): rate for path, rate in prometheus.values(BUSIEST, "path").items()}
    running = {container: rates[str(container)] for container in nodes if rates.get(str(container), 0) > 0}
    if not running:
        return None
    busiest = max(running, key=lambda container: running[container])
    return OutageBudget(str(busiest), running[busiest], read_node(cluster, nodes[busiest]))


def read_node(cluster: Cluster, node: str) -> Rotation:
    """The kubelet's own; its defaults where we may not ask, since that right is as good as root on the node."""
    try:
        return read_rotation(cluster.get(f"/api/v1/nodes/{node}/proxy/configz"))
    except ApiError:
        return Rotation()
