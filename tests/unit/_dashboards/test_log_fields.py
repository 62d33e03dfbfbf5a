# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of log lines: whatever a query does with one that no service declares, it is named."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._dashboards import log_fields
from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._logql import parse
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tests.unit.tools.contracts.text_search import CONTRACTS, DASHBOARDS, in_panels
from tools.contracts import runbooks

SERVICES = (CONTRACTS / "services.yaml").read_text()
FIELDS = load("services.yaml", SERVICES, RuleReport()).log_fields


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ('{app="a"} | json | status >= 500 and level="error"', []),
        ('{app="a"} | json | state >= 500', ["state"]),
        ('{app="a"} | logfmt | level="error" | cause!=""', ["cause"]),
        ('{app="a", pool="x"}', ["pool"]),
        ('{app="a"} | json | line_format "{{.level}} {{ .mesage | upper }}"', ["mesage"]),
        ('{app="a"} | json | line_format `{{ if eq .kind "a.b" }}{{ __line__ }}{{ end }}`', ["kind"]),
        ('{app="a"} | json | label_format l=level, k="{{.kind}}" | k="x"', ["kind"]),
        ('{app="a"} | json | label_format l=grade', ["grade"]),
        ('{app="a"} | json | label_format kind=`{{ or .kind "none" }}`', ["kind"]),
        ('{app="a"} | code="1" | regexp "(?P<code>[0-9]+)"', ["code"]),
        ('{app="a"} | json | label_format l="grade" | l="x"', []),
        ('{app="a"} | json s="status", p="http.path[0]"', ["http"]),
        ('{app="a"} | json s="[\\"status\\"]" | s="1"', []),
        ('{app="a"} | regexp "(?P<code>[0-9]+)" | code="1"', []),
        ('{app="a"} | pattern "<ip> <_>" | ip="x" | port="1"', ["port"]),
        ('{app="a"} | json | drop level, kind="x"', ["kind"]),
        ('sum by (level) (count_over_time({app="a"}[1m]))', []),
        ('sum by (kind) (count_over_time({app="a"}[1m]))', ["kind"]),
        ('quantile_over_time(0.9, {app="a"} | json | unwrap duration_ms [1m]) by (route)', []),
        ('sum_over_time({app="a"} | json | unwrap duration(took) [1m])', ["took"]),
        ('max_over_time({app="a"} | json | unwrap duration_ms [1m]) by (kind)', ["kind"]),
        ('sum by (short) (label_replace(rate({app="a"}[1m]), "short", "$1", "service_name", "(.).*"))', []),
        ('label_replace(rate({app="a"}[1m]), "short", "$1", "kind", "(.).*")', ["kind"]),
        ('rate({app="a"}[1m]) / on (kind) rate({app="b"}[1m])', ["kind"]),
        ('{app="a"} | json | __error__="" | detected_level="x"', []),
    ],
)
def test_a_field_that_nobody_declares(query: str, missing: list[str]) -> None:
    assert [name for name, _message in log_fields.unknown(parse(query), FIELDS)] == missing


def test_the_nearest_field_is_suggested() -> None:
    ((_name, message),) = log_fields.unknown(parse('{app="a"} | json | levle="error"'), FIELDS)
    assert message == "no service logs a field 'levle' (did you mean 'level'?)"


def test_the_labels_are_those_that_the_collector_sets() -> None:
    collector = yaml.safe_load((CONTRACTS / "helm-values/alloy.yaml").read_text())["alloy"]["configMap"]["content"]
    targets = {name for name in re.findall(r'target_label\s+= "(\w+)"', collector) if not name.startswith("__")}
    assert targets | {"cluster", "stream"} == log_fields.LABELS
    assert "external_labels = { cluster =" in collector
    assert "stage.labels { values = { stream =" in collector
    extracted = re.findall(r'^ +(\w+) += "[\w| ]+",$', collector, re.MULTILINE)
    assert "level" in extracted
    assert set(extracted) <= FIELDS.keys()


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_field_that_is_no_longer_declared_names_every_query_that_reads_it(field: str) -> None:
    """Against the texts of the queries, with what stands in quotes left out."""
    word = re.compile(rf"\b{field}\b")
    expected = {who for who, query in in_panels("loki") if word.search(re.sub(r'"[^"]*"', '""', query))}
    renamed = re.sub(rf"(?m)^(        ){field}:", rf"\1{field}_renamed:", SERVICES)
    promised = load("services.yaml", renamed, RuleReport())
    specs = [Source(path.name, path.read_text()) for path in DASHBOARDS]
    findings, _queries = check(specs, Reader(Profile(), promised))
    named = {(one.file, one.object.partition("/")[2]) for one in findings if one.id == "contract/log-field"}
    assert named == expected
    assert named or field != "level"
    texts = {path: path.read_text().splitlines() for path in (CONTRACTS / "runbooks").glob("*.md")}
    in_runbooks = {
        (path.name, line)
        for path, lines in texts.items()
        for line, language, query in runbooks.blocks(lines)
        if language == "logql" and word.search(re.sub(r'"[^"]*"', '""', query))
    }
    alerts = {path.stem: "a.yaml:1" for path in texts}
    said = runbooks.check(CONTRACTS / "runbooks", alerts, lambda _metric: True, promised.log_fields, CONTRACTS)
    assert {(one.split(":")[0].partition("/")[2], int(one.split(":")[1])) for one in said} == in_runbooks
