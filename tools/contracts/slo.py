# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that follow from services.yaml: is a service there, does it log, how fast does it spend its error budget.

Burn rates by two windows each, as the Site Reliability Workbook has them (chapter 5), for a budget of 30 days: a long
window says that it matters, a short one that it still goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract, Service
from ansible_collections.ias.observability.plugins.module_utils._contract.objectives import Objective
from ansible_collections.ias.observability.plugins.module_utils._promql.literals import format_duration, parse_duration
from ansible_collections.ias.observability.plugins.module_utils._promql.printer import quote

Rule = dict[str, Any]

RUNBOOKS = "https://github.com/ias-observability/ias.observability/blob/main/contracts/runbooks"
MOST_REQUESTS_IGNORED = 0.1
"""Events per second: nobody is woken up by the failure of one of a handful."""


@dataclass(frozen=True, slots=True)
class Burn:
    """An alert's urgency: it fires where one of the pairs of windows burns that many times what would last 30 days."""

    severity: str
    hold: str
    pairs: tuple[tuple[float, str, str], ...]
    """(factor, long window, short window)."""
    consequence: str


PAGE = Burn("critical", "2m", ((14.4, "1h", "5m"), (6, "6h", "30m")), "is spent within five days")
TICKET = Burn("warning", "15m", ((3, "1d", "2h"), (1, "3d", "6h")), "is spent before they are over")
WINDOWS = ("30m", "1h", "2h", "6h", "1d", "3d")

# objective: (alert, what is spent, dashboard)
ALERTS = {
    "availability": ("AvailabilityBudgetBurn", "failures", "ias-system-overview"),
    "latency": ("LatencyBudgetBurn", "slow answers", "ias-system-overview"),
    "time_to_first_token": ("TimeToFirstTokenBudgetBurn", "late first tokens", "ias-vllm"),
    "inter_token_latency": ("InterTokenLatencyBudgetBurn", "slow tokens", "ias-vllm"),
}


@dataclass(frozen=True, slots=True)
class Described:
    """services.yaml, as far as rules follow from it."""

    services: tuple[Service, ...]
    """Those with targets."""
    owners: dict[str, str]
    """The team, by service."""
    namespaces: tuple[str, ...]
    """Where services run that declare logs."""


def describe(contract: Contract, services: dict[str, dict[str, Any]]) -> Described:
    """`services` is the mapping of that name in services.yaml."""
    scraped = tuple(service for service in contract.services.values() if service.job)
    logging = {service.namespace for service in scraped if "logs" in services[service.name]}
    return Described(scraped, {name: entry["owner"] for name, entry in services.items()}, tuple(sorted(logging)))


def rule_file(described: Described) -> dict[str, list[Rule]]:
    """A Prometheus rule file."""
    owners = described.owners
    groups = [
        {
            "name": "ias-services.targets",
            "rules": [down(service, owners[service.name]) for service in described.services],
        },
        {"name": "ias-services.logs", "rules": [no_logs(namespace) for namespace in described.namespaces]},
    ]
    groups += [
        {"name": f"ias-slo.{service.name}", "rules": list(burning(service, owners[service.name]))}
        for service in described.services
        if service.objectives
    ]
    return {"groups": groups}


def down(service: Service, owner: str) -> Rule:
    target = f'up{{namespace="{service.namespace}", job="{service.job}"}}'
    return {
        "alert": "ServiceDown",
        "expr": f"max by (namespace, job) ({target}) == 0\n  or absent({target})\n",
        "for": "3m",
        "labels": {"severity": "critical", "owner": owner, "service": service.name},
        "annotations": {
            "summary": f"{service.name} is down",
            "description": "No target of job {{ $labels.job }} in {{ $labels.namespace }} could be scraped for three "
            "minutes, or there is none.",
            **_links("ServiceDown", "ias-system-overview"),
        },
    }


def no_logs(namespace: str) -> Rule:
    running = f'kube_pod_status_phase{{namespace="{namespace}", phase="Running"}}'
    read = f'namespace:log_lines_read:rate15m{{namespace="{namespace}"}}'
    return {
        "alert": "NoLogs",
        "expr": f"sum by (namespace) ({running}) > 0\n  unless on (namespace) {read} > 0\n",
        "for": "15m",
        "labels": {"severity": "warning", "owner": "platform"},
        "annotations": {
            "summary": "Namespace {{ $labels.namespace }} logs nothing",
            "description": "{{ $value }} pods run in {{ $labels.namespace }}, but no line of theirs was read for half "
            "an hour.",
            **_links("NoLogs", "ias-stack-health"),
        },
    }


def burning(service: Service, owner: str) -> Iterator[Rule]:
    """The records of each objective, then its alerts."""
    for objective in service.objectives:
        labels = {"service": service.name, "slo": objective.name}
        bad, events = events_of(objective, service.job)
        yield {"record": "job:slo_bad:rate5m", "expr": bad, "labels": labels}
        yield {"record": "job:slo_events:rate5m", "expr": events, "labels": labels}
        scope = scope_of(service, objective)
        now = f"job:slo_bad:rate5m{scope} / job:slo_events:rate5m{scope}"
        yield {"record": ratio("5m"), "expr": now, "labels": labels}
        for window in WINDOWS:
            spent, all_of_it = (f"sum_over_time(job:slo_{part}:rate5m{scope}[{window}])" for part in ("bad", "events"))
            yield {"record": ratio(window), "expr": f"{spent}\n  / {all_of_it}\n", "labels": labels}
        yield from (alert for burn in (PAGE, TICKET) if (alert := burn_alert(service, owner, objective, burn)))


def ratio(window: str) -> str:
    """The record of the share of events that were not good in the window."""
    return f"job:slo_errors:ratio_rate{window}"


def scope_of(service: Service, objective: Objective) -> str:
    """The matchers of an objective's records."""
    return f'{{service="{service.name}", slo="{objective.name}"}}'


def budget(objective: Objective) -> str:
    """The share of events that need not be good."""
    return f"{1 - objective.percent / 100:.6g}"


def pairs(objective: Objective, burn: Burn) -> list[tuple[float, str, str]]:
    """The pairs of windows that can burn so fast: more than everything cannot fail.

    A target of several that is away is a ticket: ServiceDown pages when all of them are.
    """
    if objective.metric == "up" and burn is PAGE:
        return []
    return [pair for pair in burn.pairs if pair[0] * float(budget(objective)) < 1]


def events_of(objective: Objective, job: str) -> tuple[str, str]:
    """PromQL of the events that are not good, and of all, per second; of a gauge, of the targets."""
    metric, scope = objective.metric, f"job={quote(job)}"
    if objective.kind == "up":
        shown = f"avg_over_time({metric}{{{scope}}}[5m])"
        return f"sum by (namespace, job) (1 - {shown})", f"count by (namespace, job) ({shown})"
    if objective.kind == "histogram":
        counted = _rate(f"{metric}_count{{{scope}}}")
        return f"{counted}\n  - {_rate(f'{metric}_bucket{{{scope}, {objective.bucket}}}')}\n", counted
    wrong = ", ".join(f"{label}=~{quote(pattern)}" for label, pattern in objective.bad)
    counted = _rate(f"{metric}{{{scope}}}")
    return f"{_rate(f'{metric}{{{scope}, {wrong}}}')}\n  or 0 * {counted}\n", counted


def _rate(selector: str) -> str:
    return f"sum by (namespace, job) (rate({selector}[5m]))"


def burn_alert(service: Service, owner: str, objective: Objective, burn: Burn) -> Rule | None:
    """None where even nothing but failures would not burn fast enough."""
    possible = pairs(objective, burn)
    if not possible:
        return None
    scope = scope_of(service, objective)
    ways = "\n  or\n".join(
        f"  {ratio(long)}{scope} > {factor:g} * {budget(objective)}\n"
        f"    and {ratio(short)}{scope} > {factor:g} * {budget(objective)}\n"
        f"    and {has_history(scope, long)}"
        for factor, long, short in possible
    )
    guard = f" and job:slo_events:rate5m{scope} > {MOST_REQUESTS_IGNORED:g}" if is_guarded(objective, burn) else ""
    name, what, dashboard = ALERTS[objective.name]
    return {
        "alert": name,
        "expr": f"(\n{ways}\n){guard}\n",
        "for": burn.hold,
        "labels": {"severity": burn.severity, "owner": owner, "service": service.name},
        "annotations": {
            "summary": f"{service.name} spends its budget of {what} too fast",
            "description": f"{{{{ $value | humanizePercentage }}}} were not good at {service.name} in "
            f"{{{{ $labels.namespace }}}}, where {objective.percent:g} % must be: at this pace the budget of 30 days "
            f"{burn.consequence}.",
            **_links(name, dashboard),
        },
    }


def has_history(scope: str, window: str) -> str:
    """PromQL: whether there were events half a window ago. A start that is all of a window is no burn of it."""
    half = format_duration(parse_duration(window) / 2)
    return f"present_over_time(job:slo_events:rate5m{scope}[{half}] offset {half})"


def is_guarded(objective: Objective, burn: Burn) -> bool:
    """Only pages about requests: a ticket's windows are long, and a target is looked at whether it is used or not."""
    return burn is PAGE and objective.kind != "up"


def _links(alert: str, dashboard: str) -> dict[str, str]:
    return {"dashboard_url": f"/d/{dashboard}", "runbook_url": f"{RUNBOOKS}/{alert}.md"}
