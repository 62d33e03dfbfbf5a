# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A team's names in expressions: in every form in which PromQL takes the name of a metric or a job."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.aliases import AliasError, MetricAliases
from ansible_collections.ias.observability.plugins.module_utils._promql import parse
from tests.unit.growth import LINEAR, growth

NAMES = MetricAliases({"m": "team_m", "rate": "team_rate", "job": "team_job"}, {"api": "shop-api", "web": "shop.web"})


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("m", "team_m"),
        ("m_bucket + m_sum / m_count - m_total", "team_m_bucket + team_m_sum / team_m_count - m_total"),
        ('m{job="api"}', 'team_m{job="shop-api"}'),
        ("m{job='api'}", 'team_m{job="shop-api"}'),
        ("m{job=`api`}", 'team_m{job="shop-api"}'),
        (r'm{job="\x61pi"}', 'team_m{job="shop-api"}'),
        ('m{job!="api", x="api"}', 'team_m{job!="shop-api", x="api"}'),
        ('m{"job"="api"}', 'team_m{"job"="shop-api"}'),
        ('{__name__="m"}', '{__name__="team_m"}'),
        ('{"__name__"="m_sum"}', '{"__name__"="team_m_sum"}'),
        ('{__name__!="m", job="x"}', '{__name__!="team_m", job="x"}'),
        ('{"m"}', '{"team_m"}'),
        ("{'m', job = 'api' ,}", '{"team_m", job = "shop-api" ,}'),
        ('{job="api", "m_bucket"}', '{job="shop-api", "team_m_bucket"}'),
        ('{__name__=~"m|n"}', '{__name__=~"team_m|n"}'),
        ('{__name__=~"m_(sum|count)"}', '{__name__=~"(?:m_(sum|count))|team_m_sum|team_m_count"}'),
        ('up{job=~"api"}', 'up{job=~"shop-api"}'),
        ('up{job=~"api|x"}', 'up{job=~"shop-api|x"}'),
        ('up{job=~"(api|x)"}', 'up{job=~"(shop-api|x)"}'),
        ('up{job=~"(?:x|web)"}', r'up{job=~"(?:x|shop\\.web)"}'),
        ('up{job=~"^api$"}', 'up{job=~"(?:^api$)|shop-api"}'),
        ('up{job!~"ap[i]"}', 'up{job!~"(?:ap[i])|shop-api"}'),
        ('up{job=~"(?i)API"}', 'up{job=~"(?:(?i)API)|shop-api"}'),
        ('up{job=~"api(-x)?|web.*"}', r'up{job=~"(?:api(-x)?|web.*)|shop-api|shop\\.web"}'),
        ('up{job=~".*"}', 'up{job=~".*"}'),
        ('up{job=~".*api"}', 'up{job=~".*api"}'),
        ('up{job=~"x.*"}', 'up{job=~"x.*"}'),
        ("rate(rate[5m])", "rate(team_rate[5m])"),
        ("sum by (m, job) (m)", "sum by (m, job) (team_m)"),
        ("m * on (m) group_left (job) m", "team_m * on (m) group_left (job) team_m"),
        ("count without (m) (m{m='m'})", "count without (m) (team_m{m='m'})"),
        ("m # m\n+ m", "team_m # m\n+ team_m"),
        ('label_replace(m, "job", "api", "m", "m")', 'label_replace(team_m, "job", "api", "m", "m")'),
        ("m[5m:1m] offset 5m", "team_m[5m:1m] offset 5m"),
        ("m @ start()", "team_m @ start()"),
    ],
)
def test_promql(text: str, renamed: str) -> None:
    assert NAMES.apply(text) == renamed
    parse(renamed)


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ('label_values(m{job="api"}, m)', 'label_values(team_m{job="shop-api"}, m)'),
        ("label_values(m, job)", "label_values(team_m, job)"),
        ("label_values(job)", "label_values(job)"),
        ('query_result(sum(m{job=~"(api|$x)"}))', 'query_result(sum(team_m{job=~"(api|$x)"}))'),
        ('m{job=~"api|$job"}', 'team_m{job=~"shop-api|$job"}'),
        ('m{job=~"$job"}', 'team_m{job=~"$job"}'),
        ('m{job="${job:regex}", namespace=~"[[ns]]"}', 'team_m{job="${job:regex}", namespace=~"[[ns]]"}'),
        ("rate(m[$__rate_interval])", "rate(team_m[$__rate_interval])"),
        ("rate(m[${range}])", "rate(team_m[${range}])"),
        ("topk($m, m)", "topk($m, team_m)"),
        ("m_$suffix + $m", "m_$suffix + $m"),
    ],
)
def test_queries_of_dashboards(text: str, renamed: str) -> None:
    assert NAMES.apply(text) == renamed


def test_a_pattern_that_cannot_be_judged_is_refused() -> None:
    with pytest.raises(AliasError, match="write it as a list of names"):
        NAMES.apply(r'up{job=~"\\p{Greek}+"}')


def test_without_names_nothing_is_read() -> None:
    assert MetricAliases().apply('up{job=~"') == 'up{job=~"'


@pytest.mark.parametrize("text", ["m + ", "m{", '"', "(", "by (", "${", "[["])
def test_takes_linear_time(text: str) -> None:
    assert growth(lambda count: lambda: NAMES.apply(text * count), 200) < 2 * LINEAR
