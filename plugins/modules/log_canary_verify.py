#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that each line that a pod writes can be read from Loki, by pods that write numbered lines."""

from __future__ import annotations

DOCUMENTATION = r"""
module: log_canary_verify
short_description: Prove that each line that a pod writes can be read from Loki
description:
  - Starts one short-lived pod on each node that takes pods. It writes numbered lines - plain ones, one a second; a
    stack trace; JSON; one with control characters and bytes that are no text; one of 200 kB; and a burst.
  - Reads them back from Loki and wants each of them there, once, whole, in order, and within O(late_after) seconds.
  - Says what holds lines back - a node without a collector, a file that the collector does not read, a limit of Loki -
    by what the collectors and Loki say of themselves.
  - Waits for at most O(timeout) seconds, then removes the pods. Should the module be killed, Kubernetes stops them a
    minute after that time, and removes them when as much time has passed again.
  - The pods keep to PodSecurity C(restricted), have no token, and need a shell and C(sleep) only.
  - It needs the right to create and to delete Jobs in O(loki.namespace) (C(contracts/rbac/canary.yaml)), beside those
    of the other proofs.
options:
  image:
    description:
      - An image with a POSIX shell. Without it the collector's own, which each node has already, with its pull secrets.
    type: str
  collector_labels:
    description: Labels of the collector's pods.
    type: dict
    default: {app.kubernetes.io/name: alloy}
  steady:
    description: For how many seconds each pod writes one line a second.
    type: int
    default: 15
  burst:
    description: How many lines it writes at once at the end.
    type: int
    default: 1000
  late_after:
    description:
      - How many seconds after it was written a line must be readable. A collector that looks for new files every ten
        seconds makes the first lines of a pod that late.
    type: int
    default: 60
  interval:
    description: Seconds between two checks; latencies are no finer.
    type: int
    default: 1
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.loki
  - ias.observability._proof
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
    details: In check mode no pod is started and nothing is proved.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Each run starts pods of its own and removes them; its lines expire with the others.
"""

EXAMPLES = r"""
- name: Prove that no line is lost
  ias.observability.log_canary_verify:
    loki: {namespace: ias-system}

- name: Prove it for a burst of ten thousand lines a node, with an image of the site
  ias.observability.log_canary_verify:
    image: registry.example.com/base/busybox:1.37
    burst: 10000
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: canary/lost
      severity: error
      object: node worker-2
      message: "no collector is ready on this node: all 1026 numbered lines are not in Loki"
summary:
  description: How many lines were written, and how many of them are in Loki as they were written.
  type: dict
  returned: always
  sample: {checked: 3078, passed: 3078}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
all_nodes:
  description:
    - How many lines were written, were read, and were there more than once; seconds from writing a line until it could
      be read.
  type: dict
  returned: when pods were started
  sample: {written: 3078, read: 3078, twice: 0, p50: 1.4, p95: 2.3, max: 11.2}
nodes:
  description: The same for each node.
  type: dict
  returned: when pods were started
  sample: {worker-1: {written: 1026, read: 1026, twice: 0, p50: 1.4, p95: 2.1, max: 11.2}}
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils._causes.merge import Explained
from ..module_utils._checks.canary_causes import Collector, metrics_port, read_collector
from ..module_utils._checks.result import CheckResult
from ..module_utils._findings import Finding
from ..module_utils._http import Api, Deadline, HttpError
from ..module_utils._kube import Cluster, KubeError, connect, forward_pod
from ..module_utils._kube.module import kube_module
from ..module_utils._loki import Loki
from ..module_utils._service import LOKI, arguments, open_service
from ..module_utils._verify.canary import LogCanary
from ..module_utils._verify.proof import WAIT_ARGS, verify

GRACE_SECONDS = 60
REMOVE_SECONDS = 10.0


def main() -> None:
    number = {"type": "int"}
    module = kube_module(
        arguments(
            loki=LOKI,
            image={"type": "str"},
            collector_labels={"type": "dict", "default": {"app.kubernetes.io/name": "alloy"}},
            steady={**number, "default": 15},
            burst={**number, "default": 1000},
            late_after={**number, "default": 60},
            **WAIT_ARGS | {"interval": {**number, "default": 1}},
        ),
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, findings=[], summary={"checked": 0, "passed": 0})
    params = module.params
    try:
        client = connect(params)
    except KubeError as error:
        module.fail_json(msg=str(error))
    canary = LogCanary(
        namespace=params["loki"]["namespace"],
        collector_labels=params["collector_labels"],
        image=params["image"] or "",
        seconds=params["timeout"] + GRACE_SECONDS,
        steady=params["steady"],
        burst=params["burst"],
        late_after=params["late_after"],
    )

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(params, "loki", deadline) as api:
            return canary.verify(Cluster(client, deadline), Loki(api))

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        if canary.canaries:
            cluster = Cluster(client, deadline)
            with open_service(params, "loki", deadline) as api:
                findings = canary.explained(cluster, Loki(api), lambda pod: ask_collector(cluster, pod)).findings
        return [Explained(finding) for finding in findings]

    try:
        verify(module, "Not every line arrives in Loki", probe, explain)
    finally:
        with contextlib.suppress(KubeError):  # then Kubernetes removes them
            canary.remove(Cluster(client, Deadline().within(REMOVE_SECONDS)))


def ask_collector(cluster: Cluster, pod: Mapping[str, Any]) -> Collector:
    """By its metrics; by nothing but its name where it has none."""
    namespace, name, port = pod["metadata"]["namespace"], pod["metadata"]["name"], metrics_port(pod)
    metrics = ""
    if port:
        with contextlib.suppress(HttpError, KubeError), forward_pod(cluster, namespace, name, port) as tunnel:
            metrics = Api(tunnel.pool, "", {}, deadline=cluster.deadline).get_text("/metrics")
    return read_collector(f"{namespace}/{name}", metrics)


if __name__ == "__main__":
    main()
