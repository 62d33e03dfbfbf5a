#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that no alert fires."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firing_alerts_verify
short_description: Prove that no alert fires but what the site is known for
description:
  - Asks Prometheus for the alerts of all its rules, those of charts too. One that fires is an error (C(alerts/firing)),
    with its labels, since when, its summary and runbook.
  - Alerts with severity V(none), such as a watchdog and helpers of inhibition, fire by design. Those with severity
    V(info), and alerts that are pending (C(alerts/pending)), are information.
  - Waits for at most O(timeout) seconds until they have resolved.
options:
  waivers:
    description:
      - A file with a list C(waivers) of findings to let through. Each has C(id), C(reason), C(until) (a date) and
        optionally C(object); C(id) and C(object) may hold C(*).
      - A waiver that has expired is an error. One that covers nothing is none, as what it waives may come and go.
    type: path
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.prometheus
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that nothing fires but what this site is known for
  ias.observability.firing_alerts_verify:
    # waivers:
    #   - id: alerts/firing
    #     object: KubeCPUOvercommit*
    #     reason: a test cluster, one node is enough
    #     until: 2027-06-30
    waivers: waivers/test.yaml
"""

RETURN = r"""
findings:
  description: The alerts that fire or are pending; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: alerts/firing
      severity: error
      object: ServiceDown job=vllm namespace=ias-system service=vllm
      message: "fires since 2027-01-31 12:00:00 UTC, critical: vllm is down"
summary:
  description: How many alerting rules there are, and how many of them do not fire or are waived.
  type: dict
  returned: always
  sample: {checked: 190, passed: 190}
waived:
  description: The findings that were let through.
  type: list
  elements: dict
  returned: when Prometheus answered
"""

from ..module_utils._checks.firing import check_firing
from ..module_utils._checks.result import CheckResult
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._prometheus import Prometheus
from ..module_utils._service import PROMETHEUS, arguments, open_service
from ..module_utils._verify.proof import WAIT_ARGS, verify
from ..module_utils._verify.waiving import WAIVERS_ARGS, without_waived


def main() -> None:
    module = kube_module(arguments(prometheus=PROMETHEUS, **WAIVERS_ARGS, **WAIT_ARGS), supports_check_mode=True)

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "prometheus", deadline) as api:
            rules = [rule for group in Prometheus(api).rule_groups() for rule in group.rules]
        return without_waived(check_firing(rules), module.params["waivers"])

    verify(module, "An alert fires", probe)


if __name__ == "__main__":
    main()
