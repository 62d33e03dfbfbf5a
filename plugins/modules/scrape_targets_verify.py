#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that Prometheus scrapes every target."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scrape_targets_verify
short_description: Prove that Prometheus scrapes every target
description:
  - Asks Prometheus for its active targets and fails unless all of them are up, and were scraped within two of their
    intervals by Prometheus' own clock (C(targets/stale)).
  - Fails when Prometheus has refused its newest configuration and runs an older one (C(targets/configuration)), or has
    not loaded it yet, which shows by targets of monitors that it does not select any more (C(targets/not-loaded)).
  - Where Prometheus is reached through the cluster, each endpoint of a ServiceMonitor or PodMonitor that it selects
    must have an active target (C(targets/monitor)), for Prometheus does not tell of one that selects nothing. Outside
    the namespace of Prometheus such a monitor is a warning.
  - Waits for targets that are not there or not up yet, for at most O(timeout) seconds.
options:
  jobs:
    description: Jobs that must have at least one active target. A job without one is otherwise not seen at all.
    type: list
    elements: str
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.prometheus
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that everything is scraped
  ias.observability.scrape_targets_verify:
    jobs: [user-service, api-router]

- name: Look once, at a Prometheus with a URL
  ias.observability.scrape_targets_verify:
    prometheus:
      url: https://prometheus.example.org
      token: "{{ prometheus_token }}"
    timeout: 0
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: targets/down, severity: error, object: api-router, message: connection refused}
summary:
  description: How many targets were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
jobs:
  description: The targets of each job, by state.
  type: dict
  returned: when Prometheus answered
  sample: {api-router: {up: 2, down: 0}}
"""

from collections.abc import Iterable, Sequence

from ..module_utils import _kube
from ..module_utils._causes.merge import Explained
from ..module_utils._checks.result import CheckResult
from ..module_utils._checks.targets import check_targets
from ..module_utils._explain import findings as causes
from ..module_utils._findings import Finding
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._kube.monitors import selected
from ..module_utils._prometheus import Prometheus
from ..module_utils._service import PROMETHEUS, arguments, open_service
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    jobs = {"type": "list", "elements": "str", "default": []}
    module = kube_module(arguments(prometheus=PROMETHEUS, jobs=jobs, **WAIT_ARGS), supports_check_mode=True)

    home, url = module.params["prometheus"]["namespace"], module.params["prometheus"]["url"]

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "prometheus", deadline) as api:
            prometheus = Prometheus(api)
            targets, now, runtime = prometheus.targets(), prometheus.now(), prometheus.runtime()
        monitors = None if url else selected(_kube.Cluster(_kube.connect(module.params), deadline), home)
        return check_targets(targets, module.params["jobs"], monitors, home, now=now, runtime=runtime)

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        with open_service(module.params, "prometheus", deadline) as api:
            targets, pools = Prometheus(api).targets(), Prometheus(api).dropped()
        return causes.targets(_kube.Cluster(_kube.connect(module.params), deadline), home, findings, targets, pools)

    verify(module, "Not everything is scraped", probe, None if url else explain)


if __name__ == "__main__":
    main()
