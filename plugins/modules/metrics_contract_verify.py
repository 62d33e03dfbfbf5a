#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell where a live Prometheus does not have what the metrics contract promises."""

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics_contract_verify
short_description: Compare the metrics contract with a live Prometheus
description:
  - Reads a metrics contract and asks Prometheus, service by service, for its targets, the types that they tell, the
    series of each declared metric and the values of its labels.
  - Tells what is missing, has another type or a value that is not allowed, has more label values than the contract
    allows, lacks a label that is not C(optional), or is exposed but not declared (of services that are C(exhaustive)),
    services with more series than their C(max_series), and objectives whose seconds are no bucket of their histogram.
    Names are translated by C(names) of the contract.
  - Fails when a finding is an error, after it has waited at most O(timeout) seconds for it to go away. What is exposed
    but not declared is a warning.
options:
  contract:
    description: The contract's file, such as C(contracts/services.yaml).
    type: path
    required: true
  services:
    description: The services of the contract that this site runs; others are not looked at. Empty means all.
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
- name: Tell whether every service keeps its contract
  ias.observability.metrics_contract_verify:
    contract: contracts/services.yaml

- name: Look once at one service, at a Prometheus with a URL
  ias.observability.metrics_contract_verify:
    contract: contracts/services.yaml
    services: [api-router]
    prometheus:
      url: https://prometheus.example.org
      token: "{{ prometheus_token }}"
    timeout: 0
"""

RETURN = r"""
findings:
  description: Everything in which the contract is not kept; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: contract/missing, severity: error, object: api-router/router_tokens_total, message: it has no series}
summary:
  description: How many metrics were checked, and how many are as the contract says.
  type: dict
  returned: always
  sample: {checked: 148, passed: 148}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
services:
  description: Targets of each service, its declared metrics with a series, their series, and all series of its targets.
  type: dict
  returned: when Prometheus answered
  sample: {api-router: {targets: 1, metrics: 12, series: 61, all_series: 240}}
"""

from collections.abc import Iterable, Sequence

from ..module_utils import _kube
from ..module_utils._causes.merge import Explained
from ..module_utils._checks.result import CheckResult
from ..module_utils._contract_file import RUNNING_ARGS, UNFIT, read_running
from ..module_utils._ending import end
from ..module_utils._explain import findings as causes
from ..module_utils._findings import Finding, failed
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._prometheus import Prometheus
from ..module_utils._service import PROMETHEUS, arguments, open_service
from ..module_utils._verify.metrics_contract import verify as verify_contract
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    module = kube_module(
        arguments(
            **RUNNING_ARGS | {"contract": {"type": "path", "required": True}},
            prometheus=PROMETHEUS,
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    running, findings = read_running(module.params["contract"], module.params["services"])
    if running is None or failed(findings):
        end(module, UNFIT, findings)
        return
    contract = running.own_contract

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "prometheus", deadline) as api:
            return verify_contract(Prometheus(api), contract)

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        cluster = _kube.Cluster(_kube.connect(module.params), deadline)
        with open_service(module.params, "prometheus", deadline) as api:
            return list(causes.contract(cluster, api, module.params["prometheus"]["namespace"], contract, findings))

    verify(module, "The metrics contract is not kept", probe, None if module.params["prometheus"]["url"] else explain)


if __name__ == "__main__":
    main()
