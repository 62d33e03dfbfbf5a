# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the lab runs, and the truth about its images: the tag that a chart wishes for beside the version within."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.lab import cluster, images, toolchain
from tests.lab.mode import Mode
from tests.lab.state import CLUSTER, KUBECONFIG, LabError


def lines(mode: Mode) -> list[str]:
    """The state as lines; reads only, and says so where there is no cluster."""
    if not KUBECONFIG.exists():
        return [f"cluster {CLUSTER}: none; start it with `python -m tests.lab up`"]
    try:
        nodes = json.loads(cluster.kubectl("get", "nodes", "--output", "json"))["items"]
        pods = json.loads(cluster.kubectl("get", "pods", "--all-namespaces", "--output", "json"))["items"]
    except LabError as error:
        return [f"cluster {CLUSTER}: does not answer: {error}"]
    known = {name: row for row in images.table() for name in row.names} if mode == "offline" else {}
    return [
        f"cluster {CLUSTER}: {_count(map(node_ready, nodes))} nodes Ready, "
        f"{_count(map(pod_ready, pods))} pods Ready; kubeconfig {KUBECONFIG}",
        *(f"  not ready: {_full_name(pod)}" for pod in pods if not pod_ready(pod)),
        *table(running_images(pods), known),
    ]


def node_ready(node: Mapping[str, Any]) -> bool:
    return any(state["type"] == "Ready" and state["status"] == "True" for state in node["status"]["conditions"])


def pod_ready(pod: Mapping[str, Any]) -> bool:
    """Whether a pod does what it should: it has ended well, or all its containers are ready."""
    if pod["status"]["phase"] == "Succeeded":
        return True
    states = pod["status"].get("containerStatuses", [])
    return bool(states) and all(state["ready"] for state in states)


def running_images(pods: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({container["image"] for pod in pods for container in pod["spec"]["containers"]})


def table(references: Iterable[str], known: Mapping[str, images.Row]) -> list[str]:
    """A line an image. `known` is empty where images are the published ones, so that their tags are true."""
    tools = toolchain.load()
    told = []
    for reference in references:
        row = known.get(reference)
        if row is None:
            content = "as published" if not known else "not the lab's"
        elif row.program:
            tool = tools[row.program]
            content = f"{tool.name} {tool.version}"
        elif row.python:
            content = "the Grafana double" if row.python.endswith("/grafana") else "the demo platform"
        else:
            content = "Debian's shell"
        told.append((reference, content))
    width = max((len(reference) for reference, _ in told), default=0)
    return [f"  {reference:<{width}}  {content}" for reference, content in told]


def _count(conditions: Iterable[bool]) -> str:
    met = list(conditions)
    return f"{sum(met)} of {len(met)}"


def _full_name(pod: Mapping[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']} ({pod['status']['phase']})"
