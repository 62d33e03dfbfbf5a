# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules belong to a site, by the services that it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.running import Running
from ansible_collections.ias.observability.plugins.module_utils._findings import Report
from ansible_collections.ias.observability.plugins.module_utils._rules.running import Formula, needed, needed_groups
from tools import yaml_text

CONTRACT = """\
services:
  api: {metrics: {http_requests_total: {type: counter}}}
  model: {metrics: {tokens_total: {type: counter}}}
"""


def running(*services: str) -> Running:
    return Running.of(load("services.yaml", CONTRACT, Report()), services)


def test_what_rests_on_a_record_goes_with_it() -> None:
    formulas = [
        Formula("", "b > 1"),
        Formula("b", "a * 2"),
        Formula("a", "rate(tokens_total[5m])"),
        Formula("", "a or http_requests_total"),
        Formula("", "vector(1)"),
        Formula("", "(("),
    ]
    assert needed(formulas, running("api")) == [False, False, False, True, True, True]
    assert needed(formulas, running()) == [True] * 6


def test_a_record_that_another_rule_feeds_stays() -> None:
    formulas = [Formula("a", "tokens_total"), Formula("a", "http_requests_total"), Formula("", "a > 1")]
    assert needed(formulas, running("api")) == [False, True, True]


def test_a_group_that_loses_all_of_its_rules_is_left_out() -> None:
    tokens, requests = {"alert": "A", "expr": "tokens_total > 1"}, {"alert": "B", "expr": "http_requests_total > 1"}
    files = [
        [{"name": "x", "rules": [tokens]}, {"name": "y", "rules": [tokens, requests]}],
        [{"name": "z", "rules": []}],
    ]
    assert needed_groups(files, running("api")) == [[{"name": "y", "rules": [requests]}], [{"name": "z", "rules": []}]]
    assert needed_groups(files, running()) == files


@pytest.fixture(scope="module")
def files(root: Path) -> list[list[dict[str, Any]]]:
    return [
        yaml_text.load((root / f"contracts/{name}.yaml").read_text())["groups"]
        for name in ("records", "alerts", "slo-alerts")
    ]


def of_site(root: Path, files: list[list[dict[str, Any]]], without: set[str]) -> list[str]:
    report = Report()
    contract = load("services.yaml", (root / "contracts/services.yaml").read_text(), report)
    own = Running.of(contract, [name for name in contract.services if name not in without])
    rules = [rule for groups in needed_groups(files, own) for group in groups for rule in group["rules"]]
    return [
        f"{rule.get('alert') or rule['record']} {rule.get('labels', {}).get('service', '')}".strip() for rule in rules
    ]


def test_the_collections_rules_without_gpus_models_and_a_database(
    root: Path, files: list[list[dict[str, Any]]]
) -> None:
    gone = {"vllm", "dcgm", "postgres"}
    every, left = of_site(root, files, set()), of_site(root, files, gone)
    missing = {rule for rule in every if rule not in left}
    assert not [rule for rule in left if rule.split()[-1] in gone or rule.startswith(("Database", "Gpu", "KvCache"))]
    assert {"DatabaseDown", "GpuXidError", "RequestQueueGrowing", "ServiceDown vllm", "ServiceDown dcgm"} <= missing
    assert {"Watchdog", "ServiceDown api-router", "HighErrorRate", "NoLogs", "AvailabilityBudgetBurn loki"} <= set(left)
    assert not [
        rule
        for rule in missing
        if not set(rule.split()) & gone
        and not rule.startswith(("Database", "Gpu", "gpu:", "KvCache", "RequestQueue", "Serving"))
    ]


def test_without_a_collector_of_logs_nobody_misses_logs(root: Path, files: list[list[dict[str, Any]]]) -> None:
    left = of_site(root, files, {"alloy"})
    assert "NoLogs" not in left
    assert "LogsDropped" in left
