# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""services.yaml: its form, and what is said of a form that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tools.contracts import schema


@pytest.fixture(scope="module")
def good(root: Path) -> str:
    return (root / "contracts/services.yaml").read_text()


@pytest.fixture
def wrong(root: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """What the schema, and then the contract's own reader, have against a text."""

    def check(content: str) -> list[str]:
        file = tmp_path / "services.yaml"
        file.write_text(content)
        report = RuleReport()
        load("s", content, report)
        against = schema.check(file, root / "contracts/services.schema.json", "s")
        return [*against, *(str(finding) for finding in report.findings)]

    return check


def test_the_contract_keeps_its_form(wrong: Callable[[str], list[str]], good: str) -> None:
    assert wrong(good) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("    owner: identity\n", "", "services.user-service: 'owner' is a required property"),
        (
            "    owner: identity\n",
            "    ovner: identity\n",
            "services.user-service: unknown key 'ovner'; known are desc",
        ),
        ("type: counter\n        unit: tokens", "type: count\n        unit: tokens", "type: 'count' is not one of"),
        ("{reason: [bad_token, expired, forbidden]}", "{reason: any}", "labels.reason: 'any' is not of type 'object'"),
        ("organization: &tenants {unbounded: true}", "organization: &tenants {max: 0}", "0 is less than the minimum"),
        ('        bad: {status: "5.."}\n', "", "slo.availability"),
        ("objective: 99.9\n", "objective: 100\n", "100 is greater than or equal to the maximum of 100 (Percent"),
        ("    pushed: true\n", "    pushed: true\n    job: a\n", "trace-metrics.job: this does not belong here"),
        ("  vllm:\n", "  vLLM:\n", "'vLLM' does not match"),
        (
            "latency: {objective: 95, histogram: http_req",
            "latenzy: {objective: 95, histogram: http_req",
            "'latenzy' is not",
        ),
        ("up: pg_up", "up: pg_locks", "up is a gauge of the service, not 'pg_locks': the service declares no such"),
        ("histogram: vllm:e2e_request_latency_seconds", "histogram: vllm:prompt_tokens_total", "it is a counter"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    wrong: Callable[[str], list[str]], good: str, before: str, after: str, said: str
) -> None:
    at = good[: good.index(before)].count("\n") + 1
    found = [line.split(":") for line in wrong(good.replace(before, after, 1)) if said in line]
    assert {file for file, *_ in found} == {"s"}
    assert any(abs(int(line) - at) <= 4 for _, line, *_ in found)
