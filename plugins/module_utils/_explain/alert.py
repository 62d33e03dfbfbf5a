# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an alert's name by its rule and its condition to who is notified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._alertmanager.client import Alertmanager, KnownAlert
from .._alertmanager.notifications import Integration, last_error
from .._causes.chain import Chain, Step, broken, cause, is_broken, listed
from .._causes.delivery import notified, suppressed
from .._causes.metrics import Known
from .._causes.objects import Objects, full_name, labels_of, one_line
from .._causes.promql import NOT_CROSSED, expression_walk
from .._causes.rules import rule_chain
from .._causes.services import service_chain
from .._causes.walk import Question
from .._findings import did_you_mean
from .._http import Api, HttpError, parse
from .._kube import KubeError
from .._prometheus import LoadedRule, Prometheus
from .ask import Stack, ask, follow, reached
from .cluster import with_logs

RECENT_SECONDS = 600
"""What failed before may have been mended."""


def alert_chain(name: str, stack: Stack, alertmanager: Api | KubeError, known: Known) -> Chain:
    """A healthy chain ends with the alert that does not fire, or whose receivers take it."""
    rules = [rule for rule in stack.answer(Question("rules")) if rule.kind == "alerting"]
    own = [rule for rule in rules if rule.name == name]
    if not own:
        near = did_you_mean(name, [rule.name for rule in rules])
        below = rule_chain("", name, "", stack.objects(), known.home)
        return [broken(f"Prometheus has not loaded an alert {name}", near[:1].upper() + near[1:]), *below]
    (rule, *_others) = own
    chain = [Step(f"Prometheus has loaded {name} in group {rule.group}")]
    if rule.error:
        text = f"the rule cannot be evaluated: {one_line(rule.error)}"
        return [*chain, broken(text, "Correct the expression: its data differ from what it expects")]
    condition = _condition(own, stack, known)
    if is_broken(condition) or not _fires(name, stack):
        return [*chain, *condition]
    return [*chain, *condition, *_delivered(name, stack, alertmanager, known)]


def _condition(rules: Sequence[LoadedRule], stack: Stack, known: Known) -> Chain:
    """Whether the condition is met, and if not, whether it could be."""
    below: list[Step] = []
    for rule in rules:
        below = follow(expression_walk(rule.expr, known), stack)
        found = cause(below)
        if found is None:
            return [Step(f"its condition is met: {below[-1].text}") if below else Step("its condition was looked at")]
        if found.hint == NOT_CROSSED:
            return [Step(f"its condition is not met: {found.text}")]
    return [broken(f"{rules[0].name} cannot fire: its expression has no data", ""), *below]


def _fires(name: str, stack: Stack) -> bool:
    states = Question("vector", f'ALERTS{{alertname="{name}", alertstate="firing"}}')
    return bool(ask([states], stack).samples(states))


def _delivered(name: str, stack: Stack, alertmanager: Api | KubeError, known: Known) -> Iterator[Step]:
    """From a firing alert to its receivers."""
    yield Step(f"{name} fires")
    if not Prometheus(reached(stack.prometheus)).alertmanagers():
        yield broken("Prometheus has no active Alertmanager", "Check alerting.alertmanagers of the Prometheus object")
        return
    if isinstance(alertmanager, KubeError):
        yield broken(f"Alertmanager cannot be asked: {alertmanager.message}", alertmanager.hint)
        yield from service_chain(*known.alertmanager, stack.objects())
        return
    client = Alertmanager(alertmanager)
    held = client.find("alertname", name)
    if not held:
        yield broken(
            "Alertmanager does not have the alert that Prometheus fires",
            "Look at the log of Prometheus: it sends alerts each minute",
        )
        return
    kept_back = [alert for alert in held if alert.state == "suppressed"]
    if len(kept_back) == len(held):
        yield from _kept_back(kept_back[0], alertmanager)
        return
    receivers = sorted({receiver for alert in held if alert.state != "suppressed" for receiver in alert.receivers})
    yield Step(f"Alertmanager routes it to {listed(receivers)}")
    integrations = client.integrations()
    logs = _alertmanager_logs(stack)
    errors = {
        receiver: f"{kind}: {error}"
        for receiver in receivers
        for kind in integrations.get(receiver, ())
        if (error := last_error(logs, Integration(receiver, kind)))
    }
    yield from notified(receivers, errors, integrations)


def _kept_back(alert: KnownAlert, api: Api) -> Iterator[Step]:
    silences, names = "/api/v2/silences", "/api/v2/alerts"
    try:
        known = parse("Alertmanager", silences, lambda entries: dict(map(_silence, entries)), api.get(silences))
        alerts = parse("Alertmanager", names, lambda entries: dict(map(_name, entries)), api.get(names))
    except HttpError:
        known, alerts = {}, {}
    yield from suppressed(known, alerts, alert.silenced_by, alert.inhibited_by)


def _silence(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["id"]), one_line(f"{entry.get('createdBy', '')}: {entry.get('comment', '')}", 120)


def _name(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["fingerprint"]), str((entry.get("labels") or {}).get("alertname", ""))


def _alertmanager_logs(stack: Stack) -> str:
    """The ends of the logs of all Alertmanagers; empty where they cannot be read."""
    if stack.cluster is None:
        return ""
    objects: Objects = stack.objects()
    pods = [pod for pod in objects.of("pods") if labels_of(pod).get("app.kubernetes.io/name") == "alertmanager"]
    logs = with_logs(stack.cluster, objects, pods, RECENT_SECONDS).logs
    return "\n".join(logs.get(full_name(pod), "") for pod in pods)
