# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import time
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._checks.dashboards import has_sample, judge_panel
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.model import DataSource
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.panels import Panel, read_panels
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.variables import (
    Chosen,
    UnsupportedError,
    choose,
    choose_datasource,
    fixed_values,
    lookup,
    pick,
    substitute,
    substitute_all,
)

PROMETHEUS = DataSource("prom", "Prometheus", "prometheus", True, {"timeInterval": "30s"})
OTHER = DataSource("prom2", "Second", "prometheus", False, {})
LOKI = DataSource("loki", "Loki", "loki", False, {})
SOURCES = [OTHER, PROMETHEUS, LOKI]
ONE = {"job": Chosen(("api",))}
MANY = {"job": Chosen(("a.b", "c"), multi=True)}


@pytest.mark.parametrize(
    ("text", "chosen", "expected"),
    [
        ('up{job="$job"}', ONE, 'up{job="api"}'),
        ('up{job="${job}"}', ONE, 'up{job="api"}'),
        ('up{job="[[job]]"}', ONE, 'up{job="api"}'),
        ('up{job=~"$job"}', MANY, 'up{job=~"(a\\\\.b|c)"}'),
        ("${job:regex}", MANY, "(a\\.b|c)"),
        ("${job:pipe}", MANY, "a.b|c"),
        ("${job:csv}", MANY, "a.b,c"),
        ("${job:json}", MANY, '["a.b", "c"]'),
        ("${job:doublequote}", MANY, '"a.b","c"'),
        ("${job:glob}", MANY, "{a.b,c}"),
        ("${job:glob}", ONE, "api"),
        ('up{job=~"$job"}', {"job": Chosen(("a", "b"), True, ".*")}, 'up{job=~".*"}'),
        ("rate(x[$__rate_interval]) / $__interval_ms", ONE, "rate(x[$__rate_interval]) / $__interval_ms"),
        ("$jobs $other", ONE, "$jobs $other"),
    ],
)
def test_substitution(text: str, chosen: dict[str, Chosen], expected: str) -> None:
    assert substitute(text, chosen) == expected


@pytest.mark.parametrize(
    ("source", "query", "path", "parameters"),
    [
        ("prometheus", "label_values(job)", "/api/v1/label/job/values", {}),
        (
            "prometheus",
            {"query": 'label_values(up{a="b,c"}, instance)', "qryType": 1},
            "/api/v1/label/instance/values",
            {"match[]": 'up{a="b,c"}'},
        ),
        ("prometheus", "label_names()", "/api/v1/labels", {}),
        ("prometheus", "query_result(sum by (a) (up))", "/api/v1/query", {"query": "sum by (a) (up)"}),
        ("loki", {"label": "app", "stream": '{x="y"}'}, "/loki/api/v1/label/app/values", {"query": '{x="y"}'}),
        ("loki", "label_values(app)", "/loki/api/v1/label/app/values", {}),
    ],
)
def test_where_values_come_from(source: str, query: Any, path: str, parameters: dict[str, str]) -> None:
    request = lookup(source, query)
    assert (request.path, dict(request.query)) == (path, parameters)


def test_metrics_are_filtered() -> None:
    assert lookup("prometheus", "metrics(^http_)").read({"data": ["http_x", "grpc_http_"]}) == ["http_x"]


def test_series_are_offered_as_text_to_the_regular_expression() -> None:
    answer = {"data": {"resultType": "vector", "result": [{"metric": {"__name__": "up", "a": "b"}, "value": [1, "2"]}]}}
    (text,) = lookup("prometheus", "query_result(up)").read(answer)
    assert text == 'up{a="b"} 2 1000'
    assert pick([text], '/a="([^"]+)"/') == ["b"]


def test_a_scalar_is_offered_as_its_value() -> None:
    answer = {"data": {"resultType": "scalar", "result": [1700000000, "5"]}}
    assert lookup("prometheus", "query_result(scalar(up))").read(answer) == ["5"]


def test_values_are_put_in_wherever_a_text_is() -> None:
    assert substitute_all({"a": ["$job", {"b": "[[job]]"}], "c": 5}, ONE) == {"a": ["api", {"b": "api"}], "c": 5}


def test_loki_has_no_queries_for_variables_but_labels() -> None:
    with pytest.raises(UnsupportedError, match="the Loki variable query 'sum\\(x\\)' cannot be asked for"):
        lookup("loki", "sum(x)")


@pytest.mark.parametrize("kind", ["tempo", ""])
def test_what_cannot_be_asked_says_so(kind: str) -> None:
    with pytest.raises(UnsupportedError):
        lookup(kind, "x")


def test_picking() -> None:
    assert pick(["a", "b", "a"], "") == ["a", "b"]
    assert pick(["x-1", "y-2"], "/(?<text>.*)-(?<value>.*)/") == ["1", "2"]
    assert pick(["Api", "db"], "/api/i") == ["Api"]
    assert pick(["a.b:1", "c"], "/^([^:]+):/") == ["a.b"]
    assert pick(["a"], "(b)?a") == [""]


@pytest.mark.parametrize(
    ("regex", "said"),
    [
        ("/(/", "its regular expression /(/ cannot be used: missing closing ): `(`"),
        (
            "/^(?!kube).*/",
            "its regular expression /^(?!kube).*/ cannot be used: invalid or unsupported Perl syntax: `(?!k`",
        ),
        ("/" + "x" * 20_000 + "/", "… cannot be used: "),
    ],
)
def test_a_regular_expression_that_cannot_be_used(regex: str, said: str) -> None:
    with pytest.raises(UnsupportedError, match=re.escape(said)):
        pick(["a"], regex)
    with pytest.raises(UnsupportedError, match=re.escape(said)):
        lookup("prometheus", f"metrics({regex})")


def test_a_regular_expression_takes_bounded_time() -> None:
    start = time.process_time()
    assert pick(["x" * 37] * 1000, r"/^(\S+)+!$/") == []
    with pytest.raises(UnsupportedError, match="takes too long"):
        pick(["x" * 100_000] * 1000, r"/^(\S+)+!$/")
    assert time.process_time() - start < 8


def test_choosing() -> None:
    assert choose({"includeAll": True}, ["a", "b"]).values == ("a", "b")
    assert choose({"includeAll": True, "allValue": ".*"}, ["a"]).pattern == ".*"
    assert choose({"current": {"value": "b"}}, ["a", "b"]).values == ("b",)
    assert choose({"current": {"value": "gone"}}, ["a", "b"]).values == ("a",)
    assert choose({}, []).values == ()


def test_fixed_values() -> None:
    assert fixed_values({"type": "custom", "query": "one : 1, two\\,three,"}) == ["1", "two,three"]
    assert fixed_values({"type": "interval", "query": "auto,1m,5m"}) == ["1m", "5m"]
    assert fixed_values({"type": "constant", "query": "x"}) == ["x"]
    assert fixed_values({"type": "textbox", "query": "", "current": {"value": "typed"}}) == ["typed"]


@pytest.mark.parametrize(
    ("variable", "uid"),
    [
        ({"query": "prometheus"}, "prom"),
        ({"query": "prometheus", "current": {"value": "prom2"}}, "prom2"),
        ({"query": "prometheus", "regex": "/Sec/"}, "prom2"),
        ({"query": "loki", "current": {"value": "gone"}}, "loki"),
    ],
)
def test_the_data_source_variable(variable: dict[str, Any], uid: str) -> None:
    assert choose_datasource(variable, SOURCES).values == (uid,)


def panels(*raw: dict[str, Any]) -> list[Panel]:
    return read_panels("D", {"panels": list(raw)}, SOURCES, {"ds": Chosen(("prom",)), **ONE})


def test_a_query_as_a_browser_sends_it() -> None:
    (panel,) = panels(
        {
            "id": 3,
            "type": "stat",
            "title": "Rate of $job",
            "datasource": {"uid": "${ds}"},
            "targets": [{"expr": 'up{job="$job"}', "instant": True}],
        }
    )
    assert panel.label == "D/Rate of api"
    assert panel.queries == (
        {
            "expr": 'up{job="api"}',
            "instant": True,
            "range": False,
            "refId": "A",
            "datasource": {"type": "prometheus", "uid": "prom"},
            "intervalMs": 30000,
            "maxDataPoints": 100,
        },
    )


def test_panels_in_collapsed_rows_count_and_others_do_not() -> None:
    target = [{"refId": "A", "expr": "up"}]
    found = panels(
        {"type": "row", "collapsed": True, "panels": [{"id": 1, "type": "stat", "title": "in", "targets": target}]},
        {"id": 2, "type": "text"},
        {"id": 3, "type": "stat", "title": "hidden", "targets": [{"expr": "up", "hide": True}]},
        {"id": 4, "type": "stat", "datasource": {"uid": "-- Dashboard --"}, "targets": [{"panelId": 1}]},
    )
    assert [panel.title for panel in found] == ["in"]


def test_an_expression_goes_with_its_queries() -> None:
    expression = {"refId": "B", "datasource": {"uid": "__expr__"}, "type": "math", "expression": "$A*2"}
    (panel,) = panels({"id": 1, "targets": [{"refId": "A", "expr": "up"}, expression]})
    assert panel.queries[1]["datasource"] == {"type": "__expr__", "uid": "__expr__"}


def test_what_nobody_can_ask_is_a_problem() -> None:
    (gone, browser) = panels(
        {"id": 1, "datasource": {"uid": "gone"}, "targets": [{"expr": "up"}]},
        {"id": 2, "datasource": {"uid": "loki"}, "targets": [{"queryType": "traceqlSearch"}]},
    )
    assert "data source gone" in gone.problems[0]
    assert [finding.id for finding in judge_panel(browser, {})] == ["dashboards/query-impossible"]


def frame(kind: str, *values: Any) -> dict[str, Any]:
    fields = [{"name": "Time", "type": "time"}, {"name": "Value", "type": kind}]
    return {"status": 200, "frames": [{"schema": {"fields": fields}, "data": {"values": [[1] * len(values), values]}}]}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (frame("number", 0), True),
        (frame("number", None, 2.5), True),
        (frame("number", None), False),  # NaN
        (frame("number"), False),
        (frame("string", "a log line"), True),
        ({"status": 200, "frames": []}, False),
        ({"status": 200}, False),
    ],
)
def test_what_is_a_real_sample(result: dict[str, Any], expected: bool) -> None:
    assert has_sample(result) is expected


def test_judging_a_panel() -> None:
    targets = [{"refId": "A", "expr": "up"}, {"refId": "B", "expr": "down"}]
    (panel,) = panels({"id": 1, "title": "P", "targets": targets})
    assert judge_panel(panel, {"A": frame("number", 1), "B": frame("number")}) == []
    broken = judge_panel(panel, {"A": frame("number", 1), "B": {"error": "parse error", "status": 400}})
    assert [(one.id, "parse error" in one.message) for one in broken] == [("dashboards/query-failed", True)]


def test_a_panel_that_may_be_empty_must_still_be_answered() -> None:
    description = "XID errors.\nMay be empty: no error today"
    (panel,) = panels({"id": 1, "description": description, "targets": [{"refId": "A", "expr": "x"}]})
    assert panel.may_be_empty == "no error today"
    assert judge_panel(panel, {"A": frame("number")}) == []
    assert judge_panel(panel, {"A": {"error": "boom"}})
