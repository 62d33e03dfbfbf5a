# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go templates: syntax as Go sees it, and what a text refers to."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._rules.templates import TemplateError, parse


@pytest.mark.parametrize(
    "text",
    [
        "no template",
        "{{ $value }}{{- $labels.job -}}",
        '{{ $value | humanize | printf "%s" }}',
        "{{/* a comment */}}{{- /* trimmed */ -}}",
        "{{ if gt $value 5.0 }}a{{ else if eq 1 2 }}b{{ else }}c{{ end }}",
        '{{ range $i, $e := query "up" }}{{ $e.Value }}{{ else }}none{{ end }}',
        '{{ with query "up" | first }}{{ . | value }}{{ end }}',
        '{{ define "x" }}a{{ end }}{{ template "x" . }}{{ block "y" . }}{{ end }}',
        "{{ $x := 5 }}{{ $x = 6 }}{{ $x }}",
        "{{ (index $labels \"a.b\").c }} {{ `raw` }} {{ 'c' }} {{ nil | printf }}",
        "{{ range query `up` }}{{ break }}{{ continue }}{{ end }}",
        "{{ .Labels.a }} {{ $externalLabels.cluster }} {{ $externalURL }} {{ print.Labels }}",
        "}} alone",
    ],
)
def test_accepts(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ $value", "unclosed action"),
        ("{{ }}", "missing value"),
        ("{{ $labels.pod-name }}", "unexpected"),
        ("{{ $labels | default 'x' }}", "Helm or Jinja"),
        ("{{ $label.x }}", "undefined variable '$label'"),
        ("{{ job }}", "function 'job' not defined"),
        ("{{ if $value }}", "has no {{end}}"),
        ("{{ end }}", "unexpected {{end}}"),
        ("{{ else }}", "unexpected {{else}}"),
        ("{{ if $value }}{{ else }}{{ else }}{{ end }}", "unexpected {{else}}"),
        ("{{ if }}{{ end }}", "missing value for if"),
        ("{{ template }}", "unexpected"),
        ("{{ break }}", "outside {{range}}"),
        ("{{ $value | 5 }}", "non executable"),
        ("{{ $value | true }}", "non executable"),
        ("{{ ($value }}", "unexpected"),
        ("{{ $value) }}", "unexpected"),
        ('{{ "a".b }}', "unexpected . after term"),
        ("{{ 5x }}", "bad character"),
        ("{{/* open }}", "unclosed comment"),
        ("{{ $value ? }}", "unexpected '?'"),
        ("{{ $x=5 }}", "bad character"),
        ("{{ $a, $b := 5 }}", "undefined variable"),
        ("{{ if $value }}{{ $x := 1 }}{{ end }}{{ $x }}", "undefined variable"),
        ("{{" + "(" * 60 + "1" + ")" * 60 + "}}", "nests deeper"),
        ("{{ if 1 }}" * 60, "nests deeper"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert message in str(caught.value)


def test_knows_what_it_refers_to() -> None:
    template = parse(
        '{{ $labels.a }}{{ .Labels.b }}{{ index $labels "c" }}{{ $value | humanizePercentage }}{{ printf "%f" .Value }}'
        '{{ range query "x" }}{{ .Labels.other }}{{ end }}{{ .Annotations.x }}{{ $.Labels.d }}'
    )
    assert template.labels == ["a", "b", "c", "d"]
    assert template.value_uses == ["humanizePercentage", ""]
    assert [field for field in template.fields if field not in {"Labels", "Value"}] == ["Annotations"]
    assert template.functions == {"index", "humanizePercentage", "printf", "query"}
