# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""promtool's tests of the rules that follow from services.yaml.

Alerts are fed what the records would be, a hundredth beyond a threshold or within it; the records themselves are tried
with series as services expose them. What must come out is computed here from the objectives, not read from the rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._contract.model import Service
from ansible_collections.ias.observability.plugins.module_utils._contract.objectives import Objective
from ansible_collections.ias.observability.plugins.module_utils._promql.literals import parse_duration
from tools.contracts import slo
from tools.contracts.slo import Burn, Described

Test = dict[str, Any]
Goal = tuple[Service, Objective]

NAMESPACE = "n"
BEYOND, WITHIN = 1.01, 0.99
SHARE = 0.25  # exact in binary: nothing to round
STEPS = {slo.PAGE.severity: 1, slo.TICKET.severity: 15}
"""Minutes between two samples, and two evaluations, of the tests of each burn."""


def test_file(described: Described, rules: str) -> dict[str, Any]:
    """The tests of the rule file of that name, but for those of tickets."""
    goals = [(service, objective) for service in described.services for objective in service.objectives]
    tests = [*targets(described), *logs(described), recorded(goals), *burning(described, goals, slo.PAGE)]
    return {"rule_files": [rules], "evaluation_interval": "1m", "tests": tests}


def ticket_test_file(described: Described, rules: str) -> dict[str, Any]:
    """The tests of tickets, which look at days: evaluated each minute they would take minutes."""
    goals = [(service, objective) for service in described.services for objective in service.objectives]
    interval = f"{STEPS[slo.TICKET.severity]}m"
    return {"rule_files": [rules], "evaluation_interval": interval, "tests": [*burning(described, goals, slo.TICKET)]}


def burning(described: Described, goals: list[Goal], burn: Burn) -> Iterator[Test]:
    for pair in burn.pairs:
        yield burns(described, [goal for goal in goals if pair in slo.pairs(goal[1], burn)], burn, pair)


def test(name: str, series: dict[str, str], cases: list[Test], minutes: int) -> Test:
    """A test with a sample each so many minutes; `series` are their values."""
    fed = [{"series": key, "values": values} for key, values in series.items()]
    return {"name": name, "interval": f"{minutes}m", "input_series": fed, "alert_rule_test": cases}


def case(minutes: int, alert: str, fires: list[Test] | None = None) -> Test:
    return {"eval_time": f"{minutes}m", "alertname": alert} | ({"exp_alerts": fires} if fires else {})


# -- is it there, does it log


def targets(described: Described) -> Iterator[Test]:
    def up(values: str) -> dict[str, str]:
        return {
            f'up{{namespace="{one.namespace}", job="{one.job}", instance="i"}}': values for one in described.services
        }

    fires = [
        {
            "exp_labels": {
                "severity": "critical",
                "owner": described.owners[one.name],
                "service": one.name,
                "namespace": one.namespace,
                "job": one.job,
            },
            "exp_annotations": {
                "summary": f"{one.name} is down",
                "description": f"No target of job {one.job} in {one.namespace} could be scraped for three minutes, or "
                "there is none.",
                **links("ServiceDown", "ias-system-overview"),
            },
        }
        for one in described.services
    ]
    for name, values in (("targets cannot be scraped", "1x3 0x4"), ("targets vanish", "1x3 stale")):
        yield test(name, up(values), [case(6, "ServiceDown"), case(7, "ServiceDown", fires)], 1)
    back = [case(6, "ServiceDown"), case(7, "ServiceDown")]
    yield test("targets come back within three minutes", up("1x3 0 0 0 1x4"), back, 1)


def logs(described: Described) -> Iterator[Test]:
    def fed(pods: str, lines: str) -> dict[str, str]:
        series = {}
        for namespace in described.namespaces:
            series[f'kube_pod_status_phase{{namespace="{namespace}", phase="Running", pod="p"}}'] = pods
            series[f'namespace:log_lines_read:rate15m{{namespace="{namespace}"}}'] = lines
        return {key: values for key, values in series.items() if values}

    fires = [
        {
            "exp_labels": {"severity": "warning", "owner": "platform", "namespace": namespace},
            "exp_annotations": {
                "summary": f"Namespace {namespace} logs nothing",
                "description": f"1 pods run in {namespace}, but no line of theirs was read for half an hour.",
                **links("NoLogs", "ias-stack-health"),
            },
        }
        for namespace in described.namespaces
    ]
    for name, lines in (("pods run and write no line", "0x16"), ("pods run and nobody reads their lines", "")):
        yield test(name, fed("1x16", lines), [case(14, "NoLogs"), case(15, "NoLogs", fires)], 1)
    yield test("pods write a line now and then", fed("1x16", "0.001x16"), [case(16, "NoLogs")], 1)
    yield test("nothing runs that could write", fed("0x16", "0x16"), [case(16, "NoLogs")], 1)


# -- burn rates


def recorded(goals: list[Goal]) -> Test:
    """Every record of every objective, where a quarter of all events is not good."""
    series: dict[str, str] = {}
    for service, objective in goals:
        scope = f'namespace="{NAMESPACE}", job="{service.job}"'
        if objective.kind == "up":
            for instance in range(4):
                series[f'{objective.metric}{{{scope}, instance="{instance}"}}'] = f"{int(instance > 0)}x11"
        elif objective.kind == "histogram":
            series[f"{objective.metric}_count{{{scope}}}"] = "0+240x11"
            series[f'{objective.metric}_bucket{{{scope}, le="{objective.bound}"}}'] = "0+180x11"
        else:
            bad = ", ".join(f'{label}="{example(pattern)}"' for label, pattern in objective.bad)
            series[f"{objective.metric}{{{scope}, {bad}}}"] = "0+60x11"
            series[f'{objective.metric}{{{scope}, {objective.bad[0][0]}="good"}}'] = "0+180x11"
    expr = f'count({{__name__=~"job:slo_errors:ratio_rate.+"}} == {SHARE})'
    count = len(goals) * (len(slo.WINDOWS) + 1)
    return {
        "name": "a quarter of everything is not good",
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": "10m", "exp_samples": [{"labels": "{}", "value": count}]}],
    }


def example(pattern: str) -> str:
    """Something that a pattern of digits and dots matches."""
    return pattern.replace(".", "0")


@dataclass(frozen=True, slots=True)
class Pace:
    """How one namespace burns: by which part of each threshold, of how many events per second, known since when."""

    over_long: float = BEYOND
    over_short: float = BEYOND
    events: float = 1.0
    is_new: bool = False


PACES = {
    "beyond": Pace(),
    "within-long": Pace(over_long=WITHIN),
    "within-short": Pace(over_short=WITHIN),
    "a-handful": Pace(events=slo.MOST_REQUESTS_IGNORED),
    "new": Pace(is_new=True),
}


def burns(described: Described, goals: list[Goal], burn: Burn, pair: tuple[float, str, str]) -> Test:
    """Beyond both thresholds it fires when it has held; within either one, or of a target that is not known since half
    a window, it does not, nor pages of a handful of requests."""
    factor, long, short = pair
    step = STEPS[burn.severity]
    hold = int(parse_duration(burn.hold) / 60 / step)
    known = int(parse_duration(long) / 2 / 60 / step)
    series: dict[str, str] = {}
    for (service, objective), (namespace, pace) in itertools.product(goals, PACES.items()):
        own = f'service="{service.name}", slo="{objective.name}"'
        scope = f'{{namespace="{namespace}", job="{service.job}", {own}}}'
        threshold = factor * float(slo.budget(objective))
        for window, part in ((long, pace.over_long), (short, pace.over_short)):
            series[slo.ratio(window) + scope] = f"_x{known} {threshold * part:.6g}x{hold}"
        first = hold + 1 if pace.is_new else 0  # later than half a window before the end
        before = f"_x{first} " if first else ""
        series[f"job:slo_events:rate5m{scope}"] = f"{before}{pace.events:g}x{known + hold - first}"
    names = sorted({slo.ALERTS[objective.name][0] for _service, objective in goals})
    fires: dict[str, list[Test]] = {name: [] for name in names}
    for (service, objective), namespace in itertools.product(goals, ("beyond", "a-handful")):
        if namespace == "beyond" or not slo.is_guarded(objective, burn):
            name = slo.ALERTS[objective.name][0]
            fires[name].append(burnt(described, (service, objective), burn, factor, namespace))
    end = (known + hold) * step
    cases = [case(end - 1, name) for name in names] + [case(end, name, fires[name]) for name in names]
    return test(f"{burn.severity}, {factor:g} times over {long} and {short}", series, cases, step)


def burnt(described: Described, goal: Goal, burn: Burn, factor: float, namespace: str) -> Test:
    service, objective = goal
    name, what, dashboard = slo.ALERTS[objective.name]
    share = f"{factor * float(slo.budget(objective)) * BEYOND:.6g}"
    return {
        "exp_labels": {
            "severity": burn.severity,
            "owner": described.owners[service.name],
            "service": service.name,
            "namespace": namespace,
            "job": service.job,
            "slo": objective.name,
        },
        "exp_annotations": {
            "summary": f"{service.name} spends its budget of {what} too fast",
            "description": f"{float(share) * 100:.4g}% were not good at {service.name} in {namespace}, where "
            f"{objective.percent:g} % must be: at this pace the budget of 30 days {burn.consequence}.",
            **links(name, dashboard),
        },
    }


def links(alert: str, dashboard: str) -> dict[str, str]:
    return {"dashboard_url": f"/d/{dashboard}", "runbook_url": f"{slo.RUNBOOKS}/{alert}.md"}
