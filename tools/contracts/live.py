# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a live stack reads and has: the rules of Prometheus, the dashboards of Grafana, the series of a job."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._kube import AUTH_ARGS
from ansible_collections.ias.observability.plugins.module_utils._prometheus import Prometheus
from ansible_collections.ias.observability.plugins.module_utils._promql.printer import quote
from ansible_collections.ias.observability.plugins.module_utils._service import PROMETHEUS, open_service
from tools.preview.ask import grafana


@contextmanager
def prometheus() -> Iterator[Prometheus]:
    """Through the cluster of $KUBECONFIG, or at $PROMETHEUS_URL."""
    options: dict[str, Any] = {name: spec.get("default") for name, spec in PROMETHEUS["options"].items()}
    params: dict[str, Any] = dict.fromkeys(AUTH_ARGS)
    if url := os.environ.get("PROMETHEUS_URL"):
        options["url"] = url
    else:
        params["kubeconfig"] = os.environ.get("KUBECONFIG")
    with open_service({**params, "prometheus": options}, "prometheus") as api:
        yield Prometheus(api)


def dashboards() -> list[tuple[str, str]]:
    """Title and JSON of every dashboard of Grafana, whoever wrote it."""
    with grafana() as asked:
        found = [asked.dashboard(str(hit["uid"])) for hit in asked.search("dash-db")]
    return [(str(one["dashboard"]["title"]), json.dumps(one["dashboard"])) for one in found]


def series(asked: Prometheus, job: str) -> dict[str, int]:
    """How many series a job has, by metric."""
    counts = asked.values(f"count by (__name__) ({{job={quote(job)}}})", "__name__")
    return {name: int(count) for name, count in counts.items()}
