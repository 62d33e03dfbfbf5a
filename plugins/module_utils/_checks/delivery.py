# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an alert find its way to its receiver?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._alertmanager.client import KnownAlert
from .._findings import Finding
from .result import CheckResult

Got = Sequence[Mapping[str, Any]]


def check_delivery(receiver: str, known: Sequence[KnownAlert], got: Got | None) -> CheckResult:
    """Alertmanager holds the alert, keeps it for the right receiver, and the receiver has it; None: it is not asked."""
    checked = 2 if got is None else 3
    routed = sorted({name for alert in known for name in alert.receivers})
    facts: dict[str, object] = {
        "routed_to": routed,
        "received_by": sorted({str(one.get("receiver")) for one in got or ()}),
    }
    wrong = _held(known) or _routed(receiver, routed)
    if wrong:
        return CheckResult(checked, int(bool(known)), [wrong], facts)
    if got is not None and not any(one.get("receiver") == receiver and one.get("status") == "firing" for one in got):
        missing = Finding(
            "delivery/not-received",
            "error",
            "Alertmanager holds the alert for its receiver, but the webhook has not got it",
            "It waits for group_wait first; then the log of Alertmanager says why a notification failed",
            object=receiver,
        )
        return CheckResult(checked, 2, [missing], facts)
    return CheckResult(checked, checked, (), facts)


def check_receivers(receiver: str, names: Sequence[str]) -> CheckResult:
    """What can be said without an alert: whether there is such a receiver."""
    found = () if receiver in names else (_unknown(receiver, names),)
    return CheckResult(1, 1 - len(found), found, {"routed_to": [], "received_by": []})


def _held(known: Sequence[KnownAlert]) -> Finding | None:
    if not known:
        return Finding(
            "delivery/not-held",
            "error",
            "Alertmanager took the alert, but does not list it",
            "Several Alertmanagers behind one service must form a cluster: see alertmanager_cluster_members",
        )
    if all(alert.state == "suppressed" for alert in known):
        silences = sorted({one for alert in known for one in alert.silenced_by})
        why = f"by silence {', '.join(silences)}" if silences else "by another alert (inhibition)"
        return Finding(
            "delivery/suppressed",
            "error",
            f"the alert is kept back {why}",
            "A silence or an inhibition that matches this alert matches everything: make it narrower",
        )
    return None


def _routed(receiver: str, routed: Sequence[str]) -> Finding | None:
    if receiver in routed:
        return None
    return Finding(
        "delivery/wrong-receiver",
        "error",
        f"the alert goes to {', '.join(routed) or 'nobody'}, not to {receiver}",
        "Compare its labels with the routes of alertmanager.yaml: amtool config routes test",
        object=receiver,
    )


def _unknown(receiver: str, names: Sequence[str]) -> Finding:
    return Finding(
        "delivery/no-receiver",
        "error",
        f"Alertmanager has no receiver {receiver}: it has {', '.join(names) or 'none'}",
        "Correct the option receiver, or the routing that is loaded",
        object=receiver,
    )
