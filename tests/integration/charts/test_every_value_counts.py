# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No value is for nothing: changing any one of them changes what the stand-in chart renders, or is refused by it."""

from __future__ import annotations

import copy
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.rendering import ALL, Object, Path_, leaves, merged, render, values_files
from tools.contracts.values import dotted

# What these decide, the stand-in leaves out: bundled rules and dashboards, hooks, subcharts for other things.
LEFT_OUT = {
    "prometheus": {
        "cleanPrometheusOperatorObjectNames": "false is the only form that it knows",
        "crds.upgradeJob.enabled": "a hook",
        "defaultRules": "bundled rules",
        "grafana.initChownData.enabled": "an init container whose image the lab does not have",
        "grafana.testFramework.enabled": "a test hook",
        "grafana.sidecar.datasources.enabled": "a sidecar whose image the lab does not have",
        "grafana.persistence.type": "pvc is the only type that it knows",
    },
    "loki": {
        "monitoring.alerts": "bundled rules",
        "monitoring.dashboards.enabled": "bundled dashboards",
        "monitoring.rules.enabled": "bundled rules",
    },
    "tempo": {},
    "mimir": {
        "metaMonitoring.serviceMonitor.clusterLabel": "a null says it: any name would be written",
    },
    "alloy": {
        "crds.create": "a definition that nothing uses",
    },
}


def changed(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case None:
            return {"endpoint": "0.0.0.0:1"}
        case str():
            return value + "x"
        case list():
            return value[:-1] if value else ["x"]
        case _:
            return {"x": "x"}


def with_change(values: Object, path: Path_) -> Object:
    copied = copy.deepcopy(values)
    inner: Any = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = changed(inner[path[-1]])
    return copied


def below(known: str, path: str) -> bool:
    return path == known or path.startswith(f"{known}.")


def left_out(component: str, path: str) -> bool:
    return any(below(known, path) for known in LEFT_OUT[component])


def idle(component: str, *, lab: bool) -> set[str]:
    """The values that could as well be missing."""
    values = merged(values_files(component, mimir=True, lab=lab))
    before = render(component, values)

    def counts(path: Path_) -> bool:
        try:
            return render(component, with_change(values, path)) != before
        except ValueError:
            return True

    paths = list(leaves(values))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {dotted(path) for path, matters in zip(paths, pool.map(counts, paths), strict=True) if not matters}


@pytest.mark.parametrize("component", ALL)
def test_each_value_changes_the_output(component: str) -> None:
    production, lab = idle(component, lab=False), idle(component, lab=True)
    # What the lab switches off still counts without it, and the other way round.
    only_in_lab = {dotted(path) for path in leaves(merged(values_files(component, mimir=True, lab=True)))} - {
        dotted(path) for path in leaves(merged(values_files(component, mimir=True)))
    }
    unread = production | (lab & only_in_lab)
    assert {path for path in unread if not left_out(component, path)} == set()
    # A reason that is no longer one goes.
    assert {known for known in LEFT_OUT[component] if not any(below(known, path) for path in unread)} == set()
