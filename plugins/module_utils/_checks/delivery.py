# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an alert find its way to its receiver, and does the receiver take it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._alertmanager.client import KnownAlert
from .._alertmanager.notifications import Integration, Notifications, last_error
from .._findings import Finding
from .result import CheckResult

Got = Sequence[Mapping[str, Any]]
Integrations = Mapping[str, Counter[str]]
"""How many integrations of each kind a receiver has."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One test alert, and what is known of it."""

    receiver: str
    """Who must get it."""
    known: Sequence[KnownAlert]
    """As the Alertmanagers hold it."""
    got: Got | None
    """What the webhook got of it; None: it is not asked."""

    @property
    def routed(self) -> list[str]:
        """The receivers that it is kept for."""
        return sorted({name for alert in self.known for name in alert.receivers})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the Alertmanagers say of notifications since the alerts were sent."""

    integrations: Integrations
    sent: Notifications
    log: str = ""


def check_deliveries(deliveries: Sequence[Delivery], evidence: Evidence) -> CheckResult:
    """Every alert is held, is kept for its receiver, and every integration of every receiver of it has taken it."""
    checked = passed = 0
    found: list[Finding] = []
    receivers = sorted({name for delivery in deliveries for name in delivery.routed})
    notified = {name: list(_notified(name, receivers, evidence)) for name in receivers}
    for delivery in deliveries:
        steps = [_held(delivery), _routed(delivery), [one for name in delivery.routed for one in notified[name]]]
        if delivery.got is not None:
            steps.append(_received(delivery, delivery.got))
        checked += len(steps)
        for step in steps:
            found += [finding for finding in step if finding not in found]
            if any(finding.severity == "error" for finding in step):
                break
            passed += 1
    if deliveries and not evidence.sent.names_receivers:
        found.append(_anonymous())
    got = {str(entry.get("receiver")) for delivery in deliveries for entry in delivery.got or ()}
    return CheckResult(checked, passed, found, {"routed_to": receivers, "received_by": sorted(got)})


def check_receivers(receivers: Iterable[str], integrations: Integrations) -> CheckResult:
    """What can be said without an alert: whether there are such receivers, and whether they notify anybody."""
    names = list(dict.fromkeys(receivers))
    found = [
        finding
        for name in names
        for finding in ([_no_integration(name)] if name in integrations else [_unknown(name, integrations)])
        if not integrations.get(name)
    ]
    return CheckResult(len(names), len(names) - len(found), found, {"routed_to": [], "received_by": []})


def _held(delivery: Delivery) -> list[Finding]:
    if not delivery.known:
        message = "Alertmanager took the alert, but does not list it"
        hint = "Several Alertmanagers behind one service must form a cluster: see alertmanager_cluster_members"
        return [Finding("delivery/not-held", "error", message, hint, object=delivery.receiver)]
    if all(alert.state == "suppressed" for alert in delivery.known):
        silences = sorted({silence for alert in delivery.known for silence in alert.silenced_by})
        why = f"by silence {', '.join(silences)}" if silences else "by another alert (inhibition)"
        message = f"the alert is kept back {why}"
        hint = "A silence or an inhibition that matches this alert matches everything: make it narrower"
        return [Finding("delivery/suppressed", "error", message, hint, object=delivery.receiver)]
    return []


def _routed(delivery: Delivery) -> list[Finding]:
    if delivery.receiver in delivery.routed:
        return []
    message = f"the alert goes to {', '.join(delivery.routed) or 'nobody'}, not to {delivery.receiver}"
    hint = "Compare its labels with the routes of alertmanager.yaml: amtool config routes test"
    return [Finding("delivery/wrong-receiver", "error", message, hint, object=delivery.receiver)]


def _notified(receiver: str, receivers: Sequence[str], evidence: Evidence) -> Iterator[Finding]:
    """What keeps a receiver from having been notified by each of its integrations."""
    nothing: Counter[str] = Counter()
    by_receiver = evidence.sent.names_receivers
    for kind, own in sorted(evidence.integrations.get(receiver, nothing).items()):
        # Counters without the receiver's name are those of all receivers together.
        count = own if by_receiver else sum(evidence.integrations.get(name, nothing)[kind] for name in receivers)
        counter = Integration(receiver if by_receiver else "", kind)
        failed = evidence.sent.failed_requests[counter]
        succeeded = evidence.sent.requests[counter] - failed
        if failed and (succeeded < count or count > 1):
            yield _refused(Integration(receiver, kind), counter, evidence)
        elif failed:
            message = f"{kind} took the alert, after {failed} failed {_attempts(failed)}"
            hint = "The log of Alertmanager says why"
            yield Finding("delivery/repeated", "warning", message, hint, object=f"receiver {receiver}")
        elif succeeded < count:
            message = f"{kind} has not been notified: {succeeded} of {count} notifications since the alert was sent"
            hint = "Alertmanager waits for group_wait, or for group_interval where the group exists: raise the timeout"
            yield Finding("delivery/not-notified", "error", message, hint, object=f"receiver {receiver}")


def _refused(integration: Integration, counter: Integration, evidence: Evidence) -> Finding:
    failed, requests = evidence.sent.failed_requests[counter], evidence.sent.requests[counter]
    reasons = sorted({reason for (key, reason), count in evidence.sent.given_up.items() if key == counter and count})
    reason = f"reason {', '.join(reasons)}" if reasons else "it goes on trying"
    error = last_error(evidence.log, integration)
    message = (
        f"{integration.kind} fails: {failed} of {requests} {_attempts(requests)}, {reason}{error and f': {error}'}"
    )
    hint = "Correct the address or the key in the receiver's Secret; the log of Alertmanager says more"
    return Finding("delivery/failed", "error", message, hint, object=f"receiver {integration.receiver}")


def _attempts(count: int) -> str:
    return "attempt" if count == 1 else "attempts"


def _received(delivery: Delivery, got: Got) -> list[Finding]:
    if any(entry.get("receiver") == delivery.receiver and entry.get("status") == "firing" for entry in got):
        return []
    message = "Alertmanager holds the alert for its receiver, but the webhook has not got it"
    hint = "It waits for group_wait first; then the log of Alertmanager says why a notification failed"
    return [Finding("delivery/not-received", "error", message, hint, object=delivery.receiver)]


def _no_integration(receiver: str) -> Finding:
    message = "it has no integration: nobody is notified of its alerts"
    hint = "Give it one (prometheus_receivers), or take it out of the receivers that must notify (verify_alerts)"
    return Finding("delivery/no-integration", "error", message, hint, object=f"receiver {receiver}")


def _unknown(receiver: str, integrations: Integrations) -> Finding:
    message = f"Alertmanager has no receiver {receiver}: it has {', '.join(integrations) or 'none'}"
    return Finding("delivery/no-receiver", "error", message, "Correct the receiver, or the routing that is loaded")


def _anonymous() -> Finding:
    message = "Alertmanager counts notifications by integration only, so one receiver's may stand for another's"
    hint = "Start it with --enable-feature=receiver-name-in-metrics (values: alertmanager.enableFeatures)"
    return Finding("delivery/counters", "warning", message, hint)
