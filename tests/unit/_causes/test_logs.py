# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why lines are not in Loki."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._causes.logs import late_chain
from ansible_collections.ias.observability.plugins.module_utils._causes.nodes import daemon_chain

from .states import HOME, healthy, objects, pod, said, thing, workload

ALLOY = {"app": "alloy"}
Kinds = dict[str, list[dict[str, Any]]]


def late(log: str = "", change: Callable[[Kinds], object] = lambda kinds: None) -> str:
    kinds = healthy()
    kinds["services"].append(thing("loki", spec={"selector": {"app": "loki"}, "ports": [{"port": 3100}]}))
    kinds["pods"].append(pod("loki-0", {"app": "loki"}, port=3100))
    kinds["statefulsets"].append(workload("loki", {"app": "loki"}, replicas=1))
    change(kinds)
    state = objects(kinds, logs={"ias-system/alloy-1": log})
    return said(late_chain(state.find("pods", HOME, "web-1"), "n1", ALLOY, (HOME, "loki", 3100), state))


@pytest.mark.parametrize(
    ("log", "text"),
    [
        (
            'level=error status=400 error="server returned HTTP status 400: entry too far behind"',
            "Loki refuses lines for their time",
        ),
        (
            'level=warn status=429 error="Ingestion rate limit exceeded for user fake"',
            "Loki refuses lines for their rate",
        ),
        ('level=error status=401 error="no org id"', "Loki wants a tenant"),
        ('level=warn status=400 error="maximum active stream limit exceeded"', "Loki refuses new streams"),
        ('level=warn error="Post http://loki: dial tcp: connection refused"', "the collector cannot reach Loki"),
        ('level=error error="something new"', "the collector (pod ias-system/alloy-1) says: something new"),
        ('level=info msg="all is well"', ""),
    ],
)
def test_what_the_collector_says(log: str, text: str) -> None:
    found = late(log)
    assert found.startswith(text)
    assert bool(found) == bool(text)


def test_the_newest_complaint_counts() -> None:
    assert "cannot reach Loki" in late(
        'level=error status=401 error="no org id"\nlevel=warn error="connection refused"\n'
    )


def away(kinds: Kinds) -> None:
    kinds["pods"] = [one for one in kinds["pods"] if one["metadata"]["name"] != "loki-0"]
    kinds["statefulsets"][0]["spec"]["replicas"] = 0


def test_loki_that_does_not_run_comes_before_what_the_collector_says() -> None:
    assert late('level=warn error="connection refused"', away) == "StatefulSet ias-system/loki is scaled to 0"


def test_a_pod_that_wants_no_logs() -> None:
    def opt_out(kinds: Kinds) -> None:
        kinds["pods"][0]["metadata"]["annotations"] = {"logs.ias.io/collect": "false"}

    assert "the collector leaves it out" in late("", opt_out)


def daemon(change: Callable[[Kinds], object], node: str = "n1") -> str:
    kinds = healthy()
    kinds["pods"] = [one for one in kinds["pods"] if one["metadata"]["name"] != "alloy-1"]
    change(kinds)
    return said(daemon_chain(ALLOY, node, objects(kinds)))


def template(kinds: Kinds) -> Any:
    return kinds["daemonsets"][0]["spec"]["template"]["spec"]


def taint(kinds: Kinds) -> None:
    kinds["nodes"][0]["spec"] = {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}


def affinity(operator: str, *values: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": "disk", "operator": operator, "values": list(values)}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"affinity": {"nodeAffinity": required}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda kinds: template(kinds).update(nodeSelector={"disk": "nvme"}),
            "its nodeSelector wants disk=nvme, the node has ssd",
        ),
        (lambda kinds: template(kinds).update(affinity("NotIn", "ssd")), "its node affinity does not take the node"),
        (taint, "it does not tolerate the node's taint gpu=yes:NoSchedule"),
        (lambda kinds: kinds["daemonsets"].clear(), "no DaemonSet makes pods with the labels app=alloy"),
        (lambda kinds: kinds["daemonsets"][0].update(status={"desiredNumberScheduled": 0}), "finds no node to run on"),
        (
            lambda kinds: kinds["pods"].append(pod("alloy-2", ALLOY, ready=False)),
            "pod ias-system/alloy-2 runs, but container main is not ready",
        ),
    ],
)
def test_a_node_without_a_collector(change: Callable[[Kinds], object], text: str) -> None:
    assert text in daemon(change)


def test_an_affinity_that_takes_the_node_is_not_blamed() -> None:
    assert "leaves node" not in daemon(lambda kinds: template(kinds).update(affinity("In", "ssd", "nvme")))
