# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layer (a): what Prometheus and the operator would refuse, with the place in the file."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._files import MAX_BYTES
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._promql.profile import FEATURES
from ansible_collections.ias.observability.plugins.module_utils._rules import load as load_module
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport

GROUP = "groups:\n- name: g\n  rules:\n"
MANIFEST = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: m}
spec:
  groups:
  - name: g
    rules:
"""


def findings(text: str, profile: Profile | None = None) -> list[tuple[str, str, int, int]]:
    report = RuleReport()
    parse_rules("f.yaml", text, profile or Profile(), report)
    return [(finding.id, finding.severity, finding.line, finding.column) for finding in report.findings]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "groups:",
        "groups: []",
        "groups: [{name: a}]",
        "groups: [{name: a, rules: null}]",
        "\ufeff" + GROUP + "  - {record: a, expr: 1}",
        GROUP.replace("\n", "\r\n") + "  - record: a\r\n    expr: |\r\n      up\r\n",
        '{"groups": [{"name": "a", "rules": [{"record": "a", "expr": "up", "labels": {"b": 5}}]}]}',
        GROUP + "  - &a {record: a, expr: up}\n  - <<: *a\n    labels: {b: c}",
        GROUP + "  - {record: a, expr: 1, for: 0s}",
        GROUP + "  - {alert: a, expr: 'up == 0', for: 1h30m, keep_firing_for: 5m}",
        "groups: [{name: a, interval: 30s, query_offset: 0, limit: 5, labels: {a: b}}]",
        GROUP + "  - {record: 'http.requests:sum', expr: up, labels: {'a.b': c}}",
        MANIFEST + "    - {record: a, expr: 1}",
    ],
)
def test_what_prometheus_accepts(text: str) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    ("text", "identity", "line", "column"),
    [
        ("groups: [", "load/yaml", 2, 1),
        ("a: b\x00", "load/yaml", 0, 0),
        ("\tgroups: []", "load/yaml", 1, 1),
        ("groups: *nobody", "load/yaml", 1, 9),
        ("[" * 100, "load/yaml", 1, 61),
        ("- a", "load/type", 1, 1),
        ("just text", "load/type", 1, 1),
        ("groups: 5", "load/type", 1, 9),
        ("groups: [5]", "load/type", 1, 10),
        ("groups: [{name: a, rules: 5}]", "load/type", 1, 27),
        ("groups: [{name: a, rules: [5]}]", "load/type", 1, 28),
        ("groups: [{name: [a]}]", "load/type", 1, 17),
        ("groups: [{name: a, limit: '5'}]", "load/type", 1, 27),
        ("groups: [{name: a, limit: many}]", "load/type", 1, 27),
        ("groups: [{name: a, labels: 5}]", "load/type", 1, 28),
        ("groups: []\ngroups: []", "load/duplicate-key", 2, 1),
        ("group: []", "load/unknown-field", 1, 1),
        ("groups: [{name: a, intervall: 5m}]", "load/unknown-field", 1, 20),
        ("groups: [{rules: []}]", "load/group-name", 1, 10),
        ("groups: [{name: a}, {name: a}]", "load/duplicate-group", 1, 21),
        ("groups: [{name: a, interval: 5 m}]", "load/duration", 1, 30),
        ("groups: [{name: a, interval: 1.5h}]", "load/duration", 1, 30),
        ("groups: [{name: a, interval: [5m]}]", "load/type", 1, 30),
        (GROUP + "  - {expr: up}", "load/alert-or-record", 4, 5),
        (GROUP + "  - {alert: a, record: b, expr: up}", "load/alert-or-record", 4, 5),
        (GROUP + "  - {alert: a}", "load/expr", 4, 5),
        (GROUP + "  - {alert: a, expr: [up]}", "load/type", 4, 22),
        (GROUP + "  - {alert: a, expr: up and}", "load/promql", 4, 28),
        (GROUP + "  - {alert: a, expr: 'up and'}", "load/promql", 4, 29),
        (GROUP + "  - alert: a\n    expr: |\n      up\n        and foo(\n      )", "load/promql", 7, 13),
        (GROUP + "  - alert: a\n    expr: >\n      up\n      and", "load/promql", 5, 11),
        (GROUP + "  - {alert: a, expr: 'mad_over_time(a[5m])'}", "load/feature", 4, 23),
        (GROUP + "  - {alert: a, expr: 'up[5m]'}", "load/expr-type", 4, 22),
        (GROUP + "  - {alert: a, expr: up, labels: {__name__: b}}", "load/label-name", 4, 35),
        (GROUP + "  - {alert: a, expr: up, labels: {b: [c]}}", "load/type", 4, 38),
        (GROUP + "  - {alert: a, expr: up, labels: {b: c, b: d}}", "load/duplicate-key", 4, 41),
        (GROUP + "  - {alert: a, expr: up, annotations: {b: '{{ $labels.x }'}}", "load/template", 4, 43),
        (GROUP + "  - {record: a, expr: up, for: 5m}", "load/record-field", 4, 5),
        (GROUP + "  - {record: a, expr: up, annotations: {b: c}}", "load/record-field", 4, 5),
        (GROUP + "  - {record: 'a{b=\"c\"}', expr: up}", "load/record-name", 4, 5),
        (GROUP + "  - {alert: a, expr: 'up{a=~\"(\"}'}", "load/promql", 4, 26),
        (MANIFEST.replace("{name: m}", "{}") + "    - {record: a, expr: 1}", "load/manifest-name", 1, 1),
        (MANIFEST + "    - {alert: a, expr: 1, labels: {b: 5}}", "load/label-not-text", 8, 39),
        (MANIFEST + "    - {alert: a, expr: 1, annotations: {b: yes}}", "load/label-not-text", 8, 44),
        (MANIFEST + "    - {alert: a, expr: 1, keep_firing_for: ''}", "load/duration", 8, 44),
        (MANIFEST + "    - {record: 'a.b', expr: 1}", "load/legacy-names", 8, 29),
        (MANIFEST + "    - {alert: a, expr: 1, labels: {'a.b': c}}", "load/legacy-names", 8, 24),
        ("kind: PrometheusRule\nmetadata: {name: a}\nspec: []", "load/type", 3, 7),
    ],
)
def test_what_is_refused_and_where(text: str, identity: str, line: int, column: int) -> None:
    found = findings(text)
    assert (identity, "error", line, column) in found


def test_several_documents() -> None:
    rule = GROUP + "  - {record: a, expr: 1}\n"
    assert findings(rule + "---\n" + rule) == [("load/second-document", "warning", 6, 1)]
    assert findings(rule + "---\n") == []
    bad = MANIFEST + "    - {record: a, expr: '1 +'}\n"
    assert [identity for identity, *_ in findings(f"{bad}---\n{bad}")] == ["load/promql", "load/promql"]
    items = "kind: List\nitems:\n- " + "\n  ".join(bad.splitlines())
    assert [identity for identity, *_ in findings(items)] == ["load/promql"]


def test_other_manifests_are_left_alone() -> None:
    assert findings("kind: ConfigMap\ndata: {}") == [("load/other-manifest", "info", 1, 7)]


def test_unknown_field_of_a_manifest_is_dropped_silently() -> None:
    assert findings(MANIFEST + "    - {record: a, expr: 1, foo: b}") == [("load/unknown-field", "warning", 8, 28)]


def test_operator_refuses_what_the_server_accepts_by_feature_flags() -> None:
    text = MANIFEST + "    - {record: a, expr: 'mad_over_time(a[5m])'}"
    assert findings(text, Profile((3, 14), FEATURES)) == [("load/operator-feature", "error", 8, 26)]


def test_manifest_size() -> None:
    rule = "    - {alert: a, expr: 1, annotations: {b: " + "x" * 1000 + "}}\n"
    assert ("load/manifest-size", "error", 0, 0) in findings(MANIFEST + rule * 600)


def test_file_size() -> None:
    assert findings("#" * (MAX_BYTES + 1)) == [("load/too-large", "error", 0, 0)]


def test_bomb_of_anchors_costs_nothing() -> None:
    lines = ["a0: &a0 {x: y}"]
    lines += [
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 50)
    ]
    (found,) = findings("\n".join([*lines, "groups: *a49"]))
    assert found[:2] == ("load/yaml", "error")


def test_too_many_rules_by_aliases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_module, "MAX_RULES", 100)
    rules = "x: &r [" + ",".join(["{record: a, expr: 1}"] * 60) + "]\n"
    text = rules + "groups:\n" + "".join(f"- {{name: g{n}, rules: *r}}\n" for n in range(2))
    assert any(identity == "load/too-many-rules" for identity, *_ in findings(text))


def test_rules_keep_what_was_written() -> None:
    report = RuleReport()
    text = """\
groups:
- name: g
  interval: 1m
  labels: {team: a}
  rules:
  - alert: Down
    expr: up == 0
    for: 1h30m
    keep_firing_for: 500ms
    labels: {severity: critical}
    annotations:
      summary: '{{ $labels.job }} is {{ .Value | humanize }}'
"""
    [file] = parse_rules("f.yaml", text, Profile(), report)
    [rule] = file.groups[0].rules
    assert report.findings == []
    assert (rule.name, rule.for_seconds, rule.keep_firing_for, rule.group.interval) == ("Down", 5400, 0.5, 60)
    assert rule.group.all_labels(rule) == {"team": "a", "severity": "critical"}
    assert rule.place("labels.severity") == (10, 24)
    assert rule.place("nothing", "for") == (8, 10)
    template = rule.templates["annotations.summary"]
    assert (template.labels, template.value_uses, template.fields) == (["job"], ["humanize"], ["Value"])
