# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels that ask only for services that a site does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.running import Running
from ansible_collections.ias.observability.plugins.module_utils._contract_file import read_running
from ansible_collections.ias.observability.plugins.module_utils._dashboard_files import load_dashboards
from ansible_collections.ias.observability.plugins.module_utils._dashboards.running import excused
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding, Report
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.panels import Panel

CONTRACT = """\
services:
  api: {metrics: {requests_total: {type: counter}}}
  model: {job: model-server, metrics: {tokens_total: {type: counter}}}
"""


def is_excused(*queries: tuple[str, str]) -> bool:
    running = Running.of(load("services.yaml", CONTRACT, Report()), ["api"])
    targets = tuple({"datasource": {"type": kind}, "expr": expr} for kind, expr in queries)
    panel = excused(Panel("D", 1, "P", "", targets), running)
    return bool(panel.may_be_empty)


@pytest.mark.parametrize(
    ("kind", "expr", "wanted"),
    [
        ("prometheus", "rate(tokens_total[$__rate_interval])", True),
        ("prometheus", "rate(requests_total[$__rate_interval])", False),
        ("prometheus", "tokens_total{", False),
        ("loki", '{namespace="shop", service_name="model"} |= "x"', True),
        ("loki", 'sum(rate({service_name=~"model.*"}[$__auto]))', True),
        ("loki", '{job="model-server"}', True),
        ("loki", '{service_name="api"}', False),
        ("loki", '{service_name=~".+"}', False),
        ("loki", '{service_name="beside"}', False),
        ("loki", 'sum(rate({service_name="model"}[1m])) / sum(rate({service_name="api"}[1m]))', False),
        ("loki", "{", False),
        ("tempo", "{ }", False),
    ],
)
def test_a_panel_of_one_query(kind: str, expr: str, wanted: bool) -> None:
    assert is_excused((kind, expr)) is wanted


def test_one_query_of_what_runs_is_enough() -> None:
    assert not is_excused(("prometheus", "tokens_total"), ("loki", '{service_name="api"}'))
    assert is_excused(("prometheus", "tokens_total"), ("loki", '{service_name="model"}'))
    assert not is_excused()


@pytest.mark.parametrize(
    ("without", "gone"),
    [(set(), set()), ({"vllm", "dcgm", "postgres"}, {"ias-vllm", "ias-postgres"}), ({"dcgm"}, set())],
)
def test_the_collections_dashboards(root: Path, without: set[str], gone: set[str]) -> None:
    services = str(root / "contracts/services.yaml")
    every, findings = read_running(services, [])
    assert every is not None
    assert findings == []
    some, _ = read_running(services, [name for name in every.contract.services if name not in without])
    uids = [
        {dashboard["uid"] for _file, _below, dashboard in load_dashboards(root / "contracts/dashboards", running)
         if not isinstance(dashboard, Finding)}
        for running in (every, some)
    ]  # fmt: skip
    assert uids[0] - uids[1] == gone
    assert len(uids[0]) == 9
