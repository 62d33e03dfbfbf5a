# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules from objectives: which there are, what they ask, and what becomes of a change in services.yaml."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tools import yaml_text
from tools.contracts import generated, slo

Edit = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def described(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml_text.load((root / "contracts/services.yaml").read_text())
    return loaded


def promises(described: dict[str, Any]) -> slo.Described:
    return slo.describe(contract(described), described["services"])


def contract(described: dict[str, Any]) -> Contract:
    report = RuleReport()
    loaded = load("services.yaml", yaml.safe_dump(described, sort_keys=False), report)
    assert report.findings == []
    return loaded


def changed(described: dict[str, Any], edit: Edit) -> dict[str, Any]:
    copied = copy.deepcopy(described)
    edit(copied["services"])
    return copied


def alerts(described: dict[str, Any], name: str) -> list[slo.Rule]:
    groups = slo.rule_file(promises(described))["groups"]
    return [rule for group in groups for rule in group["rules"] if rule.get("alert") == name]


def of_service(found: list[slo.Rule], service: str) -> list[slo.Rule]:
    return [rule for rule in found if rule["labels"].get("service") == service]


def test_the_committed_files_say_what_services_yaml_says(root: Path, described: dict[str, Any]) -> None:
    assert list(generated.stale(contract(described), root / "contracts/services.yaml")) == []


def test_every_service_with_a_target_is_missed_when_it_is_gone(described: dict[str, Any]) -> None:
    down = alerts(described, "ServiceDown")
    with_targets = {name for name, service in described["services"].items() if not service.get("pushed")}
    assert {rule["labels"]["service"] for rule in down} == with_targets
    assert all("absent(up{" in rule["expr"] for rule in down)
    assert {rule["labels"]["owner"] for rule in of_service(down, "vllm")} == {"models"}


def test_every_objective_makes_tickets_and_pages_but_for_single_targets(described: dict[str, Any]) -> None:
    wanted = {
        (slo.ALERTS[objective][0], name, severity)
        for name, service in described["services"].items()
        for objective, promised in service.get("slo", {}).items()
        for severity in ("critical", "warning")
        if severity == "warning" or promised.get("up") != "up"
    }
    burns = [rule for alert, _, _ in slo.ALERTS.values() for rule in alerts(described, alert)]
    assert {(rule["alert"], rule["labels"]["service"], rule["labels"]["severity"]) for rule in burns} == wanted


def test_the_thresholds_of_an_objective(described: dict[str, Any]) -> None:
    page, ticket = of_service(alerts(described, "AvailabilityBudgetBurn"), "api-router")
    scope = '{service="api-router", slo="availability"}'
    for window in ("1h", "5m"):
        assert f"job:slo_errors:ratio_rate{window}{scope} > 14.4 * 0.001" in page["expr"]
    for window in ("6h", "30m"):
        assert f"job:slo_errors:ratio_rate{window}{scope} > 6 * 0.001" in page["expr"]
    assert page["expr"].endswith(f"and job:slo_events:rate5m{scope} > 0.1\n")
    for factor, windows in ((3, ("1d", "2h")), (1, ("3d", "6h"))):
        for window in windows:
            assert f"job:slo_errors:ratio_rate{window}{scope} > {factor} * 0.001" in ticket["expr"]
    assert f"slo_events:rate5m{scope} > " not in ticket["expr"]


def test_every_pair_of_windows_needs_half_of_the_long_one_as_history(described: dict[str, Any]) -> None:
    half = {"1h": "30m", "6h": "3h", "1d": "12h", "3d": "1d12h"}
    burns = [rule for alert, _, _ in slo.ALERTS.values() for rule in alerts(described, alert)]
    assert len(burns) > 20
    for rule in burns:
        for pair in rule["expr"].split("or\n"):
            (long,) = [
                window for window in half if f"ratio_rate{window}{{" in pair and f"offset {half[window]}" in pair
            ]
            assert f"[{half[long]}] offset {half[long]}" in pair


def test_a_burn_that_nothing_can_reach_is_left_out(described: dict[str, Any]) -> None:
    def loose(services: dict[str, Any]) -> None:
        services["api-router"]["slo"]["availability"]["objective"] = 90  # 14.4 times 10 % is more than everything

    (page, _) = of_service(alerts(changed(described, loose), "AvailabilityBudgetBurn"), "api-router")
    assert "14.4" not in page["expr"]
    assert "ratio_rate6h" in page["expr"]

    def looser(services: dict[str, Any]) -> None:
        services["api-router"]["slo"]["availability"]["objective"] = 80

    only = of_service(alerts(changed(described, looser), "AvailabilityBudgetBurn"), "api-router")
    assert [rule["labels"]["severity"] for rule in only] == ["warning"]


@pytest.mark.parametrize(
    ("service", "objective", "bad"),
    [
        ("user-service", "availability", 'rate(http_requests_total{job="user-service", status=~"5.."}[5m])'),
        ("user-service", "latency", 'http_request_duration_seconds_bucket{job="user-service", le=~"1([.]0)?"}[5m]'),
        ("vllm", "inter_token_latency", 'vllm:inter_token_latency_seconds_bucket{job="vllm", le="0.1"}[5m]'),
        ("postgres", "availability", '1 - avg_over_time(pg_up{job="postgres-exporter"}[5m])'),
    ],
)
def test_what_counts_as_not_good(described: dict[str, Any], service: str, objective: str, bad: str) -> None:
    found = contract(described).services[service]
    (wanted,) = [one for one in found.objectives if one.name == objective]
    assert bad in slo.events_of(wanted, found.job)[0]


def test_a_namespace_without_logging_services_is_not_missed(described: dict[str, Any]) -> None:
    assert promises(described).namespaces == ("ias-system",)

    def quiet(services: dict[str, Any]) -> None:
        for service in services.values():
            service.pop("logs", None)

    assert alerts(changed(described, quiet), "NoLogs") == []
