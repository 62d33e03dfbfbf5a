# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which metrics nobody reads, and what may be left out without anybody's loss."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._findings import Report
from tools.contracts.usage import Readers, droppable, relabelings, unread

CONTRACT = load(
    "c",
    """\
names: {metrics: {hits_total: their_hits_total}}
services:
  web:
    metrics:
      hits_total: {type: counter}
      wait_seconds: {type: histogram}
      use_ratio: {type: gauge, aliases: {use_percent: 0.01}, record: "web:use:ratio"}
      idle: {type: gauge}
""",
    Report("c"),
)


def readers(*queries: str) -> Readers:
    found = Readers()
    for query in queries:
        found.add(query)
    return found


@pytest.mark.parametrize(
    ("query", "nobody_reads"),
    [
        ("idle > 1", {"hits_total", "wait_seconds", "use_ratio"}),
        ("sum(rate(hits_total[$__rate_interval]))", {"wait_seconds", "use_ratio", "idle"}),
        ("wait_seconds_count / 2", {"hits_total", "use_ratio", "idle"}),
        ("max(web:use:ratio)", {"hits_total", "wait_seconds", "idle"}),
        ("use_percent", {"hits_total", "wait_seconds", "idle"}),
        ("label_values(idle, job)", {"hits_total", "wait_seconds", "use_ratio"}),
        ('{__name__=~"hits_.+|idle"}', {"wait_seconds", "use_ratio"}),
        ("label_values(job)", {"hits_total", "wait_seconds", "use_ratio", "idle"}),
    ],
)
def test_a_metric_is_read_by_any_of_its_names(query: str, nobody_reads: set[str]) -> None:
    assert {spec.name for _service, spec in unread(CONTRACT, readers(query))} == nobody_reads


def test_only_what_nobody_reads_and_the_contract_does_not_promise_is_left_out() -> None:
    live = {"up": 1, "their_hits_total": 9, "extra_total": 5, "extra_seconds_bucket": 40, "asked_total": 3}
    live |= {"job:rate": 2, "use_percent": 4, "web_listed": 1}
    found = droppable(CONTRACT, live, readers("rate(asked_total[5m])", '{__name__=~"web_.*"}'))
    assert found == {"extra_seconds_bucket": 40, "extra_total": 5}
    (entry,) = yaml.safe_load(relabelings(found))
    assert entry == {"sourceLabels": ["__name__"], "regex": "extra_seconds_bucket|extra_total", "action": "drop"}


@pytest.mark.parametrize("query", ['{job="web"}', "sum(", 'count({__name__!~"a.*"})'])
def test_a_query_that_may_read_anything_is_told(query: str) -> None:
    assert readers(query).unclear == [query]
