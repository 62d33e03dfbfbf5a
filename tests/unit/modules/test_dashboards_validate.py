# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module: dashboards in, one JSON result out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._files import MAX_BYTES
from ansible_collections.ias.observability.plugins.modules import dashboards_validate
from tests.fakes.module import run_module

PANEL: dict[str, Any] = {
    "id": 1,
    "type": "stat",
    "title": "Up",
    "description": "Whether it is.",
    "datasource": {"type": "prometheus", "uid": "p"},
    "fieldConfig": {"defaults": {"unit": "bool"}},
    "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4},
    "targets": [{"refId": "A", "expr": "up"}],
}
GOOD: dict[str, Any] = {"uid": "u", "title": "T", "schemaVersion": 42, "panels": [PANEL]}


def run(**arguments: Any) -> dict[str, Any]:
    return run_module(dashboards_validate, check=True, **arguments)


def identities(result: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in result["findings"]]


def test_a_good_dashboard(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.json").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "b.yaml").write_text("not: a dashboard", encoding="utf-8")
    result = run(paths=[str(tmp_path)])
    assert (result["changed"], result["findings"]) == (False, [])
    assert result["summary"] == {"error": 0, "warning": 0, "info": 0, "dashboards": 1, "queries": 1}


def test_all_errors_are_in_the_message(tmp_path: Path) -> None:
    bad = [{**PANEL, "id": n, "gridPos": {}, "targets": [{"expr": expr}]} for n, expr in enumerate(("sum(", "up{a=$b"))]
    (tmp_path / "a.json").write_text(json.dumps({**GOOD, "panels": bad}, indent=1), encoding="utf-8")
    result = run(paths=[str(tmp_path / "a.json")])
    assert result["failed"] is True
    assert result["msg"].startswith("The dashboards are not fit for use: 3 errors")
    assert f"{tmp_path}/a.json:23:14 u/Up: query A: " in result["msg"]
    assert identities(result) == ["dashboards/query", "dashboards/query", "dashboards/undefined-variable"]


def test_dashboards_given_directly_with_data_sources() -> None:
    sources = [{"uid": "q", "name": "Q", "type": "prometheus", "is_default": True, "healthy": True, "message": "ok"}]
    assert identities(run(dashboards=[GOOD])) == []
    result = run(dashboards=[GOOD], datasources=sources)
    assert identities(result) == ["dashboards/datasource"]
    assert result["findings"][0]["file"] == "dashboards[0]"


def test_the_scrape_interval_is_an_option() -> None:
    raw = {**GOOD, "panels": [{**PANEL, "targets": [{"refId": "A", "expr": "rate(a_total[1m])"}]}]}
    assert identities(run(dashboards=[raw])) == ["dashboards/fixed-range", "rules/range-vs-scrape"]
    assert identities(run(dashboards=[raw], scrape_interval="15s")) == ["dashboards/fixed-range"]


def test_contract_and_waivers(tmp_path: Path) -> None:
    contract, waivers = tmp_path / "services.yaml", tmp_path / "waivers.yaml"
    contract.write_text("services: {api: {metrics: {a: {type: gauge}}}}", encoding="utf-8")
    waivers.write_text("waivers: [{id: contract/metric, reason: r, until: 2999-01-01}]", encoding="utf-8")
    raw = {**GOOD, "panels": [{**PANEL, "targets": [{"refId": "A", "expr": "b"}]}]}
    assert identities(run(dashboards=[raw], contract=str(contract))) == ["contract/metric"]
    result = run(dashboards=[raw], contract=str(contract), waivers=str(waivers))
    assert "failed" not in result
    assert [finding["id"] for finding in result["waived"]] == ["contract/metric"]
    assert identities(run(dashboards=[GOOD], contract=str(tmp_path / "no"))) == ["load/unreadable"]


RECORDED = """groups: [{name: g, rules: [{record: "job:a:sum", expr: sum by (job) (a)}]}]"""


@pytest.mark.parametrize("place", ["beside", "option"])
def test_series_that_a_rule_records_are_known(place: str, tmp_path: Path) -> None:
    contract, rules = tmp_path / "services.yaml", tmp_path / ("" if place == "beside" else "rules") / "alerts.yaml"
    contract.write_text("services: {api: {metrics: {a: {type: gauge}}}}", encoding="utf-8")
    rules.parent.mkdir(exist_ok=True)
    rules.write_text(RECORDED, encoding="utf-8")
    (tmp_path / "other.yaml").write_text("not: [rules", encoding="utf-8")
    (tmp_path / "binary.yaml").write_bytes(b"groups:\xff")
    given = {} if place == "beside" else {"rules": [str(rules)]}
    panels = [{**PANEL, "targets": [{"refId": "A", "expr": expr, "legendFormat": "{{pod}}"}]}
              for expr in ("job:a:sum", "job:b:sum")]  # fmt: skip
    found = run(dashboards=[{**GOOD, "panels": panels}], contract=str(contract), **given)["findings"]
    found = [one for one in found if one["id"] not in {"dashboards/duplicate-id", "dashboards/panel-overlap"}]
    assert [(one["id"], "'job:b:sum'" in one["message"]) for one in found] == [
        ("dashboards/legend-label", False),  # of the first panel: the rule keeps job alone
        ("contract/metric", True),
    ]


def test_rules_that_cannot_be_read_are_a_finding(tmp_path: Path) -> None:
    rules = tmp_path / "alerts.yaml"
    rules.write_text("groups: [", encoding="utf-8")
    result = run(dashboards=[GOOD], rules=[str(rules), str(tmp_path / "gone.yaml")])
    assert [(one["id"], Path(one["file"]).name) for one in result["findings"]] == [
        ("load/unreadable", "gone.yaml"),
        ("load/yaml", "alerts.yaml"),
    ]


@pytest.mark.parametrize(
    ("content", "identity"),
    [
        (b"", "dashboards/unreadable"),
        (b"\xff\xfe\x00binary", "load/encoding"),
        (b"{\x00", "dashboards/unreadable"),
        (b" " * (MAX_BYTES + 1), "load/too-large"),
        (b"[" * 300_000, "dashboards/unreadable"),
        (b'{"a":' * 300_000, "dashboards/unreadable"),
        (b"uid: u\ntitle: t\n", "dashboards/unreadable"),
        (b"a: &a [x]\nb: [*a, *a]\n", "dashboards/unreadable"),
        (b"[1]", "dashboards/unreadable"),
        (b'{"uid": NaN}', "dashboards/unreadable"),
        (b'{"uid": "u", "title": "T", "schemaVersion": 42, "uid": "v"}', "dashboards/duplicate-key"),
        (b'{"uid": "u", "title": "T", "elements": {}}', "dashboards/schema-v2"),
        (b'{"title": "T", "schemaVersion": 42}', "dashboards/uid"),
        (b'{"uid": "u", "schemaVersion": 42}', "dashboards/title"),
        (b'{"uid": "u", "title": "T", "schemaVersion": 42, "panels": 5}', "dashboards/panels"),
        (b'{"uid": "u", "title": "T", "schemaVersion": 42, "templating": [], "x": 1e999}', ""),
    ],
)
def test_what_is_no_dashboard(content: bytes, identity: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert identities(run(paths=[str(tmp_path / "a.json")])) == [identity] * bool(identity)


@pytest.mark.parametrize("edit", [lambda raw: b"\xef\xbb\xbf" + raw, lambda raw: raw.replace(b"\n", b"\r\n")])
def test_what_is_one(edit: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(edit(json.dumps(GOOD, indent=1).encode()))
    assert identities(run(paths=[str(tmp_path)])) == []


def test_a_spec_that_is_named_as_a_file(root: Path, tmp_path: Path) -> None:
    contracts = root / "contracts"
    result = run(paths=[str(contracts / "dashboards/vllm.yaml")], contract=str(contracts / "services.yaml"))
    assert [one for one in result["findings"] if one["severity"] != "info"] == []
    assert result["summary"]["queries"] > 30
    wrong = (contracts / "dashboards/vllm.yaml").read_text().replace("unit: watt", "unti: watt")
    (tmp_path / "vllm.yml").write_text(wrong)
    (missing, finding) = run(paths=[str(tmp_path / "vllm.yml")], contract=str(contracts / "services.yaml"))["findings"]
    assert (finding["id"], finding["line"]) == ("dashboards/spec", wrong.splitlines().index("        unti: watt") + 1)
    assert missing["message"] == "unit is missing"


def test_paths_that_are_not_there(tmp_path: Path) -> None:
    result = run(paths=[str(tmp_path), str(tmp_path / "nothing.json")])
    assert identities(result) == ["load/no-files", "load/unreadable"]
    assert "no .json files" in result["msg"]


def test_bad_arguments() -> None:
    assert run(dashboards=[GOOD], datasources=[{"uid": "p"}])["msg"] == "datasources[0] needs a uid and a type"
    assert "one of the following is required: paths, dashboards" in run()["msg"]
    assert run(dashboards=[], prometheus_version="2")["msg"].startswith("prometheus_version: '2' is not a Prometheus")
