# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""promtool's tests of the rules that follow from services.yaml.

Alerts are fed what the records would be, a hundredth beyond a threshold or within it; the records themselves are tried
with series as services expose them. What must come out is computed here from the objectives, not read from the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._contract.model import Service
from ansible_collections.ias.observability.plugins.module_utils._contract.objectives import Objective
from tools.contracts import slo
from tools.contracts.slo import Burn, Described

Test = dict[str, Any]
Goal = tuple[Service, Objective]

NAMESPACE = "n"
BEYOND, WITHIN = 1.01, 0.99
SHARE = 0.25  # exact in binary: nothing to round


def test_file(described: Described, rules: str) -> dict[str, Any]:
    """A test file for the rule file of that name."""
    goals = [(service, objective) for service in described.services for objective in service.objectives]
    tests = [*targets(described), *logs(described), recorded(goals)]
    for burn in (slo.PAGE, slo.TICKET):
        for pair in burn.pairs:
            tests += burns(described, [goal for goal in goals if pair in slo.pairs(goal[1], burn)], burn, pair)
    return {"rule_files": [rules], "evaluation_interval": "1m", "tests": tests}


def test(name: str, series: dict[str, str], cases: list[Test]) -> Test:
    """A test with a sample each minute; `series` are their values."""
    fed = [{"series": key, "values": values} for key, values in series.items()]
    return {"name": name, "interval": "1m", "input_series": fed, "alert_rule_test": cases}


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
        yield test(name, up(values), [case(6, "ServiceDown"), case(7, "ServiceDown", fires)])
    yield test(
        "targets come back within three minutes", up("1x3 0 0 0 1x4"), [case(6, "ServiceDown"), case(7, "ServiceDown")]
    )


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
        yield test(name, fed("1x16", lines), [case(14, "NoLogs"), case(15, "NoLogs", fires)])
    yield test("pods write a line now and then", fed("1x16", "0.001x16"), [case(16, "NoLogs")])
    yield test("nothing runs that could write", fed("0x16", "0x16"), [case(16, "NoLogs")])


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


def burns(described: Described, goals: list[Goal], burn: Burn, pair: tuple[float, str, str]) -> Iterator[Test]:
    """Beyond both thresholds it fires when it has held; within either one, or with few events, it does not."""
    factor, long, short = pair
    hold = int(burn.hold.removesuffix("m"))
    names = sorted({slo.ALERTS[objective.name][0] for _service, objective in goals})

    def fed(long_factor: float, short_factor: float, events: float = 1.0) -> dict[str, str]:
        series: dict[str, str] = {}
        for service, objective in goals:
            own = f'service="{service.name}", slo="{objective.name}"'
            scope = f'{{namespace="{NAMESPACE}", job="{service.job}", {own}}}'
            threshold = factor * float(slo.budget(objective))
            series[slo.ratio(long) + scope] = f"{threshold * long_factor:.6g}x{hold + 1}"
            series[slo.ratio(short) + scope] = f"{threshold * short_factor:.6g}x{hold + 1}"
            if slo.is_guarded(objective, burn):
                series[f"job:slo_events:rate5m{scope}"] = f"{events:g}x{hold + 1}"
        return series

    def firing(alert: str, which: list[Goal]) -> list[Test]:
        return [burnt(described, goal, burn, factor) for goal in which if slo.ALERTS[goal[1].name][0] == alert]

    title = f"{burn.severity}, {factor:g} times over {long} and {short}"
    silent = [case(hold - 1, alert) for alert in names]
    yield test(f"{title}: beyond", fed(BEYOND, BEYOND), silent + [case(hold, one, firing(one, goals)) for one in names])
    late = [case(hold + 1, alert) for alert in names]
    yield test(f"{title}: within over {long}", fed(WITHIN, BEYOND), late)
    yield test(f"{title}: within over {short}", fed(BEYOND, WITHIN), late)
    if burn is slo.PAGE:
        unguarded = [goal for goal in goals if not slo.is_guarded(goal[1], burn)]
        few = [case(hold + 1, one, firing(one, unguarded)) for one in names]
        yield test(f"{title}: beyond, of a handful", fed(BEYOND, BEYOND, slo.MOST_REQUESTS_IGNORED), few)


def burnt(described: Described, goal: Goal, burn: Burn, factor: float) -> Test:
    service, objective = goal
    name, what, dashboard = slo.ALERTS[objective.name]
    share = f"{factor * float(slo.budget(objective)) * BEYOND:.6g}"
    return {
        "exp_labels": {
            "severity": burn.severity,
            "owner": described.owners[service.name],
            "service": service.name,
            "namespace": NAMESPACE,
            "job": service.job,
            "slo": objective.name,
        },
        "exp_annotations": {
            "summary": f"{service.name} spends its budget of {what} too fast",
            "description": f"{float(share) * 100:.4g}% were not good at {service.name} in {NAMESPACE}, where "
            f"{objective.percent:g} % must be: at this pace the budget of 30 days {burn.consequence}.",
            **links(name, dashboard),
        },
    }


def links(alert: str, dashboard: str) -> dict[str, str]:
    return {"dashboard_url": f"/d/{dashboard}", "runbook_url": f"{slo.RUNBOOKS}/{alert}.md"}
