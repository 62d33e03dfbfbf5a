#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the routing leads every alert to somebody."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_routing_verify
short_description: Prove that the routing leads every alert to somebody
description:
  - Asks Prometheus for all its alerting rules, those of charts too, and Alertmanager for the configuration that it
    runs. Each alert is routed by the labels that its rule sets, as Alertmanager would. No alert is sent.
  - An alert that reaches no receiver with an integration is an error where it is critical, else a warning
    (C(alerts/no-integration)). Severities V(info) and V(none) may be meant for nobody.
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
  - ias.observability._services.alertmanager
  - ias.observability._proof
  - ias.observability._attributes.read_only
seealso:
  - module: ias.observability.alert_delivery_verify
"""

EXAMPLES = r"""
- name: Prove that every alert has somebody to reach
  ias.observability.alert_routing_verify:
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: alerts/no-integration
      severity: error
      object: receiver page
      message: "21 critical alerts reach nobody (ServiceDown, DatabaseDown, HighErrorRate and 9 more): no integration"
summary:
  description: How many alerting rules there are, and how many of them reach somebody or need not.
  type: dict
  returned: always
  sample: {checked: 190, passed: 190}
receivers:
  description: The receivers of the configuration.
  type: list
  elements: str
  returned: when Prometheus and Alertmanager answered
  sample: [info, none, page, ticket, watchdog]
waived:
  description: The findings that were let through.
  type: list
  elements: dict
  returned: when Prometheus and Alertmanager answered
"""

from ..module_utils._alertmanager.client import Alertmanager
from ..module_utils._checks.result import CheckResult
from ..module_utils._checks.routing import check_routing
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._prometheus import Prometheus
from ..module_utils._service import ALERTMANAGER, PROMETHEUS, arguments, open_service
from ..module_utils._verify.proof import WAIT_ARGS, verify
from ..module_utils._verify.waiving import WAIVERS_ARGS, without_waived


def main() -> None:
    options = arguments(prometheus=PROMETHEUS, alertmanager=ALERTMANAGER, **WAIVERS_ARGS, **WAIT_ARGS)
    module = kube_module(options, supports_check_mode=True)

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "prometheus", deadline) as api:
            rules = [rule for group in Prometheus(api).rule_groups() for rule in group.rules]
        with open_service(module.params, "alertmanager", deadline) as api:
            configuration = Alertmanager(api).configuration()
        return without_waived(check_routing(configuration, rules), module.params["waivers"])

    verify(module, "An alert reaches nobody", probe)


if __name__ == "__main__":
    main()
