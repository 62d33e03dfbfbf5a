# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Specs among the dashboards of a folder: compiled when they are applied, with the names of the site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ansible_collections.ias.observability.plugins.modules import dashboards_verify, grafana_dashboards
from tests.fakes.module import run_module

running_double = pytest.importorskip("tests.lab.grafana.testing").running_double
SPEC = """\
title: Web
uid: ias-web
description: What the web service does.
variables: [prometheus, namespace]
rows:
  - title: Now
    panels:
      - title: Requests
        description: Requests per second.
        unit: reqps
        queries:
          - {expr: 'sum(rate(http_requests_total{namespace=~"$namespace", job="web"}[$__rate_interval]))'}
"""
CONTRACT = """\
names: {metrics: {http_requests_total: hits_total}, jobs: {web: edge}}
services:
  web:
    metrics: {http_requests_total: {type: counter, labels: {status: {max: 9}}}}
    slo: {availability: {objective: 99, total: http_requests_total, bad: {status: 5..}}}
"""
OWN: dict[str, Any] = {
    "uid": "own", "title": "Own", "schemaVersion": 41, "panels": [{"id": 1, "type": "text", "title": "x"}],
}  # fmt: skip


@pytest.fixture
def src(tmp_path: Path) -> Path:
    (tmp_path / "services.yaml").write_text(CONTRACT)
    folder = tmp_path / "dashboards"
    (folder / "Teams").mkdir(parents=True)
    (folder / "Teams" / "web.yaml").write_text(SPEC)
    (folder / "own.json").write_text(json.dumps(OWN))
    return folder


def run(double: Any, src: Path, **args: Any) -> dict[str, Any]:
    grafana = {"url": double.url, "username": double.user, "password": double.password}
    return run_module(grafana_dashboards, grafana=grafana, src=str(src), folder="IAS", **args)


def stored(double: Any, uid: str) -> dict[str, Any]:
    headers = urllib3.make_headers(basic_auth=f"{double.user}:{double.password}")
    answer: dict[str, Any] = urllib3.request("GET", f"{double.url}/api/dashboards/uid/{uid}", headers=headers).json()
    return answer


def query(dashboard: dict[str, Any]) -> str:
    (panel,) = [panel for panel in dashboard["dashboard"]["panels"] if panel["type"] != "row"]
    text: str = panel["targets"][0]["expr"]
    return text


def test_a_spec_is_compiled_and_lies_in_its_folder(src: Path) -> None:
    with running_double() as double:
        result = run(double, src)
        assert result["findings"] == []
        created = {entry["uid"] for entry in result["dashboards"] if entry["state"] == "written"}
        assert created == {"ias-web", "own"}
        assert stored(double, "ias-web")["meta"]["folderTitle"] == "Teams"
        assert 'http_requests_total{namespace=~"$namespace", job="web"}' in query(stored(double, "ias-web"))
        assert run(double, src)["changed"] is False


def test_the_names_of_the_site_are_put_in(src: Path) -> None:
    with running_double() as double:
        result = run(double, src, contract=str(src.parent / "services.yaml"))
        assert result["changed"] is True
        assert 'hits_total{namespace=~"$namespace", job="edge"}' in query(stored(double, "ias-web"))
        assert run(double, src, contract=str(src.parent / "services.yaml"))["changed"] is False


@pytest.mark.parametrize("given", [True, False])
def test_what_was_compiled_of_a_spec_lies_beside_it(src: Path, given: bool) -> None:
    """With the contract it is compiled anew; without one, the JSON that somebody compiled with it counts."""
    (src / "Teams" / "web.json").write_text(json.dumps({**OWN, "uid": "ias-web", "title": "Compiled before"}))
    contract = {"contract": str(src.parent / "services.yaml")} if given else {}
    with running_double() as double:
        result = run(double, src, **contract)
    titles = {entry["uid"]: entry["title"] for entry in result["dashboards"]}
    assert titles == {"ias-web": "Web" if given else "Compiled before", "own": "Own"}


@pytest.mark.parametrize(
    ("spec", "contract", "said"),
    [
        (SPEC.replace("unit: reqps", "unti: reqps"), CONTRACT, "web.yaml:10:9: unknown key 'unti'"),
        ("kind: Kustomization\n", CONTRACT, "web.yaml:1:1: unknown key 'kind'"),
        (SPEC.replace("ias-web", "own"), CONTRACT, "web.yaml:2:6: 'own' does not match ias-"),
        (SPEC.replace("{expr: ", "{slo: latency, x: "), CONTRACT, "web.yaml:12:"),
        (SPEC, "services: {web: 5}", "services.yaml:1:17: service 'web' is not a mapping"),
        (SPEC, None, "services.yaml: No such file"),
    ],
)
def test_nothing_is_written_while_a_spec_or_the_contract_is_wrong(
    src: Path, spec: str, contract: str | None, said: str
) -> None:
    (src / "Teams" / "web.yaml").write_text(spec)
    path = src.parent / "services.yaml"
    if contract is None:
        path.unlink()
    else:
        path.write_text(contract)
    with running_double() as double:
        result = run(double, src, contract=str(path))
        assert not double.faults.requests
    assert result["failed"] is True
    assert said in result["msg"]


def test_an_objective_needs_the_contract(src: Path) -> None:
    spec = SPEC[: SPEC.index("          - {expr")] + "          - {slo: availability}\n"
    (src / "Teams" / "web.yaml").write_text(spec)
    with running_double() as double:
        assert "no service of the contract has an objective 'availability'" in run(double, src)["msg"]
        assert run(double, src, contract=str(src.parent / "services.yaml"))["changed"] is True
        assert 'increase(hits_total{job="edge", status=~"5.."}[$__range])' in query(stored(double, "ias-web"))


def test_a_dashboard_of_a_spec_is_missed_when_it_is_not_there(src: Path) -> None:
    with running_double() as double:
        grafana = {"url": double.url, "username": double.user, "password": double.password}
        result = run_module(
            dashboards_verify, grafana=grafana, src=str(src), folder="IAS", timeout=0,
            contract=str(src.parent / "services.yaml"),
        )  # fmt: skip
    missing = [entry["object"] for entry in result["findings"] if entry["id"] == "dashboards/missing"]
    assert sorted(missing) == ["Own", "Web"]


BUDGETS = """\
      - title: Budgets
        description: What is left of the budgets.
        unit: percentunit
        queries: [{slo: availability}]
  - title: Box alone
    panels:
      - title: Its budget
        description: What is left of its budget.
        unit: percentunit
        queries: [{slo: availability, service: box}]
"""


def test_dashboards_and_objectives_of_services_that_do_not_run(src: Path) -> None:
    """A spec of such a service makes no dashboard; elsewhere its objectives are left out."""
    path = src.parent / "services.yaml"
    box = "  box: {metrics: {box_up: {type: gauge}}, slo: {availability: {objective: 99, up: box_up}}}\n"
    path.write_text(CONTRACT + box)
    (src / "box.yaml").write_text(SPEC.replace("ias-web", "ias-box").replace("title: Web", "title: Box\nservice: box"))
    (src / "Teams" / "web.yaml").write_text(SPEC + BUDGETS)
    with running_double() as double:
        every = run(double, src, contract=str(path), prune=True)
        assert sorted(entry["uid"] for entry in every["dashboards"]) == ["ias-box", "ias-web", "own"]
        assert "box_up" in json.dumps(stored(double, "ias-web"))
        some = run(double, src, contract=str(path), prune=True, services=["web"])
        assert {entry["uid"]: entry["action"] for entry in some["dashboards"]} == {
            "ias-box": "delete", "ias-web": "update", "own": "unchanged",
        }  # fmt: skip
        left = stored(double, "ias-web")["dashboard"]
        assert "box_up" not in json.dumps(left)
        assert [panel["title"] for panel in left["panels"]] == ["Now", "Requests", "Budgets"]
        wrong = run(double, src, contract=str(path), services=["webb"])
        assert "the contract has no service 'webb': did you mean 'web'?" in wrong["msg"]
