# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules in a team's own names, with links to its Grafana and its runbooks."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.aliases import MetricAliases
from ansible_collections.ias.observability.plugins.module_utils._rules.render import Site, render_rules

GROUPS: list[dict[str, Any]] = [
    {
        "name": "g",
        "interval": "1m",
        "rules": [
            {"record": "job:http_requests:rate5m", "expr": "sum by (job) (rate(http_requests_total[5m]))"},
            {
                "alert": "A",
                "expr": 'http_requests_total{job="api"} > 1',
                "annotations": {"dashboard_url": "/d/x?var-job={{ $labels.job }}", "summary": "http_requests_total"},
            },
            {"alert": "B", "expr": 1},
        ],
    },
    {"name": "empty"},
]
NAMES = MetricAliases({"http_requests_total": "web_requests_total"}, {"api": "shop-api"})


def test_expressions_get_the_teams_names() -> None:
    rules = render_rules(GROUPS, NAMES, Site())[0]["rules"]
    assert rules[0] == {"record": "job:http_requests:rate5m", "expr": "sum by (job) (rate(web_requests_total[5m]))"}
    assert rules[1]["expr"] == 'web_requests_total{job="shop-api"} > 1'
    assert rules[1]["annotations"] == GROUPS[0]["rules"][1]["annotations"]


def test_links_lead_to_grafana_where_it_is_known() -> None:
    for url in ("https://grafana.example.com", "https://grafana.example.com/"):
        link = render_rules(GROUPS, MetricAliases(), Site(url))[0]["rules"][1]["annotations"]["dashboard_url"]
        assert link == "https://grafana.example.com/d/x?var-job={{ $labels.job }}"


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("https://old.example.com/x/runbooks/A.md", "https://git.example.com/ours/A.md"),
        ("https://old.example.com/x/runbooks/B.md", "https://old.example.com/x/runbooks/B.md"),
        ("https://wiki.example.com/A.md", "https://wiki.example.com/A.md"),
    ],
)
@pytest.mark.parametrize("folder", ["https://git.example.com/ours", "https://git.example.com/ours/"])
def test_the_contracts_runbooks_are_read_where_the_site_has_them(url: str, becomes: str, folder: str) -> None:
    groups = [
        {"name": "g", "rules": [{"alert": "A", "expr": "a", "annotations": {"runbook_url": url, "summary": "s"}}]}
    ]
    made = render_rules(groups, MetricAliases(), Site(runbooks_url=folder))[0]["rules"][0]["annotations"]
    assert made == {"runbook_url": becomes, "summary": "s"}


def test_everything_else_stays_and_so_does_what_is_given() -> None:
    before = copy.deepcopy(GROUPS)
    made = render_rules(GROUPS, NAMES, Site("https://g", "https://r"))
    assert before == GROUPS
    assert made[1] == {"name": "empty", "rules": []}
    assert (made[0]["interval"], made[0]["rules"][2]) == ("1m", {"alert": "B", "expr": "1"})
