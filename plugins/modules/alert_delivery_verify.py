#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that an alert reaches its receiver."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_delivery_verify
short_description: Prove that an alert reaches its receiver
description:
  - Sends an alert of its own to Alertmanager, as Prometheus would, under a name that no other alert has, and follows
    it. Fails unless Alertmanager keeps it for O(receiver) and, if O(webhook) is given, the receiver has got it.
  - The alert is told as resolved when it has arrived, and resolves by itself five minutes after a proof that failed.
  - Whoever stands behind the receiver is really told. Choose O(labels) so that nobody is woken up.
  - In check mode nothing is sent; the module looks only whether the receiver exists.
options:
  labels:
    description: Labels of the alert, which decide on its way. Its C(alertname) is the module's.
    type: dict
    default:
      severity: info
  receiver:
    description: The receiver that must get it.
    type: str
    default: info
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run sends an alert.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.alertmanager
  - ias.observability._services.webhook
  - ias.observability._proof
  - ias.observability._attributes
"""

EXAMPLES = r"""
- name: Prove that information is routed, without asking who got it
  ias.observability.alert_delivery_verify:

- name: Prove that a page arrives at the webhook of the lab
  ias.observability.alert_delivery_verify:
    labels: {severity: critical}
    receiver: page
    webhook: {service: alert-receiver, port: 8080}
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: delivery/not-received, severity: error, object: page, message: the webhook has not got it}
summary:
  description: How many steps of the way were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 3, passed: 3}
routed_to:
  description: The receivers that Alertmanager keeps the alert for.
  type: list
  elements: str
  returned: when Alertmanager answered
  sample: [page]
received_by:
  description: The receivers under whose name the webhook has got it.
  type: list
  elements: str
  returned: when Alertmanager answered
  sample: [page]
"""

import datetime
import secrets
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._alertmanager.client import Alertmanager
from ..module_utils._checks.delivery import check_delivery, check_receivers
from ..module_utils._checks.result import CheckResult
from ..module_utils._findings import failed
from ..module_utils._http import Deadline, parse
from ..module_utils._service import ALERTMANAGER, WEBHOOK, arguments, open_service
from ..module_utils._verify.proof import WAIT_ARGS, verify

LIFE = datetime.timedelta(minutes=5)
"""Longer than the clocks of two machines differ."""
ANNOTATIONS = {
    "summary": "A test: an alert finds its way to its receiver",
    "description": "Sent by module alert_delivery_verify. Nothing is wrong; it resolves by itself.",
}


def main() -> None:
    module = AnsibleModule(
        arguments(
            alertmanager=ALERTMANAGER,
            webhook=WEBHOOK,
            labels={"type": "dict", "default": {"severity": "info"}},
            receiver={"type": "str", "default": "info"},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    receiver = module.params["receiver"]
    # A name of its own makes a group of its own: nothing to wait for but group_wait.
    name = f"DeliveryProof-{secrets.token_hex(8)}"
    started = now()
    labels = {**{key: str(value) for key, value in module.params["labels"].items()}, "alertname": name}

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "alertmanager", deadline) as api:
            alertmanager = Alertmanager(api)
            if module.check_mode:
                return check_receivers(receiver, alertmanager.receivers())
            alertmanager.send(labels, ANNOTATIONS, (started, now() + LIFE))
            result = check_delivery(receiver, alertmanager.find(name), received(module.params, name, deadline))
            if not failed(result.findings):
                alertmanager.send(labels, ANNOTATIONS, (started, now()))
            return result

    verify(module, "An alert does not reach its receiver", probe)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def received(params: dict[str, Any], name: str, deadline: Deadline) -> list[dict[str, Any]] | None:
    """What the webhook has got of it; None where it is not asked."""
    if not params["webhook"]:
        return None
    with open_service(params, "webhook", deadline) as api:
        answer = api.get("/alerts", {"alertname": name})
        return parse("an alert receiver", "/alerts", lambda alerts: [dict(alert) for alert in alerts], answer)


if __name__ == "__main__":
    main()
