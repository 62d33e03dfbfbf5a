# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values against small charts of our own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from ansible_collections.ias.observability.plugins.module_utils._values.chart import ChartError, read
from ansible_collections.ias.observability.plugins.module_utils._values.check import check
from ansible_collections.ias.observability.plugins.module_utils._values.uses import uses
from tests.unit.growth import LINEAR, growth

DEFAULTS = """\
replicas: 1
enabled: false
name: api
image:
  repository: api
  tag: v1
  # Deprecated: use tag
  version: ""
service:
  type: ClusterIP
  ports: []
resources: {}
leftover: 1
persistence:
  size: 1Gi
"""
TEMPLATE = """\
{{- /* .Values.leftover */ -}}
{{- if .Values.enabled }}
replicas: {{ .Values.replicas | int }}
image: "{{ .Values.image.repository }}:{{ default (.Values.image).version .Values.image.tag }}"
name: {{ $.Values.name }}
ports: {{- range .Values.service.ports }}{{ . }}{{ end }}
type: {{ .Values.service.type }} {{ .Values.service.nodePort }}
resources: {{- toYaml .Values.resources | nindent 2 }}
size: {{ index .Values "persistence" "size" }}
{{- end }}
"""


def chart(**files: str) -> dict[str, str]:
    return {
        "Chart.yaml": "{name: api, version: 1.2.3}",
        "values.yaml": DEFAULTS,
        "templates/all.yaml": TEMPLATE,
        **{path.replace("__", "/").replace("_yaml", ".yaml"): text for path, text in files.items()},
    }


def found(values: str, files: dict[str, str] | None = None, *more: str) -> list[Finding]:
    texts = [Source(f"v{number}.yaml", text) for number, text in enumerate([values, *more])]
    return check(read(files or chart(), "chart"), texts)


def ids(values: str, files: dict[str, str] | None = None) -> list[str]:
    return [f"{finding.id.removeprefix('values/')} {finding.object}" for finding in found(values, files)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("", []),
        ("replicas: 3", []),
        ("replicas: null", []),
        ("replica: 3", ["unknown-key replica"]),
        ("image: {tagg: v2}", ["unknown-key image.tagg"]),
        ("image: {tag: {a: 1}}", ["type image.tag"]),
        ("image: v2", ["type image"]),
        ("image: {version: v2}", ["deprecated-key image.version"]),
        ("service: {nodePort: 1, ports: [{port: 1}]}", []),
        ("service: {ports: {a: 1}}", ["type service.ports"]),
        ("service: {port: 1}", ["unknown-key service.port"]),
        ("resources: {limits: {cpu: 1}}", []),
        ("global: {anything: 1}", []),
        ("leftover: 2", ["unread-key leftover"]),
        ("size: 1Gi", ["unknown-key size"]),
        ("persistence: {size: 2Gi}", []),
        ("replicas: '3'", ["type replicas"]),
        ("enabled: 'false'", ["type enabled"]),
        ("name: 5", []),
        ("replicas: 1\nreplicas: 2", ["duplicate-key replicas"]),
        ("image: &i {tag: a}\nresources: *i", []),
    ],
)
def test_finds(values: str, expected: list[str]) -> None:
    assert ids(values) == expected


@pytest.mark.parametrize(
    ("values", "severity", "hint"),
    [
        ("replica: 3", "error", "did you mean 'replicas'?"),
        ("size: 1Gi", "error", "is it persistence.size?"),
        ("service: {zzz: 1}", "error", "known here: nodePort, ports, type"),
        ("image: {version: v2}", "warning", "Deprecated: use tag"),
        ("enabled: 'false'", "error", "any text counts as true: write it without quotes"),
        ("replicas: '3'", "warning", "write it without quotes"),
    ],
)
def test_says_what_to_do(values: str, severity: str, hint: str) -> None:
    (finding,) = found(values)
    assert (finding.severity, finding.hint) == (severity, hint)


def test_what_a_schema_says_of_its_keys() -> None:
    schema = {
        "properties": {
            "old": {"type": "string", "description": "Deprecated, use new."},
            "older": {"deprecated": True},
            "day": {"type": "string"},
        },
        "required": ["day"],
    }
    files = {**chart(), "values.schema.json": json.dumps(schema)}
    values = "old: a\nolder: b\nday: 2026-01-01"
    deprecated = [finding for finding in found(values, files) if finding.id == "values/deprecated-key"]
    assert [finding.hint for finding in deprecated] == ["Deprecated, use new.", "deprecated"]
    assert "'day' is missing" in found("old: a", files)[0].message


def test_says_where() -> None:
    (finding,) = found("a: 1", None, "image:\n  tag: x\n  tagg: y\n")[1:]
    assert (finding.file, finding.line, finding.column) == ("v1.yaml", 3, 3)


@pytest.mark.parametrize(
    ("name", "value", "is_found"),
    [
        ("adminPassword", "hunter2", True),
        ("token", "abc", True),
        ("api_key", "abc", True),
        ("password", "", False),
        ("password", "{{ vault }}", False),
        ("password", "${PASSWORD}", False),
        ("existingSecret", "name", False),
        ("passwordKey", "key", False),
        ("password", 12345, True),
        ("maxToken", 12345, False),
        ("password", True, False),
        ("url", "https://ada:hunter2@db/x", True),
        ("url", "https://ada@db/x", False),
        ("url", "http://db:5432/a@b", False),
        ("url", "https://ada:${PASSWORD}@db", False),
        ("tls", "-----BEGIN RSA PRIVATE KEY-----\nx", True),
        ("tls", "-----BEGIN CERTIFICATE-----\nx", False),
        ("env", [{"name": "DB_PASSWORD", "value": "hunter2"}], True),
        ("env", [{"name": "DB_HOST", "value": "db"}], False),
        ("users", [[{"password": "hunter2"}]], True),
        ("urls", ["https://ada:hunter2@db"], True),
    ],
)
def test_secrets_in_clear(name: str, value: Any, is_found: bool) -> None:
    files = chart(templates__x_yaml="{{ toYaml .Values.auth }}")
    findings = found(yaml.safe_dump({"auth": {name: value}}), files)
    assert [finding.id for finding in findings] == ["values/secret"] * is_found
    assert "hunter2" not in str(findings)


def test_secrets_are_told_where_nothing_else_is_read() -> None:
    """Below a key that the chart does not know; once, however often an alias repeats it."""
    bomb = "a: &a [{password: x}]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in itertools.pairwise("abcdefghijklm")
    )
    secrets = [finding for finding in found("auht: {password: hunter2}\n" + bomb) if finding.id == "values/secret"]
    assert [(finding.object, finding.line) for finding in secrets][:1] == [("auht.password", 1)]
    assert len(secrets) == 2


def test_a_chart_that_passes_its_values_on() -> None:
    files = chart(templates__x_yaml='{{ include "common.all" (dict "values" .Values) }}')
    assert [(one.id, one.severity) for one in found("replica: 3\nleftover: 2", files)] == [
        ("values/unknown-key", "warning")
    ]


SUB = {
    "charts/db/Chart.yaml": "{name: db, version: 1.0.0}",
    "charts/db/values.yaml": "port: 5432\n",
    "charts/db/templates/x.yaml": "{{ .Values.port }}{{ .Values.global.domain }}",
}


def test_sub_charts() -> None:
    about = "{name: api, version: 1.2.3, dependencies: [{name: db, alias: store, condition: store.enabled}]}"
    files = {**chart(), **SUB, "Chart.yaml": about}
    assert ids("store: {enabled: true, port: 1}", files) == []
    assert ids("store: {prt: 1}\ndb: {port: 1}", files) == ["unknown-key store.prt", "unknown-key db"]
    assert ids("db: {port: {}}", {**chart(), **SUB}) == ["type db.port"]
    assert ids("store: {anything: 1}", {**chart(), "Chart.yaml": about}) == []
    library = {**SUB, "charts/db/Chart.yaml": "{name: db, version: 1.0.0, type: library}"}
    assert ids("port: 1", {**chart(), **library}) == []


def test_schema() -> None:
    schema = {
        "properties": {
            "replicas": {"type": "integer", "minimum": 1},
            "enabled": {"description": "DEPRECATED: always on"},
            "name": {"$ref": "#/$defs/name"},
            "extra": {"type": "object", "additionalProperties": False, "properties": {"a": {"deprecated": True}}},
            "service": {"properties": {"type": {"enum": ["ClusterIP", "NodePort"]}}},
        },
        "required": ["name"],
        "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$"}},
    }
    files = chart(templates__x_yaml="{{ .Values.extra.a }}")
    files["values.schema.json"] = json.dumps(schema)
    assert ids("replicas: 0", files) == ["schema replicas"]
    assert ids("name: A1", files) == ["schema name"]
    assert ids("name: null", files) == ["schema name"]
    (finding,) = found("enabled: true", files)
    assert (finding.id, finding.hint) == ("values/deprecated-key", "DEPRECATED: always on")
    assert ids("extra: {a: 1}", files) == ["deprecated-key extra.a"]
    assert ids("extra: {b: 1}", files) == ["unknown-key extra.b"]
    (finding,) = found("service: {type: None}", files)
    assert finding.message == "service.type must be one of ClusterIP, NodePort"
    assert ids("replicas: 2\nname: abc", files) == []


@pytest.mark.parametrize(
    ("text", "whole", "tested"),
    [
        ("{{ .Values.a.b }} .Values.c", {("a", "b")}, set()),
        ("{{- if and .Values.a (not .Values.b.c) -}}", set(), {("a",), ("b", "c")}),
        ("{{ else if .Values.a }}", set(), {("a",)}),
        ("{{ ((.Values.a).b).c }}", {("a", "b", "c")}, set()),
        ('{{ index $.Values "a-b" "c" }}', {("a-b", "c")}, set()),
        ('{{ get .Values.a "b" }}', {("a", "b")}, set()),
        ("{{/* .Values.a */}}{{ tpl .Values.b . }}", {("b",)}, set()),
    ],
)
def test_what_templates_read(text: str, whole: set[Any], tested: set[Any]) -> None:
    read_ = uses([text])
    assert (read_.whole, read_.tested, read_.passed_on) == (whole, tested, False)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is no chart"),
        ({"Chart.yaml": "[1]"}, "is not a mapping"),
        ({"Chart.yaml": "a: {"}, "is not YAML"),
        ({"Chart.yaml": "{}", "values.yaml": "- 1"}, "values.yaml is not a mapping"),
        ({"Chart.yaml": "{}", "values.schema.json": "{"}, "values.schema.json is not JSON"),
    ],
)
def test_what_is_no_chart(files: dict[str, str], message: str) -> None:
    with pytest.raises(ChartError, match=message):
        read(files, "chart")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("a: {", "not YAML"),
        ("- 1", "not a mapping, but a list"),
        ("a: \x00", "not YAML"),
        ("[" * 100_000, "nests deeper"),
        ("replicas: 1\n---\nx: 1", "more than one YAML document"),
        ("\n".join(f"k{n}: 1" for n in range(100_001)), "more than 100000 keys"),
        (
            "a0: &a0 {x: 1}\n" + "\n".join(f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}}}" for n in range(1, 40)),
            "more than",
        ),
    ],
)
def test_what_are_no_values(values: str, message: str) -> None:
    findings = [finding for finding in found(values) if finding.id == "values/file"]
    assert [message in finding.message for finding in findings] == [True]


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.dates()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["image", "tag", "replicas", "service", "ports", "x"]), inner, max_size=4),
        ),
        max_leaves=8,
    )
)
def test_any_values(values: Any) -> None:
    schema = {"properties": {"image": {"type": "object"}, "replicas": {"type": "integer", "minimum": 0}}}
    for finding in found(yaml.safe_dump(values), {**chart(), "values.schema.json": json.dumps(schema)}):
        assert finding.id.startswith("values/")


def test_time_grows_with_length(collector_off: None) -> None:
    def checked(count: int) -> Callable[[], object]:
        defaults = "\n".join(f"k{n}: {{a: 1}}" for n in range(count))
        template = "\n".join(f"{{{{ .Values.k{n}.a }}}}" for n in range(count))
        files = {**chart(), "values.yaml": defaults, "templates/all.yaml": template}
        assert found(defaults, files) == []
        return lambda: found(defaults, files)

    assert growth(checked, 400) <= LINEAR
