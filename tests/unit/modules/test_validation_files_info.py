# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._discovery import files
from ansible_collections.ias.observability.plugins.modules import validation_files_info
from tests.fakes.module import run_module

RULES = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n"
DASHBOARD = '{"uid": "a", "title": "A", "panels": []}'
SPEC = "{uid: a, title: A, rows: []}\n"
CONTRACT = "services: {api: {metrics: {a: {type: gauge}}}}\n"


@pytest.fixture
def src(tmp_path: Path) -> Path:
    return tmp_path / "src"


def write(src: Path, **texts: str) -> None:
    """Names with `__` for `/`, as keywords have neither that nor a dot."""
    for name, text in texts.items():
        path = src.joinpath(*name.replace("_yaml", ".yaml").replace("_json", ".json").split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def find(src: Path, **options: Any) -> dict[str, Any]:
    """With names below the folder."""
    result = run_module(validation_files_info, src=str(src), **options)
    names = {key: [name.removeprefix(f"{src}/") for name in result[key]] for key in ("rules", "dashboards")}
    pairs = [
        (one["file"].removeprefix(f"{src}/"), one["chart"].removeprefix(f"{src}/")) for one in result["helm_values"]
    ]
    unchecked = {one["file"].removeprefix(f"{src}/"): one["reason"] for one in result["unchecked"]}
    return {**result, **names, "helm_values": pairs, "unchecked": unchecked}


def test_everything_is_found_by_what_it_is(src: Path) -> None:
    write(src, b__x_yaml=RULES, a_yaml=RULES, b__y_json=DASHBOARD, c_yaml=CONTRACT, d_yaml="a: 1\n", README="groups:\n")
    found = find(src)
    assert found["rules"] == ["a.yaml", "b/x.yaml"]
    assert found["dashboards"] == ["b/y.json"]
    assert found["contract"] == str(src / "c.yaml")
    assert found["unchecked"] == {}
    assert found["lines"] == ["rule files: 2", "dashboards: 1", "Helm values: 0", "metrics contract: c.yaml"]


def test_folders_of_others_and_what_is_excluded_are_passed_over(src: Path) -> None:
    write(src, a_yaml=RULES, node_modules__a_yaml=RULES, venv__a_yaml=RULES, t__a_yaml=RULES, t__b__a_yaml=RULES)
    write(src / ".git", a_yaml=RULES)
    assert find(src)["rules"] == ["a.yaml", "t/a.yaml", "t/b/a.yaml"]
    assert find(src, exclude=["t/b"])["rules"] == ["a.yaml", "t/a.yaml"]
    assert find(src, exclude=["t/"])["rules"] == ["a.yaml"]
    assert find(src, exclude=["*/a.yaml"])["rules"] == ["a.yaml"]


def test_values_are_for_the_chart_that_they_lie_in(src: Path) -> None:
    chart = {
        "c__Chart_yaml": "{name: c, version: 1.0.0}",
        "c__charts__sub__values_yaml": "",
        "c__templates__a_yaml": RULES,
    }
    write(src, **chart, c__values_yaml="", c__ci__prod_values_yaml="", values_prod_yaml="a: 1\n", other_yaml="")
    (src / "c" / "values-prod.yml").write_text("")
    found = find(src)
    assert found["helm_values"] == [
        ("c/values-prod.yml", "c"),
        ("c/values.yaml", "c"),
        ("c/ci/prod_values.yaml", "c"),
    ]
    assert found["unchecked"] == {
        "values_prod.yaml": "Helm values without a chart beside them: say which (helm_values)"
    }
    assert found["rules"] == []


def test_a_spec_and_the_json_of_it_are_one_dashboard(src: Path) -> None:
    write(src, a_yaml=SPEC, a_json=DASHBOARD, b_yaml=SPEC, c_json=DASHBOARD)
    assert find(src)["dashboards"] == ["a.json", "b.yaml", "c.json"]
    assert find(src, contract="elsewhere.yaml")["dashboards"] == ["a.yaml", "b.yaml", "c.json"]
    write(src, contract_yaml=CONTRACT)
    assert find(src)["dashboards"] == ["a.yaml", "b.yaml", "c.json"]
    write(src, another_yaml=CONTRACT)
    assert find(src)["contract"] == ""


def test_what_cannot_be_validated_is_said(src: Path) -> None:
    logql = 'groups: [{name: g, rules: [{alert: A, expr: \'rate({a="b"} |= "x" [5m]) > 1\'}]}]\n'
    write(src, loki_yaml=logql, api_json=f'{{"dashboard": {DASHBOARD}}}')
    (src / "latin.yaml").write_bytes(b"groups: \xff")
    found = find(src)
    assert found["unchecked"] == {
        "latin.yaml": "not a UTF-8 text: byte 9 is 0xff",
        "loki.yaml": "rules in LogQL, for Loki's ruler",
        "api.json": "an answer of Grafana's API: save what is below `dashboard`",
    }
    assert found["lines"][-1].startswith("not validated: api.json (an answer")


def test_of_much_that_cannot_be_validated_the_first_is_said(src: Path) -> None:
    write(src, **{f"values_{number}_yaml": "a: 1\n" for number in range(7)})
    assert find(src)["lines"][-1] == "not validated: 2 more"


def test_src_may_be_a_file(src: Path) -> None:
    write(src, a_yaml=RULES, b_yaml=RULES)
    assert run_module(validation_files_info, src=str(src / "a.yaml"))["rules"] == [str(src / "a.yaml")]


def test_one_message_where_it_cannot_be_read(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_module(validation_files_info, src=str(src))["msg"] == f"{src} cannot be read: No such file or directory"
    write(src, a_yaml=RULES, b_yaml=RULES)
    monkeypatch.setattr(files, "MAX_FILES", 1)
    assert run_module(validation_files_info, src=str(src))["msg"] == (
        f"{src} is not searched: more than 1 YAML and JSON files lie below it; name a folder below it, or exclude some"
    )
