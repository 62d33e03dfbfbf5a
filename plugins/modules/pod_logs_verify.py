#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the logs of every running container arrive in Loki."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_logs_verify
short_description: Prove that the logs of every running container arrive in Loki
description:
  - Reads the last line of every running container of the cluster from the kubelet, static pods too, and asks Loki by
    one aggregate query for the newest line that it has of each. What was written when the module began must be in Loki.
  - Wants a ready collector on every node that runs containers, so that logs of quiet containers will be read too.
  - A container that wrote nothing is listed in RV(silent).
  - Says how long Loki may be away before the kubelet's rotation takes lines of the container that writes the most, by
    what the collectors count in Prometheus of each file. The kubelet's C(containerLogMaxSize) is its own where the
    credentials may C(get) C(nodes/proxy), a right as good as root on the node, and its default otherwise.
  - Waits for at most O(timeout) seconds, asking only for what is late.
options:
  window:
    description: How far back to look, in hours.
    type: int
    default: 1
  collector_labels:
    description: Labels of the collector's pods. An empty dictionary means that nodes are not looked at.
    type: dict
    default: {app.kubernetes.io/name: alloy}
  ignore_lines:
    description:
      - Regular expressions of lines that the collector drops by intention, such as health probes.
      - They are in the syntax of RE2, as the collector reads them.
    type: list
    elements: str
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.loki
  - ias.observability._services.prometheus
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that all logs arrive
  ias.observability.pod_logs_verify:
    ignore_lines: ['GET /(healthz|readyz|livez|health|metrics|ping)(\?[^ "]*)?( HTTP/[0-9.]+)?"? 2[0-9]{2}\b']
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: logs/no-collector, severity: error, object: node worker-2, message: no collector is ready on this node}
summary:
  description: How many containers that wrote something were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
silent:
  description: The running containers that wrote nothing, as namespace/pod/container.
  type: list
  elements: str
  returned: when Loki and the Kubernetes API answered
  sample: [kube-system/kube-proxy-x7k2p/kube-proxy]
outage_budget:
  description: For how many seconds Loki may be away before lines are lost, and the container that decides it.
  type: dict
  returned: when all logs arrived, and Prometheus has what the collectors read of each file
  sample:
    seconds: 8738
    container: ias-system/api-router-66f9979f44-zxsmf/api-router
    bytes_per_second: 1200
    log_max_size: 10Mi
    from_kubelet: false
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..module_utils._causes.merge import Explained
from ..module_utils._checks.result import CheckResult
from ..module_utils._ending import Module
from ..module_utils._explain import findings as causes
from ..module_utils._findings import Finding, failed
from ..module_utils._http import Deadline, HttpError
from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module
from ..module_utils._loki import Loki
from ..module_utils._prometheus import Prometheus
from ..module_utils._promql import patterns
from ..module_utils._promql.re2 import RegexError
from ..module_utils._service import LOKI, PROMETHEUS, arguments, open_service
from ..module_utils._verify.logs import LogCoverage
from ..module_utils._verify.outage_budget import read_outage_budget
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    module = kube_module(
        arguments(
            loki=LOKI,
            prometheus=PROMETHEUS,
            window={"type": "int", "default": 1},
            collector_labels={"type": "dict", "default": {"app.kubernetes.io/name": "alloy"}},
            ignore_lines={"type": "list", "elements": "str", "default": []},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    try:
        ignored = [compile_pattern(module, pattern) for pattern in module.params["ignore_lines"]]
        coverage = LogCoverage(module.params["window"], module.params["collector_labels"], ignored)
        client = connect(module.params)
    except KubeError as error:
        module.fail_json(msg=str(error))

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "loki", deadline) as api:
            result = coverage.verify(Cluster(client, deadline), Loki(api))
        return result if failed(result.findings) else with_budget(result, deadline)

    def with_budget(result: CheckResult, deadline: Deadline) -> CheckResult:
        """Logs are proved without Prometheus too."""
        budget = None
        with contextlib.suppress(HttpError, KubeError), open_service(module.params, "prometheus", deadline) as api:
            budget = read_outage_budget(Cluster(client, deadline), Prometheus(api), coverage.nodes)
        if budget is None:
            return result
        findings = [*result.findings, *filter(None, [budget.finding()])]
        return replace(result, findings=findings, facts={**result.facts, "outage_budget": budget.facts()})

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        return causes.logs(Cluster(client, deadline), coverage.collector_labels, module.params["loki"], findings)

    verify(module, "Not all logs arrive", probe, explain)


def compile_pattern(module: Module, pattern: str) -> patterns.Pattern:
    try:
        return patterns.compile(pattern)
    except RegexError as error:
        module.fail_json(msg=f"ignore_lines: {pattern!r} is not a regular expression: {error}")
        raise


if __name__ == "__main__":
    main()
