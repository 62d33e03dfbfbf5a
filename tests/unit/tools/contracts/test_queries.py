# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dashboard asks, held against query languages and the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.load import Contract, load
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check as check_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.model import RuleFile
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tools.contracts import queries

CONTRACTS = Path(__file__).resolve().parents[4] / "contracts"
SERVICES = (CONTRACTS / "services.yaml").read_text()
ALERTS = (CONTRACTS / "alerts.yaml").read_text()
DASHBOARDS = {path: path.read_text() for path in sorted((CONTRACTS / "dashboards").glob("*.yaml"))}


def findings(contract: str, *paths: Path) -> list[Finding]:
    """What dashboards ask for that the contract does not have."""
    promised = load("s", contract, RuleReport())
    return [finding for path in paths for finding in queries.check(path, str(path), promised, recorded())]


@cache
def recorded() -> list[RuleFile]:
    return check_rules([Source("alerts.yaml", ALERTS)], Profile()).files


def test_every_dashboard_asks_for_what_there_is() -> None:
    assert [str(finding) for finding in findings(SERVICES, *DASHBOARDS)] == []


DASHBOARD = """\
title: T
uid: ias-t
description: A dashboard.
variables: [prometheus, loki, tempo, namespace, job, traced]
rows:
  - title: R
    panels:
      - title: Requests
        description: Requests by service.
        unit: reqps
        queries:
          - expr: 'sum by (job) (rate(http_requests_total{namespace=~"$namespace", job=~"$job"}[$__rate_interval]))'
            legend: "{{job}}"
      - title: Lines
        description: What they log.
        type: logs
        queries: [{source: loki, expr: '{namespace=~"$namespace"} |= "x"'}]
      - title: Traces
        description: What they trace.
        type: table
        queries: [{source: tempo, expr: '{ resource.service.name =~ "$traced" }'}]
"""


@pytest.fixture
def against(tmp_path: Path) -> Callable[[str], list[Finding]]:
    def check(content: str) -> list[Finding]:
        file = tmp_path / "t.yaml"
        file.write_text(content)
        contract: Contract = load("s", SERVICES, RuleReport())
        return queries.check(file, "t.yaml", contract, recorded())

    return check


def test_the_example_is_right(against: Callable[[str], list[Finding]]) -> None:
    assert against(DASHBOARD) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "http_requests_total",
            "http_request_total",
            "t.yaml:12:39 t/Requests: no service exposes",
        ),
        ("by (job)", "by (jobs)", "by (jobs): nothing below has a label 'jobs'"),
        ('{{job}}"', '{{pod}}"', "the legend names 'pod', which the query's result does not have"),
        ("job=~", "jib=~", "http_requests_total has no label 'jib'"),
        ("rate(http", "deriv(http", "deriv() of the counter http_requests_total"),
        ("interval]))", "interval])", "t.yaml:12:19 Requests: not PromQL"),
        ('job=~"$job"', 'job=~"$jobb"', "the dashboard has no variable jobb"),
        (', job=~"$job"', "", "t.yaml:4:49 T: no panel uses variable job"),
        ("[prometheus, ", "[", "the variable prometheus is missing"),
        ('{namespace=~"$namespace"} |=', '{namespace=~".*"} |=', "at least one matcher that does not match the empty"),
        ('|= "x"', '|= x"', "not LogQL"),
        ("service.name =~", "service.name =", "variable traced may hold several values, or All: compare it by =~"),
        ('"$traced" }', '"$traced" ', "not TraceQL"),
        ('job=~"$job"', 'job="$job"', "variable job may hold several values"),
    ],
)
def test_what_is_wrong_is_found(against: Callable[[str], list[Finding]], before: str, after: str, said: str) -> None:
    found = [str(finding) for finding in against(DASHBOARD.replace(before, after, 1))]
    assert any(said in line for line in found), found


def test_a_recorded_series_may_be_asked_for(against: Callable[[str], list[Finding]]) -> None:
    expr = 'expr: \'sum by (job) (job:http_requests:rate5m{namespace=~"$namespace", job=~"$job"})\''
    assert against(re.sub("expr: 'sum by [^\n]*", expr, DASHBOARD, count=1)) == []
