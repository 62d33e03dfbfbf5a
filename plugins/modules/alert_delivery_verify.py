#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that an alert reaches its receiver."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_delivery_verify
short_description: Prove that alerts reach their receivers
description:
  - Sends test alerts to every Alertmanager, as Prometheus would, and follows them. Fails unless Alertmanager keeps each
    for its receiver, and every integration of every receiver that it is kept for has taken a notification since.
  - Whether it did, Alertmanager's own counters say, of each pod. An address that refuses, or a wrong key, fails the
    proof with the integration, the reason and the last error.
  - A receiver without an integration notifies nobody, and fails the proof.
  - An alert is resolved when it has arrived, and resolves by itself five minutes after a proof that failed.
  - Whoever stands behind a receiver is really notified. The alert has the label C(delivery_proof), and says that it is
    a test.
  - In check mode nothing is sent; the module looks only whether each receiver exists and has an integration.
options:
  alerts:
    description: The alerts. With an empty list nothing is proved.
    type: list
    elements: dict
    default:
      - {receiver: page, labels: {severity: critical}}
      - {receiver: watchdog, labels: {alertname: Watchdog, severity: none}}
    suboptions:
      receiver:
        description: The receiver that must get it.
        type: str
        required: true
      labels:
        description:
          - Labels of the alert, which decide on its way. Without C(alertname) it has a name that no other alert has, so
            that it need not wait for a group that exists.
        type: dict
        default: {}
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run sends alerts.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.alertmanager
  - ias.observability._services.webhook
  - ias.observability._proof
  - ias.observability._attributes
"""

EXAMPLES = r"""
- name: Prove that a page and the watchdog reach somebody
  ias.observability.alert_delivery_verify:

- name: Prove that a ticket arrives, also at the webhook of the lab
  ias.observability.alert_delivery_verify:
    alerts:
      - {receiver: ticket, labels: {severity: warning}}
    webhook: {service: alert-receiver, port: 8080}
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: delivery/failed
      severity: error
      object: receiver page
      message: "slack fails: 1 of 1 attempt, reason clientError: unexpected status code 404"
summary:
  description: How many steps of the alerts' ways were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 6, passed: 6}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
routed_to:
  description: The receivers that Alertmanager keeps the alerts for.
  type: list
  elements: str
  returned: when Alertmanager answered
  sample: [page]
received_by:
  description: The receivers under whose name the webhook has got one.
  type: list
  elements: str
  returned: when Alertmanager answered
  sample: [page]
"""

import datetime
import secrets
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._alertmanager.client import Alertmanager, KnownAlert
from ..module_utils._alertmanager.notifications import Notifications, total
from ..module_utils._checks.delivery import Delivery, Evidence, check_deliveries, check_receivers
from ..module_utils._checks.result import CheckResult
from ..module_utils._ending import end
from ..module_utils._findings import failed
from ..module_utils._http import Deadline, parse
from ..module_utils._kube.module import kube_module
from ..module_utils._service import ALERTMANAGER, WEBHOOK, Replica, arguments, open_replicas, open_service
from ..module_utils._verify.proof import WAIT_ARGS, prove

LIFE = datetime.timedelta(minutes=5)
"""Longer than the clocks of two machines differ."""
LABEL = "delivery_proof"
"""Of each alert that is sent, with a value that no other alert has."""
ANNOTATIONS = {
    "summary": "A test: an alert finds its way to its receiver",
    "description": "Sent by module alert_delivery_verify. Nothing is wrong; it resolves by itself.",
}
ALERTS = [
    {"receiver": "page", "labels": {"severity": "critical"}},
    {"receiver": "watchdog", "labels": {"alertname": "Watchdog", "severity": "none"}},
]
OPTIONS = {"receiver": {"type": "str", "required": True}, "labels": {"type": "dict", "default": {}}}


class Proof:
    """Test alerts, sent again with each probe until their receivers have been notified."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.started = now()
        self.alerts = [labelled(entry["labels"], secrets.token_hex(8)) for entry in module.params["alerts"]]
        self.before: dict[str, Notifications] | None = None

    def probe(self, deadline: Deadline) -> CheckResult:
        with open_replicas(self.module.params, "alertmanager", deadline) as replicas:
            clients = {replica.pod: Alertmanager(replica.api) for replica in replicas}
            integrations = next(iter(clients.values())).integrations()
            receivers = [entry["receiver"] for entry in self.module.params["alerts"]]
            configured = check_receivers(receivers, integrations)
            if self.module.check_mode or failed(configured.findings):
                return configured
            if self.before is None:
                self.before = {pod: client.notifications() for pod, client in clients.items()}
            self.send(clients, now() + LIFE)
            before = self.before
            sent = total(
                client.notifications().since(before.get(pod, Notifications())) for pod, client in clients.items()
            )
            deliveries = [
                Delivery(receiver, self.known(clients, proof), received(self.module.params, proof, deadline))
                for receiver, proof in zip(receivers, (alert[LABEL] for alert in self.alerts), strict=True)
            ]
            log = self.log(replicas) if sent.failed_requests.total() else ""
            result = check_deliveries(deliveries, Evidence(integrations, sent, log))
            if not failed(result.findings):
                self.send(clients, now())
            return result

    def send(self, clients: dict[str, Alertmanager], until: datetime.datetime) -> None:
        """To every Alertmanager, as Prometheus does."""
        for client in clients.values():
            for alert in self.alerts:
                client.send(alert, ANNOTATIONS, (self.started, until))

    @staticmethod
    def known(clients: dict[str, Alertmanager], proof: str) -> list[KnownAlert]:
        return [alert for client in clients.values() for alert in client.find(LABEL, proof)]

    def log(self, replicas: list[Replica]) -> str:
        seconds = int((now() - self.started).total_seconds()) + 1
        return "\n".join(replica.log("alertmanager", seconds) for replica in replicas)


def main() -> None:
    module = kube_module(
        arguments(
            alertmanager=ALERTMANAGER,
            webhook=WEBHOOK,
            alerts={"type": "list", "elements": "dict", "default": ALERTS, "options": OPTIONS},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    if not module.params["alerts"]:
        module.exit_json(changed=False, findings=[], summary={"checked": 0, "passed": 0}, routed_to=[], received_by=[])
    findings, result = prove(module, Proof(module).probe)
    cause = f" ({findings[0].object}: {findings[0].message})" if failed(findings) else ""
    end(module, f"An alert does not reach its receiver{cause}", findings, **result)


def labelled(labels: dict[str, Any], proof: str) -> dict[str, str]:
    """The labels of one test alert; a name of its own makes a group of its own: nothing to wait for but group_wait."""
    own = {key: str(value) for key, value in labels.items()}
    return {"alertname": f"DeliveryProof-{proof}", **own, LABEL: proof}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def received(params: dict[str, Any], proof: str, deadline: Deadline) -> list[dict[str, Any]] | None:
    """What the webhook has got of it; None where it is not asked."""
    if not params["webhook"]:
        return None
    with open_service(params, "webhook", deadline) as api:
        answer = api.get("/alerts", {LABEL: proof})
        return parse("an alert receiver", "/alerts", lambda alerts: [dict(alert) for alert in alerts], answer)


if __name__ == "__main__":
    main()
