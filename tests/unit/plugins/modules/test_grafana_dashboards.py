# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._grafana import sync as grafana_sync
from ansible_collections.ias.observability.plugins.modules import grafana_dashboards
from tests.fakes.module import run_module
from tests.lab.grafana.faults import Fault, Faults, Kind

running_double = pytest.importorskip("tests.lab.grafana.testing").running_double
APIS = "13.2.0"
OLDER = "12.0.0"
LEGACY = "11.6.0"
RELEASES = [APIS, OLDER, LEGACY]
BASE = "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards"
SAVE = r"/dashboards(/db|/d-\d+)?$"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "dashboards"
    folder.mkdir()
    for number in range(5):
        write(folder, f"d-{number}")
    return folder


def write(folder: Path, uid: str, **changes: Any) -> None:
    panel = {"id": 1, "type": "stat", "title": "Rate", "gridPos": {"x": 0, "y": 0, "w": 6, "h": 4}, "targets": []}
    spec = {"uid": uid, "title": f"Title {uid}", "schemaVersion": 39, "panels": [panel], "tags": ["x"], **changes}
    (folder / f"{uid}.json").write_text(json.dumps(spec))


def run(double: Any, src: Path, **args: Any) -> dict[str, Any]:
    grafana = {"url": double.url, "username": "admin", "password": "admin"}
    return run_module(grafana_dashboards, grafana=grafana, src=str(src), folder="IAS Platform", **args)


def actions(result: dict[str, Any]) -> dict[str, str]:
    return {entry["uid"]: entry["action"] for entry in result["dashboards"]}


def states(result: dict[str, Any]) -> dict[str, str]:
    return {entry["uid"]: entry["state"] for entry in result["dashboards"]}


def ask(double: Any, method: str, path: str, body: Any = None) -> Any:
    """As a person at the browser would."""
    headers = urllib3.make_headers(basic_auth="admin:admin")
    answer = urllib3.request(method, double.url + path, json=body, headers=headers)
    assert answer.status < 300, answer.data
    return answer.json()


def forget(double: Any) -> None:
    """Start counting anew. A request is noted after its answer was sent: one more answer means that all are noted."""
    ask(double, "GET", "/api/folders")
    double.faults.asked.clear()


def edit(double: Any, uid: str) -> None:
    read = ask(double, "GET", f"/api/dashboards/uid/{uid}")
    spec = {**read["dashboard"], "description": "edited by hand"}
    ask(double, "POST", "/api/dashboards/db", {"dashboard": spec, "folderUid": read["meta"]["folderUid"]})


@pytest.mark.parametrize("version", RELEASES)
def test_first_run_then_nothing(src: Path, version: str) -> None:
    (src / "GPU").mkdir()
    write(src / "GPU", "gpu")
    with running_double(version=version) as double:
        first = run(double, src)
        assert first["changed"] is True
        assert set(actions(first).values()) == {"create"}
        assert first["folders_created"] == ["IAS Platform", "GPU"]
        assert ask(double, "GET", "/api/dashboards/uid/gpu")["meta"]["folderUid"] == "ias-platform-gpu"
        assert ask(double, "GET", "/api/dashboards/uid/d-1")["meta"]["folderUid"] == "ias-platform"
        forget(double)
        second = run(double, src, diff=True)
        assert second["changed"] is False
        assert second["diff"] == []
        assert second["folders_created"] == []
        assert double.faults.writes == []


def test_nothing_to_do_takes_few_requests(src: Path) -> None:
    for number in range(100):
        write(src, f"many-{number}")
    with running_double(version=APIS) as double:
        assert run(double, src)["changed"] is True
        forget(double)
        assert run(double, src)["changed"] is False
        assert len(double.faults.asked) <= 4


@pytest.mark.parametrize("version", RELEASES)
def test_only_what_differs_is_written(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        run(double, src)
        write(src, "d-2", description="new")
        forget(double)
        result = run(double, src, diff=True)
        assert {uid for uid, action in actions(result).items() if action == "update"} == {"d-2"}
        (diff,) = result["diff"]
        assert '"description": "new"' in diff["after"]
        assert '"description": "new"' not in diff["before"]
        assert ask(double, "GET", "/api/dashboards/uid/d-2")["dashboard"]["description"] == "new"
        assert len(double.faults.writes) == 1


@pytest.mark.parametrize("version", RELEASES)
def test_check_mode_predicts_and_writes_nothing(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        predicted = run(double, src, check=True, diff=True)
        assert predicted["changed"] is True
        assert ask(double, "GET", "/api/folders") == []
        assert ask(double, "GET", "/api/search?type=dash-db&tag=managed-by:ias.observability") == []
        done = run(double, src, diff=True)
    assert (predicted["dashboards"], predicted["diff"]) == (done["dashboards"], done["diff"])


def test_check_mode_asks_the_server_for_its_opinion(src: Path) -> None:
    write(src, "d-1", editable="elephant")
    with running_double(version=APIS) as double:
        result = run(double, src, check=True)
    assert "spec.editable" in result["msg"]
    assert states(result)["d-1"] == "not written"


@pytest.mark.parametrize("version", RELEASES)
def test_an_edit_by_hand_stops_the_run(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        run(double, src)
        edit(double, "d-3")
        write(src, "d-0", description="new")
        forget(double)
        result = run(double, src)
        assert result["failed"] is True
        assert [finding["id"] for finding in result["findings"]] == ["dashboards/edited"]
        assert "last written by" in result["msg"]
        assert states(result) == {"d-0": "not written"}
        assert "description" not in ask(double, "GET", "/api/dashboards/uid/d-0")["dashboard"]
        assert double.faults.writes == []
        kept = run(double, src, edited="keep")
        assert (actions(kept)["d-3"], actions(kept)["d-0"]) == ("keep", "update")
        assert ask(double, "GET", "/api/dashboards/uid/d-3")["dashboard"]["description"] == "edited by hand"
        assert actions(run(double, src, edited="overwrite"))["d-3"] == "update"
        assert run(double, src)["changed"] is False


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_what_is_not_ours_is_left_alone_unless_adopted(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        ask(double, "POST", "/api/dashboards/db", {"dashboard": {"uid": "d-1", "title": "Theirs"}})
        ask(double, "POST", "/api/dashboards/db", {"dashboard": {"uid": "other", "title": "Other"}})
        assert [finding["id"] for finding in run(double, src)["findings"]] == ["dashboards/foreign"]
        assert actions(run(double, src, adopt=True, prune=True))["d-1"] == "update"
        assert ask(double, "GET", "/api/dashboards/uid/other")["dashboard"]["title"] == "Other"


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_prune(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        run(double, src)
        (src / "d-4.json").unlink()
        assert run(double, src)["changed"] is False
        assert actions(run(double, src, prune=True))["d-4"] == "delete"
        assert run(double, src, prune=True)["changed"] is False


@pytest.mark.parametrize("version", [APIS, LEGACY])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500, path=SAVE, nth=2),
        Fault(status=500, path=SAVE, nth=2, applied=True),
        Fault(status=503, path=SAVE, nth=2, times=2),
        Fault(status=429, path=SAVE, retry_after=0),
        Fault(status=409, path=SAVE, nth=3),
        Fault(status=412, path=SAVE, nth=3, applied=True),
        Fault(Kind.CUT, path=SAVE, nth=2, applied=True),
        Fault(Kind.CUT, path=SAVE, nth=2),
    ],
    ids=lambda fault: f"{fault.kind.name}-{fault.status}{'-applied' if fault.applied else ''}",
)
def test_passing_trouble_makes_no_difference(src: Path, version: str, fault: Fault) -> None:
    with running_double(version=version, faults=Faults([fault])) as double:
        result = run(double, src)
        assert result.get("findings") == [], result["msg"]
        assert set(states(result).values()) == {"written"}
        assert run(double, src)["changed"] is False
        assert len(ask(double, "GET", "/api/search?type=dash-db&tag=managed-by:ias.observability")) == 5


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_lasting_trouble_is_told_exactly_and_a_rerun_converges(src: Path, version: str) -> None:
    faults = Faults([Fault(status=500, path=SAVE, nth=3, times=10_000)])
    with running_double(version=version, faults=faults) as double:
        result = run(double, src)
        assert result["failed"] is True
        assert result["changed"] is True
        there = {hit["uid"] for hit in ask(double, "GET", "/api/search?type=dash-db&tag=managed-by:ias.observability")}
        assert len(there) == 2
        assert {uid for uid, state in states(result).items() if state == "written"} == there
        assert {uid for uid, state in states(result).items() if state == "not written"} == set(states(result)) - there
        assert "not written: " in result["msg"]
        faults.script = ()
        again = run(double, src)
        assert {uid for uid, action in actions(again).items() if action == "create"} == set(states(result)) - there


def test_somebody_writes_in_between(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After our reading and before our writing: the lock refuses ours, and a second look finds their edit."""
    with running_double(version=APIS) as double:
        run(double, src)
        write(src, "d-1", description="new")
        decided = grafana_sync.plan

        def plan_then_they_write(*args: Any) -> Any:
            steps = decided(*args)
            edit(double, "d-1")
            return steps

        monkeypatch.setattr(grafana_sync, "plan", plan_then_they_write)
        result = run(double, src)
        assert "was edited in Grafana" in result["msg"]
        assert states(result)["d-1"] == "not written"
        assert ask(double, "GET", "/api/dashboards/uid/d-1")["dashboard"]["description"] == "edited by hand"


def test_grafana_dies_in_the_middle(src: Path) -> None:
    for number in range(40):
        write(src, f"many-{number:02}")
    lost = Fault(Kind.CUT, methods=("GET", "POST", "PUT"), path="/dashboards", nth=12, times=10_000)
    with running_double(version=APIS, faults=Faults([lost])) as double:
        result = run(double, src)
        assert set(states(result).values()) == {"written", "not written", "unknown"}
        assert "not tried, since Grafana had stopped answering" in result["msg"]
        double.faults.script = ()
        there = {item["metadata"]["name"] for item in ask(double, "GET", BASE)["items"]}
        told = states(result)
        assert {uid for uid, state in told.items() if state == "written"} <= there
        assert not {uid for uid, state in told.items() if state == "not written"} & there
        assert set(actions(run(double, src)).values()) == {"create", "unchanged"}
        assert run(double, src)["changed"] is False


def test_bad_files_are_all_told_and_nothing_is_written(src: Path) -> None:
    (src / "empty.json").write_text("")
    (src / "list.json").write_text("[]")
    (src / "binary.json").write_bytes(b"\xff\xfe\x00")
    (src / "deep.json").write_text("[" * 100_000)
    (src / "copy.json").write_text((src / "d-1.json").read_text())
    (src / "nouid.json").write_text('{"title": "x"}')
    (src / "uid.json").write_text('{"title": "x", "uid": "a b"}')
    (src / "title.json").write_text('{"title": " ", "uid": "t"}')
    (src / "v2.json").write_text('{"apiVersion": "dashboard.grafana.app/v2", "spec": {"elements": {}}}')
    with running_double(version=APIS) as double:
        result = run(double, src)
        assert double.faults.writes == []
    told = {Path(finding["file"]).name: finding["id"].removeprefix("dashboards/") for finding in result["findings"]}
    assert told == {
        "empty.json": "unreadable",
        "list.json": "unreadable",
        "binary.json": "unreadable",
        "deep.json": "unreadable",
        "d-1.json": "duplicate-uid",
        "nouid.json": "uid",
        "uid.json": "uid",
        "title.json": "title",
        "v2.json": "schema-v2",
    }


def test_a_byte_order_mark_is_no_reason_to_fail(src: Path) -> None:
    (src / "bom.json").write_text('\ufeff{"title": "x", "uid": "bom", "schemaVersion": 39}')
    with running_double(version=APIS) as double:
        assert actions(run(double, src))["bom"] == "create"


def test_nobody_answers(src: Path) -> None:
    url = "http://127.0.0.1:9"
    result = run_module(grafana_dashboards, grafana={"url": url}, src=str(src), folder="X")
    assert "refused" in result["msg"]
    assert "Traceback" not in json.dumps(result)


def test_wrong_password(src: Path) -> None:
    with running_double(version=APIS) as double:
        grafana = {"url": double.url, "username": "admin", "password": "n0t-it"}
        result = run_module(grafana_dashboards, grafana=grafana, src=str(src), folder="X")
    assert "Check the credentials" in result["msg"]
    assert "n0t-it" not in json.dumps(result)


def test_no_such_directory(tmp_path: Path) -> None:
    result = run_module(grafana_dashboards, grafana={"url": "http://x"}, src=str(tmp_path / "none"), folder="X")
    assert "is not a directory" in result["msg"]
