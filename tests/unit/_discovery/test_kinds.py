# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.ias.observability.plugins.module_utils._discovery.kinds import kind_of_json, kind_of_yaml

RULE = "rules: [{alert: A, expr: up == 0}]"
MANIFEST = f"kind: PrometheusRule\nmetadata: {{name: a}}\nspec: {{groups: [{{name: g, {RULE}}}]}}\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"groups: [{{name: g, {RULE}}}]", "rules"),
        ("groups:\n- name: g\n  rules:\n  - alrt: a rule that is misspelled\n", "rules"),
        ("groups:\n- name: g\n  rules:\n  - alert: A\n   expr: a file that is no YAML\n", "rules"),
        (MANIFEST, "rules"),
        ("apiVersion: apps/v1\nkind: Deployment\n---\n" + MANIFEST, "rules"),
        (f"kind: List\nitems: [{{kind: PrometheusRule, spec: {{groups: [{{{RULE}}}]}}}}]", "rules"),
        # PromQL has a `}` before `!= 0`, too
        ("groups: [{name: g, rules: [{record: a, expr: 'up{a=\"b\"} != 0'}]}]", "rules"),
        ('groups: [{name: g, rules: [{alert: A, expr: \'rate({a="b"} |= "x" [5m]) > 1\'}]}]', "loki-rules"),
        ("groups: [{name: g, rules: [{alert: A, expr: 'rate({a=\"b\"} | json [5m]) > 1'}]}]", "loki-rules"),
        ("kind: PrometheusRule\nspec: {groups: [{rules: [{expr: 'rate({a=\"b\"} !~ `x` [5m])'}]}]}", "loki-rules"),
        ("{uid: a, title: A, rows: [{panels: []}]}", "spec"),
        ("services: {api: {metrics: {requests_total: {type: counter}}}}", "contract"),
        # what only looks like one of these
        ("services: {api: {image: api, labels: {metrics: 'true'}}}", "other"),
        ("apiVersion: 1\ngroups: [{orgId: 1, name: g, rules: [{uid: a, condition: A}]}]", "other"),
        ("additionalPrometheusRulesMap: {a: {groups: [{name: g, rules: [{alert: A, expr: up}]}]}}", "other"),
        ("groups: [wheel, docker]", "other"),
        ("groups: {all: {rules: []}}", "other"),
        ("metrics: [\n", "other"),
        ("kind: List\nitems: metrics\n", "other"),
        ("- groups\n", "other"),
        ("", "other"),
    ],
)
def test_yaml(text: str, kind: str) -> None:
    assert kind_of_yaml(text) == kind


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        ({"uid": "a", "title": "A", "panels": []}, "dashboard"),
        ({"schemaVersion": 14, "rows": [{"panels": []}]}, "dashboard"),
        ({"meta": {}, "dashboard": {"title": "A", "panels": []}}, "wrapped-dashboard"),
        ({"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0"}]}]}, "rules"),
        ({"panels": ["a", "b"]}, "other"),
        ({"rows": [1, 2], "title": "a table"}, "other"),
        ({"dashboard": {"rows": 3}}, "other"),
        ([{"panels": []}], "other"),
        ({"name": "a package"}, "other"),
    ],
)
def test_json(root: object, kind: str) -> None:
    assert kind_of_json(json.dumps(root)) == kind


def test_json_that_cannot_be_parsed() -> None:
    assert kind_of_json('{"title": "A", "panels": [}') == "dashboard"
    assert kind_of_json('{"metrics": [}') == "other"
    assert kind_of_json(f'{{"panels": {"[" * 100_000}') == "dashboard"
