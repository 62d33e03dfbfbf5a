# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which running containers Loki has lines of; in doubt the kubelet's own log decides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._checks.logs import Container, check_logs, count_query, has_lines, logged, running
from .._checks.result import CheckResult
from .._kube import ApiError, Cluster
from .._loki import Loki

QUERY_SERIES = 400  # Loki answers at most 500 series (max_query_series)
LOG_BYTES = 64 * 1024


@dataclass
class Coverage:
    """Remembers what was found, so that every further check asks only for the rest."""

    hours: int
    ignored: Sequence[re.Pattern[str]] = ()
    found: set[Container] = field(default_factory=set)

    def verify(self, cluster: Cluster, loki: Loki) -> CheckResult:
        containers = set(running(cluster.items("/api/v1/pods")))
        missing = sorted(containers - self.found)
        for start in range(0, len(missing), QUERY_SERIES):
            query = count_query(missing[start : start + QUERY_SERIES], f"{self.hours}h")
            self.found |= logged(loki.instant(query))
        silent = {container for container in containers - self.found if self._is_silent(cluster, container)}
        return check_logs(containers, self.found, silent)

    def _is_silent(self, cluster: Cluster, container: Container) -> bool:
        """By the kubelet's own log. A container that is gone by now has nothing to prove."""
        try:
            log = cluster.text(
                f"/api/v1/namespaces/{container.namespace}/pods/{container.pod}/log",
                container=container.name,
                sinceSeconds=str(self.hours * 3600),
                limitBytes=str(LOG_BYTES),
            )
        except ApiError as error:
            if error.status == 404:
                return True
            raise
        return not has_lines(log, self.ignored)
