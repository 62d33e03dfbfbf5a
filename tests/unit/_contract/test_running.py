# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which queries ask only for services that a site does not run."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.running import Running, UnknownServiceError
from ansible_collections.ias.observability.plugins.module_utils._findings import Report
from ansible_collections.ias.observability.plugins.module_utils._promql import parse

CONTRACT = """\
names: {metrics: {pg_up: db_up}, jobs: {pg-exporter: db}}
services:
  api: {metrics: {http_requests_total: {type: counter}, seconds: {type: histogram}}}
  model: {metrics: {http_requests_total: {type: counter}, model_tokens_total: {type: counter}}}
  postgres: {job: pg-exporter, metrics: {pg_up: {type: gauge}}}
  spans: {pushed: true, metrics: {calls_total: {type: counter}}}
"""


def running(*services: str) -> Running:
    report = Report()
    contract = load("services.yaml", CONTRACT, report)
    assert report.findings == []
    return Running.of(contract, services)


@pytest.mark.parametrize(
    ("expr", "is_fed"),
    [
        ("pg_up", False),
        ("seconds_bucket", True),
        ("model_tokens_total", False),
        ("calls_total", True),
        ("http_requests_total", True),
        # a label says of whom
        ('http_requests_total{job="api"}', True),
        ('http_requests_total{job="model"}', False),
        ('http_requests_total{job=~"model|pg-exporter"}', False),
        ('http_requests_total{job!~"model"}', True),
        ('http_requests_total{job="another"}', True),
        ('up{job="pg-exporter"}', False),
        ('up{job=~".+"}', True),
        ('up{job!="model"}', True),
        ("up", True),
        ('calls_total{service="model"}', False),
        ('some:record{service="model"}', False),
        ('some:record{service=~"model|beside"}', False),
        ('{__name__="pg_up"}', False),
        # in the team's names
        ("db_up", False),
        ('up{job="db"}', False),
        # all that an expression needs
        ("model_tokens_total / http_requests_total", False),
        ("http_requests_total unless pg_up", False),
        ("http_requests_total and up", True),
        ("model_tokens_total or seconds_count", True),
        ('max(up{job="model"}) == 0 or absent(up{job="model"})', False),
        ("sum(rate(model_tokens_total[5m])) or vector(0)", False),
        ("vector(1)", True),
        ("unknown_total > 3", True),
        ("max_over_time(pg_up[5m:1m])", False),
    ],
)
def test_a_site_without_model_and_database(expr: str, is_fed: bool) -> None:
    tree = parse(expr)
    assert running("api", "spans").is_fed(tree) is is_fed
    assert running().is_fed(tree)


def test_a_record_that_nothing_feeds() -> None:
    tree = parse("job:rate > 1")
    assert running("api").is_fed(tree, {"job:other": False}.get)
    assert not running("api").is_fed(tree, {"job:rate": False}.get)


def test_its_own_contract() -> None:
    own = running("spans", "api").own_contract
    assert list(own.services) == ["api", "spans"]
    assert own.knows("pg_up")


def test_a_name_that_the_contract_does_not_have() -> None:
    with pytest.raises(UnknownServiceError, match="no service 'postgre': did you mean 'postgres'"):
        running("api", "postgre")
