# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found in dashboards, one case for each finding and one beside it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load as load_contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check
from ansible_collections.ias.observability.plugins.module_utils._dashboards.expand import expansions
from ansible_collections.ias.observability.plugins.module_utils._dashboards.json_positions import JsonPositions
from ansible_collections.ias.observability.plugins.module_utils._dashboards.model import Variable
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._dashboards.references import Source
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile, parse
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source as Text
from tests.unit.growth import LINEAR, growth

PROMETHEUS = {"type": "prometheus", "uid": "p"}
CONTRACT = """
services:
  api:
    metrics:
      requests_total: {type: counter, labels: {code: ["200", "500"]}}
      queue_total: {type: gauge}
      wait: {type: gauge, unit: seconds}
"""
JOB = {"name": "job", "type": "query", "query": "label_values(up, job)", "multi": True, "datasource": PROMETHEUS}


def panel(expr: str = "up", **fields: Any) -> dict[str, Any]:
    target = fields.pop("target", {})
    return {
        "id": 1,
        "type": "timeseries",
        "title": "Requests",
        "description": "How many.",
        "datasource": PROMETHEUS,
        "fieldConfig": {"defaults": {"unit": "short"}},
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "targets": [{"refId": "A", "expr": expr, **target}],
        **fields,
    }


def dashboard(*panels: Any, variables: tuple[dict[str, Any], ...] = (), **fields: Any) -> dict[str, Any]:
    return {
        "uid": "u",
        "title": "T",
        "schemaVersion": 42,
        "panels": list(panels),
        "templating": {"list": list(variables)},
        **fields,
    }


def found(raw: Any, contract: str = "", sources: list[Source] | None = None) -> list[Finding]:
    report = RuleReport()
    promised = load_contract("c", contract, report) if contract else None
    assert report.findings == []
    return check([Text("d.json", json.dumps(raw, indent=1))], Reader(Profile(), promised), sources)[0]


def ids(raw: Any, contract: str = "", sources: list[Source] | None = None) -> list[str]:
    return [finding.id.removeprefix("dashboards/") for finding in found(raw, contract, sources)]


def test_a_good_dashboard() -> None:
    assert ids(dashboard(panel("sum by (job) (rate(a[$__rate_interval]))", target={"legendFormat": "{{job}}"}))) == []


CASES: list[tuple[str, dict[str, Any]]] = [
    ("panel-title", panel(title=" ")),
    ("panel-description", panel(description="")),
    ("panel-unit", panel(fieldConfig={})),
    ("removed-panel", panel(type="graph")),
    ("panel-outside", panel(gridPos={"x": 20, "y": 0, "w": 12, "h": 8})),
    ("panel-outside", panel(gridPos={"x": "0", "y": 0, "w": 12, "h": 8})),
    ("query", panel("sum(")),
    ("query", panel("sum($x")),
    ("undefined-variable", panel('up{job="$jbo"}')),
    ("undefined-variable", panel("up", repeat="jbo")),
    ("undefined-variable", panel("up", target={"legendFormat": "${jbo}"})),
    ("undefined-variable", panel("up", datasource={"type": "prometheus", "uid": "${jbo}"})),
    ("legend-label", panel("sum by (job) (up)", target={"legendFormat": "{{ pod }}"})),
    ("legend-label", panel("sum(up)", target={"legendFormat": "{{job}} {{ job }}"})),
    ("fixed-range", panel("rate(a[2m])")),
    ("raw-counter", panel("sum(requests_total)")),
    ("unit", panel("sum(a_bytes)", fieldConfig={"defaults": {"unit": "s"}})),
    ("unit", panel("sum(rate(a_bytes_total[$__interval]))", fieldConfig={"defaults": {"unit": "bytes"}})),
    ("unit", panel("avg_over_time(a_seconds[$__interval])", fieldConfig={"defaults": {"unit": "ms"}})),
    (
        "unit",
        panel(
            "histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket[$__rate_interval])))",
            fieldConfig={"defaults": {"unit": "ms"}},
        ),
    ),
    ("instant", panel("up", target={"instant": True})),
    ("rules/hq-no-rate", panel("histogram_quantile(0.9, sum by (le) (a_bucket))")),
    ("rules/vector-match", panel("sum by (a) (x) / sum by (b) (y)")),
    ("query", panel('{job="x"} |=', datasource={"type": "loki", "uid": "l"})),
    (
        "legend-label",
        panel(
            'sum by (a) (rate({job="x"}[5m]))',
            datasource={"type": "loki", "uid": "l"},
            target={"legendFormat": "{{b}}"},
        ),
    ),
    (
        "query",
        panel(target={"query": "{ span.x = }", "expr": None}, datasource={"type": "tempo", "uid": "t"}, type="table"),
    ),
]


@pytest.mark.parametrize(("identity", "one"), CASES)
def test_finds(identity: str, one: dict[str, Any]) -> None:
    variables: tuple[dict[str, Any], ...] = ()
    if identity == "query":
        variables = ({"name": "x", "type": "textbox", "query": ""},)
    assert [one for one in ids(dashboard(one, variables=variables)) if one != "unused-variable"] == [identity]


@pytest.mark.parametrize(
    "one",
    [
        panel("up", libraryPanel={"uid": "x"}, title="", description=""),
        panel("rate(a[2m])", target={"instant": True, "range": True}),
        panel("requests_total - requests_total offset 1h"),
        panel("rate(requests_total[$__rate_interval])"),
        panel("count(requests_total)"),
        panel("requests_total", type="table"),
        panel("label_replace(up, 'a', '$1', 'b', '(.*)')", target={"legendFormat": "{{a}}"}),
        panel("sum(", target={"hide": True}),
        panel("a_bytes", fieldConfig={"defaults": {"unit": "none"}}),
        panel(
            "a_bytes",
            fieldConfig={"defaults": {"unit": "s"}, "overrides": [{"properties": [{"id": "unit", "value": "bytes"}]}]},
        ),
        panel("SELECT broken(", datasource={"type": "postgres", "uid": "x"}),
        panel("up", target={"legendFormat": "{{anything}} {{__name__}}"}),
        panel('{job="x"} | json | a > $__from', datasource={"type": "loki", "uid": "l"}),
        panel(target={"query": "x", "queryType": "traceqlSearch"}, datasource={"type": "tempo", "uid": "t"}),
    ],
)
def test_finds_nothing(one: dict[str, Any]) -> None:
    assert [identity for identity in ids(dashboard(one)) if identity != "panel-unit"] == []


def test_variables() -> None:
    used = panel('up{job="$job"}')
    assert ids(dashboard(used, variables=(JOB,))) == ["multi-value-equals"]
    assert ids(dashboard(panel('up{job=~"$job"}'), variables=(JOB,))) == []
    assert ids(dashboard(panel("up"), variables=(JOB,))) == ["unused-variable"]
    assert ids(dashboard(panel('up{job=~"${job:csv}"}'), variables=(JOB,))) == ["variable-format"]
    assert ids(dashboard(panel("up", repeat="job"), variables=({**JOB, "multi": False},))) == ["repeat-single"]
    other = {"name": "pod", "type": "query", "query": 'label_values(up{job=~"$job"}, pod)'}
    assert ids(dashboard(panel('up{pod=~"$pod"}'), variables=(JOB, other))) == []
    assert ids(dashboard(panel("up"), variables=({"name": "f", "type": "adhoc"},))) == []
    inputs = [{"name": "DS_X", "type": "datasource"}]
    assert ids(dashboard(panel("up", datasource="${DS_X}"), __inputs=inputs)) == []


def test_data_sources() -> None:
    sources = [Source("p", "Prometheus", "prometheus")]
    assert ids(dashboard(panel()), sources=sources) == []
    assert ids(dashboard(panel(datasource="Prometheus")), sources=sources) == []
    assert ids(dashboard(panel(datasource=None)), sources=sources) == []
    (finding,) = found(dashboard(panel(datasource={"type": "prometheus", "uid": "prom"})), sources=[Source("prom1")])
    assert (finding.id, finding.hint) == ("dashboards/datasource", "did you mean 'prom1'?")
    loki = {"name": "logs", "type": "datasource", "query": "loki"}
    one = panel('{job="x"}', datasource={"type": "loki", "uid": "$logs"})
    assert ids(dashboard(one, variables=(loki,)), sources=sources) == ["datasource"]
    assert ids(dashboard(one, variables=(loki,)), sources=[Source("l", "", "loki")]) == []


def test_contract() -> None:
    assert ids(dashboard(panel("rate(reqests_total[$__rate_interval])")), CONTRACT) == ["contract/metric"]
    assert ids(dashboard(panel('rate(requests_total{code="404"}[$__rate_interval])')), CONTRACT) == ["contract/value"]
    assert ids(dashboard(panel("queue_total")), CONTRACT) == []
    assert ids(dashboard(panel("wait", fieldConfig={"defaults": {"unit": "ms"}})), CONTRACT) == ["unit"]
    variable = {**JOB, "name": "code", "query": "label_values(requests_total, cod)"}
    one = panel('rate(requests_total{code=~"$code"}[$__rate_interval])')
    assert ids(dashboard(one, variables=(variable,)), CONTRACT) == ["contract/label"]
    any_code = panel('sum by ($by) (rate(requests_total{code="$code", $more}[$__rate_interval]))')
    free = tuple({"name": name, "type": "textbox", "query": ""} for name in ("by", "code", "more"))
    assert ids(dashboard(any_code, variables=free), CONTRACT) == []


def test_ids_and_the_grid() -> None:
    twice = dashboard(panel(), panel(gridPos={"x": 12, "y": 0, "w": 12, "h": 8}))
    assert ids(twice) == ["duplicate-id"]
    over = dashboard(panel(), panel(id=2, gridPos={"x": 11, "y": 7, "w": 2, "h": 1}))
    assert ids(over) == ["panel-overlap"]
    row = {"id": 3, "type": "row", "title": "R", "collapsed": True, "panels": [panel(id=4)]}
    assert ids(dashboard(panel(), row)) == []
    row["panels"] = [panel(id=4), panel(id=5)]
    assert ids(dashboard(panel(), row)) == ["panel-overlap"]
    refs = panel(targets=[{"refId": "A", "expr": "up"}, {"refId": "A", "expr": "up"}])
    assert ids(dashboard(refs)) == ["duplicate-ref"]
    assert ids({"uid": "u", "title": "T", "schemaVersion": 42, "rows": [{"panels": [panel("sum(")]}]}) == ["query"]


@pytest.mark.parametrize("version", [41, 42])
def test_the_schema_versions_of_grafana_12_and_13(version: int) -> None:
    assert ids(dashboard(panel(), schemaVersion=version)) == []


@pytest.mark.parametrize(
    ("version", "severity"), [(40, "info"), (True, "warning"), (43, "warning"), ("42", "warning"), (None, "warning")]
)
def test_schema_version(version: object, severity: str) -> None:
    (finding,) = found(dashboard(panel(), schemaVersion=version))
    assert (finding.id, finding.severity) == ("dashboards/schema-version", severity)


def test_two_with_one_uid() -> None:
    texts = [Text(name, json.dumps(dashboard(panel()))) for name in ("a.json", "b.json")]
    assert [(one.file, one.id) for one in check(texts, Reader(Profile()))[0]] == [
        ("b.json", "dashboards/duplicate-uid")
    ]


def test_says_where() -> None:
    text = json.dumps(dashboard(panel(), panel("sum(", id=7, title='a "b"', gridPos={})), indent=1)
    (finding,) = check([Text("d.json", text)], Reader(Profile()))[0]
    line = text.splitlines()[finding.line - 1]
    assert line[finding.column - 1 :].startswith('"sum("')
    assert finding.object == 'u/a "b"'


def test_places() -> None:
    text = '{"a": [1, {"b": "x, [y] \\" {"}, []],\n "c": {}, "d": null}'
    places = JsonPositions(text)
    assert places.of(("a", 1, "b")) == (1, 17)
    assert places.of(("c",)) == (2, 7)
    assert places.of(("d",)) == (2, 16)
    assert places.of(("a", 2)) == (1, 33)
    assert places.of(("a", 1, "nothing", 3)) == (1, 11)


@pytest.mark.parametrize(
    ("query", "expanded"),
    [
        ("up", "up"),
        ("rate(a[$__rate_interval])", "rate(a[5m])"),
        ("rate(a[$window])", "rate(a[10m])"),
        ("rate(a[${n}s])", "rate(a[5s])"),
        ("a[$__range:$__interval]", "a[5m:5m]"),
        ("a offset $window", "a offset 10m"),
        ("topk($n, a)", "topk(7, a)"),
        ("a > $unknown", "a > iasvariable"),
        ("node_$x{a=~'$x|[[y]]'}", "node_iasvariable{a=~'iasvariable|iasvariable'}"),
        ("${metric}_total[5m]", "iasvariable_total[5m]"),
        ("sum by ($x, y) (a)", "sum by (iasvariable, y) (a)"),
        ("a{$label='x', $more}", "a{iasvariable='x', iasvariable=\"iasvariable\"}"),
        ("label_replace(a, 'b', '$1 ${2}', 'c', '(.)(.)$')", "label_replace(a, 'b', '$1 ${2}', 'c', '(.)(.)$')"),
        ("increase(a[1h]) * $__interval_ms", "increase(a[1h]) * 300000"),
        ("a # $x", "a # $x"),
        ("time() - ${__from}/1000", "time() - 1700000000000/1000"),
    ],
)
def test_variables_give_way(query: str, expanded: str) -> None:
    variables = {
        "window": Variable("window", "interval", (), {"query": "auto,10m,1h"}),
        "n": Variable("n", "custom", (), {"query": "7,8"}),
    }
    assert next(iter(expansions(query, variables))) == expanded


def test_the_collections_own_dashboards(root: Path) -> None:
    """Nothing worse than information is found in them."""
    files = sorted((root / "contracts/dashboards").glob("*.json"))
    findings, queries = check([Text(str(file), file.read_text("utf-8")) for file in files], Reader(Profile()))
    assert queries > 20
    assert [str(finding) for finding in findings if finding.severity != "info"] == []


def test_dashboard_targets_of_the_corpus(shared: Path) -> None:
    """Expressions of published dashboards, whose variables are replaced already: none is refused."""
    with gzip.open(shared / "corpus" / "promql.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["kind"] == "dash" and row["valid_3_14"]]
    panels = [panel(row["expr"], id=number, gridPos={}) for number, row in enumerate(rows)]
    findings = found(dashboard(*panels, variables=()))
    assert len(rows) > 6000
    assert [str(finding) for finding in findings if finding.id == "dashboards/query"] == []


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 50), st.text(max_size=5), st.sampled_from(["$job", "up", "row"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    """A real dashboard with some value anywhere: findings, never an exception."""
    row = {"type": "row", "title": "R", "panels": [panel(id=9)]}
    job = json.loads(json.dumps(JOB))  # changed below
    raw: Any = dashboard(panel(repeat="job"), row, variables=(job, {"name": "i", "type": "interval", "query": "1m,5m"}))
    node = raw
    for _ in range(data.draw(st.integers(0, 6))):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            node[key] = data.draw(VALUES)
            break
        node = node[key]
    for finding in found(raw, CONTRACT, [Source("p", "P", "prometheus")]):
        assert finding.message


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["$x", "${x}", "[[x]]", "{", "}", "[", "]", '"', "'", "`", "#", "by (", ")", "a", "=", "\\"])
    ).map("".join)
)
def test_any_query(query: str) -> None:
    found(dashboard(panel(query)))
    for expanded in expansions(query, {}):
        assert isinstance(expanded, str)


def test_time_grows_with_length(collector_off: None) -> None:
    def checked(count: int) -> Callable[[], object]:
        panels = [
            panel('sum by (job) (rate(a{job=~"$job"}[5m]))', id=n, gridPos={"x": 0, "y": n, "w": 24, "h": 1})
            for n in range(count)
        ]
        text = json.dumps(dashboard(*panels, variables=(JOB,)))
        return lambda: check([Text("d", text)], Reader(Profile()))

    assert growth(checked, 300) <= LINEAR


@pytest.mark.parametrize(
    "repeated",
    [
        '"\\',
        "'\\",
        "`'\"",
        "$a ",
        "$a  ",
        "${a} + ",
        "[[a]]:",
        "{$a",
        "[$a",
        '"$a',
        "#",
        "offset $a ",
        "by (",
        '="',
        "a:b:c{",
    ],
)
def test_queries_are_expanded_in_linear_time(collector_off: None, repeated: str) -> None:
    def checked(count: int) -> Callable[[], object]:
        query = repeated * count + "$x"
        return lambda: [*expansions(query, {})]

    assert growth(checked, 1500) <= LINEAR


LOKI = {"type": "loki", "uid": "l"}
LONG: dict[str, Callable[[int], tuple[dict[str, Any], str]]] = {
    "a range in a text": lambda count: (panel('{a="[' + "1" * count + '"}'), "a"),
    "templates that do not end": lambda count: (
        panel('{a="b"} | line_format "' + "{{" * count + '"', datasource=LOKI),
        "a",
    ),
    "quotes that do not end": lambda count: (
        panel('{a="b"} | line_format `{{' + '"\\' * count + "}}`", datasource=LOKI),
        "a",
    ),
    "digits of a value": lambda count: (panel("a > $v"), "1" * count + "x"),
    "values and references": lambda count: (panel(" + ".join(["$v"] * count)), ",".join(["1"] * count)),
}


@pytest.mark.parametrize("case", LONG)
def test_time_grows_with_any_part(collector_off: None, case: str) -> None:
    described = load_contract("c", "services: {api: {logs: {fields: {a: {}}}}}", RuleReport())

    def checked(count: int) -> Callable[[], object]:
        drawn, values = LONG[case](count)
        text = json.dumps(dashboard(drawn, variables=({"name": "v", "type": "custom", "query": values},)))
        return lambda: check([Text("d", text)], Reader(Profile(), described))

    assert growth(checked, 600) <= LINEAR


def test_a_dashboard_without_any_of_its_variables(collector_off: None) -> None:
    """Each name that is missing is compared with those that are there, up to a bound."""

    def checked(count: int) -> Callable[[], object]:
        variables = tuple({**JOB, "name": f"variable_{number}", "query": ""} for number in range(count))
        query = " + ".join(f"$variabel_{number}" for number in range(count))
        text = json.dumps(dashboard(panel(query, datasource={"uid": "$variabel_0"}), variables=variables))
        return lambda: check([Text("d", text)], Reader(Profile()), [Source("p")])

    assert growth(checked, 300) <= LINEAR


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, 0.5])
@pytest.mark.parametrize("key", "xywh")
def test_numbers_of_any_size(key: str, value: float) -> None:
    position = {"x": 0.5, "y": 0.5, "w": 1.5, "h": 0.5, key: value}
    found(dashboard(panel(gridPos=position), panel(id=2, gridPos={**position, "x": 3}), schemaVersion=value))


def test_expanded_queries_parse() -> None:
    for query in ('a{b=~"${c:regex}"}[$__range]', "sum without ($x) (rate(a{$y}[$z:])) > bool $w"):
        assert parse(next(iter(expansions(query, {}))))
