# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Specs: what is wrong with their form, and with what they ask of the contract, by their own lines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.aliases import MetricAliases
from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.spec import compile_spec
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check as check_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tests.unit.growth import LINEAR, growth

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
SERVICES = (CONTRACTS / "services.yaml").read_text()
RULES = [Source(path.name, path.read_text()) for path in sorted(CONTRACTS.glob("*alerts.yaml"))]


@cache
def reader() -> Reader:
    recorded = check_rules(RULES, Profile()).files
    return Reader(Profile(), load("services.yaml", SERVICES, RuleReport()), recorded)


def found(content: str) -> list[Finding]:
    findings, _queries = check([Source("t.yaml", content)], reader())
    return [finding for finding in findings if finding.severity != "info"]


@pytest.mark.parametrize("path", sorted((CONTRACTS / "dashboards").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_dashboard_asks_for_what_there_is(path: Path) -> None:
    assert [str(finding) for finding in found(path.read_text())] == []


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


def test_the_example_is_right() -> None:
    assert found(DASHBOARD) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("http_requests_total", "http_request_total", "t.yaml:12:19 ias-t/Requests: no service exposes"),
        ("by (job)", "by (jobs)", "by (jobs): nothing below has a label 'jobs'"),
        ('{{job}}"', '{{pod}}"', "the legend of query A names 'pod', which the query does not keep"),
        ("job=~", "jib=~", "http_requests_total has no label 'jib'"),
        ("rate(http", "deriv(http", "deriv() of the counter http_requests_total"),
        ("interval]))", "interval])", "t.yaml:12:19 ias-t/Requests: query A: "),
        ('job=~"$job"', 'job=~"$jobb"', "t.yaml:12:19 ias-t/Requests: no variable is called 'jobb'"),
        (', job=~"$job"', "", "t.yaml:4:49 ias-t: variable 'job' is used nowhere"),
        ("[prometheus, ", "[", "no variable is called 'prometheus'"),
        ('{namespace=~"$namespace"} |=', '{namespace=~".*"} |=', "at least one matcher that does not match the empty"),
        ('|= "x"', '|= x"', "t.yaml:17:40 ias-t/Lines: query A: "),
        ('|= "x"', '| json | colour="x"', "t.yaml:17:40 ias-t/Lines: query A: no service logs a field 'colour'"),
        ("service.name =~", "service.name =", '="$traced" finds nothing once two values are chosen'),
        ('"$traced" }', '"$traced" ', "t.yaml:21:41 ias-t/Traces: query A: "),
        ('job=~"$job"', 'job="$job"', '="$job" finds nothing once two values are chosen'),
    ],
)
def test_what_is_wrong_with_queries_is_found(before: str, after: str, said: str) -> None:
    lines = [str(finding) for finding in found(DASHBOARD.replace(before, after, 1))]
    assert any(said in line for line in lines), lines


def test_a_recorded_series_may_be_asked_for() -> None:
    expr = 'expr: \'sum by (job) (job:http_requests:rate5m{namespace=~"$namespace", job=~"$job"})\''
    assert found(re.sub("expr: 'sum by [^\n]*", expr, DASHBOARD, count=1)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (DASHBOARD, "", "t.yaml:1:1: a dashboard's spec is a mapping"),
        (DASHBOARD, "[1]", "t.yaml:1:1: a dashboard's spec is a mapping"),
        ("rows:", "rows: [", "t.yaml:6:3: not YAML"),
        ("title: T", "title: 5", "t.yaml:1:8: a text is needed here (in quotes"),
        ("title: T\n", "title: T\ntitle: U\n", "t.yaml:2:1: key 'title' is written twice"),
        ("title: T\n", "", "t.yaml:1:1: title is missing"),
        ("uid: ias-t", "uid: t", "t.yaml:2:6: 't' does not match ias-"),
        ("traced]", "tracked]", "t.yaml:4:54: one of prometheus, loki, tempo"),
        ("traced]", "job]", "'job' is listed twice"),
        ("unit: reqps", "units: reqps", "t.yaml:10:9: unknown key 'units': known are title, description"),
        ("        unit: reqps\n", "", "t.yaml:8:9: unit is missing"),
        ("unit: reqps", "width: 3\n        unit: reqps", "t.yaml:10:16: a whole number from 4 up to 24 is needed here"),
        ("unit: reqps", "width: 4.5\n        unit: reqps", "a whole number"),
        ("unit: reqps", "width: true\n        unit: reqps", "a whole number"),
        ("unit: reqps", f"max: {10**400}\n        unit: reqps", "t.yaml:10:14: a number is needed here"),
        ("unit: reqps", "max: 1e5\n        unit: reqps", "a number is needed here"),
        ("unit: reqps", "stacked: 1\n        unit: reqps", "true or false is needed here"),
        (
            "unit: reqps",
            "thresholds: {high: 1}\n        unit: reqps",
            "unknown key 'high': known are warning",
        ),
        ("type: logs", "type: graph", "one of timeseries, stat"),
        ("queries: [{source: loki", "queries: [{slo: x, source: loki", "a query has either expr or slo"),
        ("{source: loki", "{service: x, source: loki", "a query with expr has no service"),
        (', expr: \'{namespace=~"$namespace"} |= "x"\'', "", "t.yaml:17:19: a query has either expr or slo"),
        ("queries: [{source: tempo", "queries: [{slo: glory}, {source: tempo", "has an objective 'glory'"),
        ("queries: [{source: tempo", "queries: [], x: [{source: tempo", "not YAML"),
        ("  - title: R", "  - 5\n  - title: R", "t.yaml:6:5: a mapping of title, panels is needed here"),
    ],
)
def test_what_is_wrong_with_the_form_is_found(before: str, after: str, said: str) -> None:
    findings = found(DASHBOARD.replace(before, after, 1))
    assert {finding.id for finding in findings} == {"dashboards/spec"}
    assert any(said in str(finding) for finding in findings), list(map(str, findings))


def test_what_aliases_repeat_is_bounded() -> None:
    """Some hundred characters that would be a dashboard of thousands of queries."""
    query = "&q {expr: " + "a" * 900 + "}"
    row = f"&p {{title: P, description: ten characters, unit: s, queries: [{query}{', *q' * 25}]}}"
    rows = f"&r {{title: R, panels: [{row}{', *p' * 29}]}}"
    text = f"{{title: T, uid: ias-t, description: ten characters, variables: [], rows: [{rows}{', *r' * 9}]}}"
    start = time.process_time()
    (finding,) = found(text)
    assert "characters, with what its aliases repeat" in finding.message
    assert time.process_time() - start < 1


def test_what_an_alias_repeats_is_said_once() -> None:
    bad = DASHBOARD.replace("        unit: reqps\n", "").replace(
        "      - title: Requests", "      - &one\n        title: Requests"
    )
    assert len(found(f"{bad}      - *one\n      - *one\n")) == 1


def test_time_grows_with_the_length_of_a_spec(collector_off: None) -> None:
    """Each wrong thing with a message of its own."""

    def checked(count: int) -> Callable[[], object]:
        text = DASHBOARD + "".join(f"x{number}: 1\n" for number in range(count))
        return lambda: compile_spec("t.yaml", text, Contract(), MetricAliases())

    assert growth(checked, 200) <= LINEAR
