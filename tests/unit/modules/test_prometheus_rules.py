# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule files become objects of their own, and only those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import prometheus_rules
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

RULES = "/apis/monitoring.coreos.com/v1/namespaces/ias-system/prometheusrules"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        server.serves.add(RULES)
        server.add("/api/v1/namespaces/ias-system")
        yield server


@pytest.fixture
def run(kube: FakeKube, tmp_path: Path) -> Run:
    kubeconfig = kube.write_kubeconfig(tmp_path / "kubeconfig")

    def call(*files: Path, check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {"kubeconfig": str(kubeconfig), "files": [str(file) for file in files], **options}
        return run_module(prometheus_rules, check=check, **arguments)

    return call


def rule_file(path: Path, alert: str = "Down", expr: str = "up == 0") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"groups:\n  - name: {alert}\n    rules:\n      - {{alert: {alert}, expr: '{expr}'}}\n")
    return path


def alerts(kube: FakeKube) -> dict[str, str]:
    """The alert in each object, by the object's name."""
    found = {path.rpartition("/")[2]: item for path, item in kube.objects.items() if path.startswith(RULES)}
    return {name: item["spec"]["groups"][0]["rules"][0]["alert"] for name, item in found.items()}


def actions(result: dict[str, Any]) -> dict[str, str]:
    return {change["name"]: change["action"] for change in result["rules"]}


def test_files_of_one_name_become_two_objects_and_a_second_run_changes_nothing(
    run: Run, kube: FakeKube, tmp_path: Path
) -> None:
    files = [rule_file(tmp_path / "a/alerts.yaml", "A"), rule_file(tmp_path / "b/alerts.yaml", "B")]
    first = run(*files)
    assert (first["changed"], set(actions(first).values())) == (True, {"created"})
    assert sorted(alerts(kube).values()) == ["A", "B"]
    second = run(*files)
    assert (second["changed"], set(actions(second).values())) == (False, {"none"})


def test_a_name_that_kubernetes_does_not_accept_is_changed(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    run(rule_file(tmp_path / "my_Rules.yaml"))
    (name,) = alerts(kube)
    assert name.startswith("ias-platform-my-rules-")


def test_a_changed_file_replaces_its_groups(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    run(rule_file(file, "Old"))
    result = run(rule_file(file, "New"))
    assert actions(result) == {"ias-platform-alerts": "updated"}
    assert alerts(kube) == {"ias-platform-alerts": "New"}
    assert "Old" in result["diff"][0]["before"]
    assert "New" in result["diff"][0]["after"]


def test_the_object_of_a_removed_file_is_deleted_and_no_other(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    kube.add(f"{RULES}/of-a-chart", metadata={"labels": {"app.kubernetes.io/part-of": "chart"}}, spec={})
    keep, gone = rule_file(tmp_path / "keep.yaml"), rule_file(tmp_path / "gone.yaml")
    run(keep, gone)
    assert actions(run(keep))["ias-platform-gone"] == "deleted"
    assert [path.rpartition("/")[2] for path in kube.objects if path.startswith(RULES)] == [
        "of-a-chart",
        "ias-platform-keep",
    ]


def test_an_empty_source_deletes_nothing(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    run(rule_file(tmp_path / "alerts.yaml"))
    assert run()["changed"] is False
    assert list(alerts(kube)) == ["ias-platform-alerts"]


def test_more_deletions_than_the_limit_are_refused_with_the_list(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    files = [rule_file(tmp_path / f"{name}.yaml") for name in ("one", "two", "three")]
    run(*files)
    before = len(kube.writes())
    result = run(rule_file(tmp_path / "new.yaml"), prune_limit=2)
    assert "ias-platform-one, ias-platform-three, ias-platform-two" in result["msg"]
    assert len(kube.writes()) == before


def test_an_object_of_another_owner_is_left_alone(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    kube.add(f"{RULES}/ias-platform-alerts", spec={"groups": []})
    result = run(rule_file(tmp_path / "other.yaml"), rule_file(tmp_path / "alerts.yaml"))
    assert "PrometheusRule ias-platform-alerts exists and has another owner" in result["msg"]
    assert kube.writes() == []


def test_what_the_operator_refuses_is_found_before_anything_is_written(
    run: Run, kube: FakeKube, tmp_path: Path
) -> None:
    first = rule_file(tmp_path / "first.yaml")
    run(first)
    kube.failures[f"PATCH {RULES}/ias-platform-first"] = [422]
    before = len(kube.writes())
    assert "422" in run(rule_file(tmp_path / "new.yaml"), rule_file(first, "Bad"))["msg"]
    assert len(kube.writes()) == before


def test_a_check_changes_nothing_and_needs_neither_kind_nor_namespace(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    kube.serves.clear()
    kube.objects.clear()
    result = run(rule_file(tmp_path / "alerts.yaml"), check=True)
    assert (result["changed"], actions(result)) == (True, {"ias-platform-alerts": "created"})
    assert kube.writes() == []


def test_without_the_kind_the_message_names_it(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    kube.serves.clear()
    assert "prometheusrules: 404" in run(rule_file(tmp_path / "alerts.yaml"))["msg"]


def test_the_rules_are_written_in_the_names_and_with_the_links_of_the_site(
    run: Run, kube: FakeKube, tmp_path: Path
) -> None:
    contract = tmp_path / "services.yaml"
    contract.write_text("names:\n  metrics: {requests_total: http_requests}\n")
    run(
        rule_file(tmp_path / "alerts.yaml", expr="rate(requests_total[5m]) > 1"),
        contract=str(contract),
        grafana_url="https://grafana.example.com",
    )
    (rules,) = [item for path, item in kube.objects.items() if path.startswith(RULES)]
    assert rules["spec"]["groups"][0]["rules"][0]["expr"] == "rate(http_requests[5m]) > 1"


def test_a_file_that_cannot_be_read_is_named(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere.yaml")
    assert f"the file {tmp_path}/nowhere.yaml cannot be read" in result["msg"]
    assert kube.requests == []


CONTRACT = """\
services:
  api: {metrics: {http_requests_total: {type: counter}}}
  database: {job: exporter, metrics: {db_up: {type: gauge}}}
"""


def test_rules_of_services_that_the_site_does_not_run_are_not_loaded(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(CONTRACT)
    contract = str(tmp_path / "services.yaml")
    files = [
        rule_file(tmp_path / "api.yaml", "Failing", "http_requests_total > 1"),
        rule_file(tmp_path / "database.yaml", "DatabaseDown", 'absent(up{job="exporter"})'),
    ]
    run(*files, contract=contract)
    assert alerts(kube) == {"ias-platform-api": "Failing", "ias-platform-database": "DatabaseDown"}
    result = run(*files, contract=contract, services=["api"])
    assert actions(result)["ias-platform-database"] == "deleted"
    assert alerts(kube) == {"ias-platform-api": "Failing"}
    assert run(*files, contract=contract, services=["api"])["changed"] is False


def test_a_service_that_the_contract_does_not_have(run: Run, kube: FakeKube, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(CONTRACT)
    result = run(
        rule_file(tmp_path / "a.yaml"), contract=str(tmp_path / "services.yaml"), services=["api", "data-base"]
    )
    assert "the contract has no service 'data-base': did you mean 'database'?" in result["msg"]
    assert alerts(kube) == {}
