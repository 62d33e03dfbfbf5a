# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._grafana import client, legacy_store
from ansible_collections.ias.observability.plugins.module_utils._grafana import sync as grafana_sync
from ansible_collections.ias.observability.plugins.module_utils._grafana.app_store import AppStore
from ansible_collections.ias.observability.plugins.module_utils._grafana.legacy_store import LegacyStore
from ansible_collections.ias.observability.plugins.module_utils._grafana_model import files
from ansible_collections.ias.observability.plugins.modules import grafana_dashboards
from tests.fakes.http import Reply, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.lab.grafana import auth
from tests.lab.grafana.config import Config
from tests.lab.grafana.faults import Fault, Faults, Kind

running_double = pytest.importorskip("tests.lab.grafana.testing").running_double
APIS = "13.2.0"
OLDER = "12.0.0"
LEGACY = "11.6.0"
NINE = "9.5.21"
REAL = "12.4.0"
ADA = Config(admin_user="ada", admin_password="pa55word")
RELEASES = [APIS, REAL, OLDER, LEGACY, NINE]
BASE = "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards"
SAVE = r"/dashboards(/db|/d-\d+)?$"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


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
    grafana = {"url": double.url, "username": double.user, "password": double.password}
    return run_module(grafana_dashboards, **{"grafana": grafana, "src": str(src), "folder": "IAS Platform", **args})


def actions(result: dict[str, Any]) -> dict[str, str]:
    return {entry["uid"]: entry["action"] for entry in result["dashboards"]}


def states(result: dict[str, Any]) -> dict[str, str]:
    return {entry["uid"]: entry["state"] for entry in result["dashboards"]}


def ask(double: Any, method: str, path: str, body: Any = None) -> Any:
    """As a person at the browser would."""
    headers = urllib3.make_headers(basic_auth=f"{double.user}:{double.password}")
    answer = urllib3.request(method, double.url + path, json=body, headers=headers)
    assert answer.status < 300, answer.data
    return answer.json()


def forget(double: Any) -> None:
    """Start counting anew."""
    double.faults.requests.clear()


def edit(double: Any, uid: str) -> None:
    read = ask(double, "GET", f"/api/dashboards/uid/{uid}")
    spec = {**read["dashboard"], "description": "edited by hand"}
    ask(double, "POST", "/api/dashboards/db", {"dashboard": spec, "folderUid": read["meta"]["folderUid"]})


@pytest.mark.parametrize("version", RELEASES)
def test_first_run_then_nothing(src: Path, version: str) -> None:
    if version != NINE:
        (src / "GPU").mkdir()
        write(src / "GPU", "gpu")
    with running_double(version=version) as double:
        first = run(double, src)
        assert first["changed"] is True
        assert set(actions(first).values()) == {"create"}
        assert first["folders_created"] == ["IAS Platform", "GPU"][: 1 if version == NINE else 2]
        if version != NINE:
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
        assert [asked.path.rpartition("/")[2] for asked in double.faults.requests] == ["apis", "folders", "dashboards"]


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
    with running_double(ADA, version=version) as double:
        run(double, src)
        edit(double, "d-3")
        write(src, "d-0", description="new")
        forget(double)
        result = run(double, src)
        assert result["failed"] is True
        assert [finding["id"] for finding in result["findings"]] == ["dashboards/edited"]
        assert "last written by ada at 20" in result["msg"]
        assert states(result) == {"d-0": "not written"}
        assert "description" not in ask(double, "GET", "/api/dashboards/uid/d-0")["dashboard"]
        assert double.faults.writes == []
        kept = run(double, src, edited="keep")
        assert (actions(kept)["d-3"], actions(kept)["d-0"]) == ("keep", "update")
        assert ask(double, "GET", "/api/dashboards/uid/d-3")["dashboard"]["description"] == "edited by hand"
        assert actions(run(double, src, edited="overwrite"))["d-3"] == "update"
        assert run(double, src)["changed"] is False


@pytest.mark.parametrize("version", RELEASES)
def test_what_is_not_ours_is_left_alone_unless_adopted(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        ask(double, "POST", "/api/dashboards/db", {"dashboard": {"uid": "d-1", "title": "Theirs"}})
        ask(double, "POST", "/api/dashboards/db", {"dashboard": {"uid": "other", "title": "Other"}})
        assert [finding["id"] for finding in run(double, src)["findings"]] == ["dashboards/foreign"]
        assert actions(run(double, src, adopt=True, prune=True))["d-1"] == "update"
        assert ask(double, "GET", "/api/dashboards/uid/other")["dashboard"]["title"] == "Other"


def test_what_another_program_keeps_is_left_to_it(src: Path) -> None:
    with running_double(version=APIS) as double:
        annotations = {"grafana.app/managedBy": "terraform", "grafana.app/managerId": "x"}
        theirs = {
            "metadata": {"name": "d-1", "annotations": annotations},
            "spec": {"title": "Theirs", "schemaVersion": 40},
        }
        ask(double, "POST", BASE, theirs)
        result = run(double, src, adopt=True, edited="overwrite")
        assert "is managed by terraform" in result["msg"]
        assert [one.path for one in double.faults.writes] == [BASE]


def test_an_edit_that_keeps_our_message_is_seen(src: Path) -> None:
    """As kubectl and other programs do: read, change, write back what was read."""
    with running_double(ADA, version=APIS) as double:
        run(double, src)
        item = ask(double, "GET", f"{BASE}/d-1")
        ask(double, "PUT", f"{BASE}/d-1", {**item, "spec": {**item["spec"], "description": "by kubectl"}})
        result = run(double, src)
        assert [finding["id"] for finding in result["findings"]] == ["dashboards/edited"]
        assert "last written by ada at 20" in result["msg"]


@pytest.mark.parametrize("version", RELEASES)
def test_saving_without_a_change_is_no_edit(src: Path, version: str) -> None:
    """Grafana shows the spec in another schema than it was sent in; only Grafana can tell that nothing has changed."""
    with running_double(version=version) as double:
        run(double, src)
        for description in ("changed", None):
            read = ask(double, "GET", "/api/dashboards/uid/d-1?apiVersion=v1beta1")
            spec = {**read["dashboard"], "description": description}
            ask(double, "POST", "/api/dashboards/db", {"dashboard": spec, "folderUid": read["meta"]["folderUid"]})
        forget(double)
        assert run(double, src)["changed"] is False
        assert double.faults.writes == []


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_two_trees_of_one_owner_do_not_prune_each_other(src: Path, tmp_path: Path, version: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, "other")
    with running_double(version=version) as double:
        run(double, src)
        assert actions(run(double, other, folder="Other", prune=True)) == {"other": "create"}
        assert run(double, src, prune=True)["changed"] is False
        (src / "d-4.json").unlink()
        (src / "d-3.json").rename(src / "keep.txt")
        assert {uid for uid, what in actions(run(double, src, prune=True)).items() if what == "delete"} == {
            "d-3",
            "d-4",
        }


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_prune_leaves_what_is_below_to_nobody(src: Path, version: str) -> None:
    (src / "GPU").mkdir()
    write(src / "GPU", "gpu")
    with running_double(version=version) as double:
        run(double, src)
        (src / "GPU" / "gpu.json").unlink()
        assert actions(run(double, src, prune=True))["gpu"] == "delete"


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_a_copy_made_by_hand_is_not_pruned(src: Path, version: str) -> None:
    """It has our tag, but we have never written it."""
    with running_double(version=version) as double:
        run(double, src)
        for description in ("copied", "and edited"):
            read = ask(double, "GET", "/api/dashboards/uid/d-1")
            copy = {**read["dashboard"], "uid": "copy", "title": "Copy", "id": None, "description": description}
            there = ask(double, "GET", "/api/search?type=dash-db&query=Copy")
            if there:
                copy |= {"id": there[0]["id"], "version": 1}
            ask(double, "POST", "/api/dashboards/db", {"dashboard": copy, "folderUid": read["meta"]["folderUid"]})
        assert run(double, src, prune=True, edited="overwrite")["changed"] is False
        (src / "d-1.json").unlink()
        edit(double, "d-1")
        assert [finding["id"] for finding in run(double, src, prune=True)["findings"]] == ["dashboards/edited"]
        assert actions(run(double, src, prune=True, edited="overwrite"))["d-1"] == "delete"
        assert ask(double, "GET", "/api/dashboards/uid/copy")["dashboard"]["title"] == "Copy"


@pytest.mark.parametrize("version", RELEASES)
def test_an_edit_after_our_reading_is_not_deleted(src: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_double(version=version) as double:
        run(double, src)
        (src / "d-1.json").unlink()
        decided = grafana_sync.plan

        def plan_then_they_write(*args: Any) -> Any:
            steps = decided(*args)
            edit(double, "d-1")
            return steps

        monkeypatch.setattr(grafana_sync, "plan", plan_then_they_write)
        result = run(double, src, prune=True)
        assert states(result)["d-1"] == "not written"
        assert "was edited in Grafana" in result["msg"]
        assert ask(double, "GET", "/api/dashboards/uid/d-1")["dashboard"]["description"] == "edited by hand"


def test_a_grafana_without_folders_in_folders(src: Path) -> None:
    (src / "GPU").mkdir()
    write(src / "GPU", "gpu")
    with running_double(version=NINE) as double:
        result = run(double, src)
        assert "this Grafana has no folders in folders" in result["msg"]
        assert double.faults.writes == []


def test_two_titles_in_a_folder_of_an_old_grafana(src: Path) -> None:
    write(src, "twin", title="Title d-1")
    with running_double(version=NINE) as double:
        result = run(double, src)
        assert "A dashboard with the same name in the folder already exists" in result["msg"]
        assert sorted(states(result).values()) == ["not written", *["written"] * 5]
        assert len(ask(double, "GET", "/api/search?type=dash-db&tag=managed-by:ias.observability")) == 5


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_folders_that_cannot_be_told_apart(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        for uid in ("one", "two"):
            ask(double, "POST", "/api/folders", {"uid": uid, "title": "IAS Platform"})
        result = run(double, src)
        assert "2 folders are named IAS Platform: one, two" in result["msg"]
        assert len(double.faults.writes) == 2


@pytest.mark.parametrize("version", [APIS, LEGACY])
@pytest.mark.parametrize("fault", [{}, {"applied": True}, {"kind": Kind.CUT}, {"kind": Kind.CUT, "applied": True}])
def test_a_folder_that_cannot_be_made_is_told(src: Path, version: str, fault: dict[str, Any]) -> None:
    (src / "GPU").mkdir()
    write(src / "GPU", "gpu")
    lasting = Fault(status=500, path="/api/folders$", nth=2, times=10_000, **fault)
    with running_double(version=version, faults=Faults([lasting])) as double:
        result = run(double, src)
        if fault.get("applied"):
            assert result["folders_created"] == ["IAS Platform", "GPU"]
            assert result["findings"] == []
            return
        assert [finding["id"] for finding in result["findings"]] == ["folders/not-written"]
        assert result["folders_created"] == ["IAS Platform"]
        assert result["changed"] is True
        assert set(states(result).values()) == {"not written"}
        assert [entry["title"] for entry in ask(double, "GET", "/api/folders")] == ["IAS Platform"]
        double.faults.script = ()
        assert run(double, src)["folders_created"] == ["GPU"]


@pytest.mark.parametrize("version", RELEASES)
def test_prune(src: Path, tmp_path: Path, version: str) -> None:
    """What is ours; not what others have put into our folder."""
    team = tmp_path / "team"
    team.mkdir()
    write(team, "team")
    with running_double(version=version) as double:
        run(double, src)
        run(double, team, owner="team")
        theirs = {"dashboard": {"uid": "theirs", "title": "Theirs"}, "folderUid": "ias-platform"}
        ask(double, "POST", "/api/dashboards/db", theirs)
        (src / "d-4.json").unlink()
        assert run(double, src)["changed"] is False
        assert actions(run(double, src, prune=True))["d-4"] == "delete"
        assert run(double, src, prune=True)["changed"] is False
        there = {hit["uid"] for hit in ask(double, "GET", "/api/search?type=dash-db")}
        assert there == {"d-0", "d-1", "d-2", "d-3", "team", "theirs"}


@pytest.mark.parametrize("version", [APIS, LEGACY, NINE])
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


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        *((APIS, {"status": status}) for status in (403, 409, 412, 500)),
        (APIS, {"status": 429, "retry_after": 0}),
        (APIS, {"kind": Kind.CUT}),
        (APIS, {"kind": Kind.HANG}),
        (LEGACY, {"status": 500}),
        (NINE, {"status": 412}),
        (NINE, {"kind": Kind.HANG}),
    ],
    ids=str,
)
def test_lasting_trouble_is_told_exactly_and_a_rerun_converges(
    src: Path, version: str, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.1 if "kind" in fault else 5)
    faults = Faults([Fault(path=SAVE, nth=3, times=10_000, **fault)])
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


@pytest.mark.parametrize("version", RELEASES)
def test_somebody_writes_in_between(src: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After our reading and before our writing: the lock refuses ours, and a second look finds their edit."""
    with running_double(version=version) as double:
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


@pytest.mark.parametrize("version", [APIS, LEGACY])
@pytest.mark.parametrize("applied", [True, False])
def test_no_answer_in_time(src: Path, version: str, applied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.3)
    hang = Fault(Kind.HANG, path=SAVE, nth=2, applied=applied)
    with running_double(version=version, faults=Faults([hang])) as double:
        result = run(double, src)
        assert set(states(result).values()) == {"written"}
        assert run(double, src)["changed"] is False


@pytest.mark.parametrize(("version", "store"), [(APIS, AppStore), (LEGACY, LegacyStore)])
def test_the_server_dies_and_comes_back(
    src: Path, tmp_path: Path, version: str, store: type[AppStore | LegacyStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is really gone, and a new one starts on its data."""
    for number in range(20):
        write(src, f"many-{number:02}")
    data = tmp_path / "data"
    calls = itertools.count(1)
    written = store.write
    with running_double(version=version, data=data) as double:

        def write_then_die(*args: Any, **kwargs: Any) -> Any:
            if next(calls) == 9:
                double.stop()
            return written(*args, **kwargs)

        monkeypatch.setattr(store, "write", write_then_die)
        # a connection that it has taken and not yet read stays open
        monkeypatch.setattr(_http.api, "READ_SECONDS", 1)
        result = run(double, src)
    assert {"written", "unknown"} <= set(states(result).values()) <= {"written", "not written", "unknown"}
    monkeypatch.undo()
    with running_double(version=version, data=data) as double:
        there = {hit["uid"] for hit in ask(double, "GET", "/api/search?type=dash-db")}
        assert {uid for uid, state in states(result).items() if state == "written"} <= there
        assert not {uid for uid, state in states(result).items() if state == "not written"} & there
        again = run(double, src)
        assert {uid for uid, action in actions(again).items() if action == "create"} == set(states(result)) - there
        assert run(double, src)["changed"] is False


def test_through_the_kubernetes_api(src: Path, tmp_path: Path) -> None:
    """Several connections at once, each a port-forward of its own."""
    slices = "/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices"
    with running_double(version=APIS) as double, FakeKube() as kube:
        kube.serves.add(slices)
        kube.add(
            "/api/v1/namespaces/ias-system/services/prometheus-grafana", spec={"ports": [{"name": "http", "port": 80}]}
        )
        kube.add(
            f"{slices}/grafana-1",
            metadata={"labels": {"kubernetes.io/service-name": "prometheus-grafana"}},
            ports=[{"name": "http", "port": 3000}],
            endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "grafana-0"}}],
        )
        kube.ports["grafana-0", 3000] = int(double.url.rpartition(":")[2])
        access = {
            "grafana": {"username": double.user, "password": double.password},
            "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig")),
        }
        assert set(states(run(double, src, **access)).values()) == {"written"}
        assert run(double, src, **access)["changed"] is False


def test_an_edit_under_a_file_that_grafana_refuses(src: Path) -> None:
    """RecordedRequest whether the two are the same, it says that one is impossible: so they are not."""
    with running_double(version=APIS) as double:
        run(double, src)
        edit(double, "d-1")
        write(src, "d-1", editable="elephant")
        assert [finding["id"] for finding in run(double, src)["findings"]] == ["dashboards/edited"]
        assert "spec.editable" in run(double, src, edited="overwrite")["msg"]


def test_who_wrote_cannot_be_looked_up(src: Path) -> None:
    with running_double(ADA, version=APIS) as double:
        run(double, src)
        edit(double, "d-1")
        double.faults.script = [Fault(status=403, methods=("GET",), path="^/api/dashboards/uid", times=100)]
        assert "last written by user:u" in run(double, src)["msg"]


def test_grafana_dies_before_it_tells_about_the_folder(src: Path) -> None:
    gone = Fault(Kind.CUT, methods=("GET", "POST"), path="^/api/folders", times=10_000, applied=True)
    with running_double(version=APIS, faults=Faults([gone])) as double:
        result = run(double, src)
        assert [finding["id"] for finding in result["findings"]] == ["folders/unknown"]
        assert (result["changed"], result["folders_created"]) == (False, [])
        assert set(states(result).values()) == {"not written"}


@pytest.mark.parametrize("version", [APIS, LEGACY])
@pytest.mark.parametrize(
    ("fault", "state", "left"),
    [
        ({"status": 500, "times": 1}, "written", False),
        ({"status": 500, "times": 100}, "not written", True),
        ({"status": 500, "times": 100, "applied": True}, "written", False),
        ({"status": 403, "times": 100}, "not written", True),
        ({"status": 404, "times": 100, "applied": True}, "written", False),
        ({"kind": Kind.CUT, "times": 100}, "not written", True),
    ],
)
def test_a_delete_that_fails(src: Path, version: str, fault: dict[str, Any], state: str, left: bool) -> None:
    with running_double(version=version) as double:
        run(double, src)
        (src / "d-1.json").unlink()
        double.faults.script = [Fault(methods=("DELETE",), **fault)]
        result = run(double, src, prune=True)
        assert states(result)["d-1"] == state
        assert result.get("failed", False) is (state != "written")
        there = {hit["uid"] for hit in ask(double, "GET", "/api/search?type=dash-db")}
        assert ("d-1" in there) is left
        double.faults.script = ()
        assert run(double, src, prune=True)["changed"] is left


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_every_write_is_done_and_none_is_answered(src: Path, version: str) -> None:
    lost = Fault(status=500, path=SAVE, times=10_000, applied=True)
    with running_double(version=version, faults=Faults([lost])) as double:
        result = run(double, src)
        assert set(states(result).values()) == {"written"}
        assert result["findings"] == []
        double.faults.script = ()
        assert run(double, src)["changed"] is False


def test_long_lists_come_in_pages(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_store, "PAGE", 2)
    monkeypatch.setattr(client, "PAGE", 2)
    with running_double(version=LEGACY) as double:
        for number in range(5):
            ask(double, "POST", "/api/folders", {"title": f"Folder {number}"})
        first = run(double, src)
        assert first["folders_created"] == ["IAS Platform"]
        again = run(double, src, prune=True)
        assert (again["changed"], len(again["dashboards"])) == (False, 5)


def test_the_history_may_not_be_read(src: Path) -> None:
    """Then nothing tells an edit from a write of ours, and it is not written over."""
    with running_double(version=LEGACY) as double:
        run(double, src)
        write(src, "d-1", description="new")
        double.faults.script = [Fault(status=403, methods=("GET",), path="/versions/", times=100)]
        assert [finding["id"] for finding in run(double, src)["findings"]] == ["dashboards/edited"]


@pytest.mark.parametrize("version", RELEASES)
def test_the_message_is_in_the_history(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        run(double, src, commit_message="Commit 1a2b3c")
        write(src, "d-1", description="new")
        run(double, src, commit_message="x" * 600)
        history = ask(double, "GET", "/api/dashboards/uid/d-1/versions")
        versions = history["versions"] if isinstance(history, dict) else history
        assert [one["version"] for one in versions] == [2, 1]
        assert len(versions[0]["message"]) == 500
        first = ask(double, "GET", "/api/dashboards/uid/d-1/versions/1")
        assert first["message"].startswith("Commit 1a2b3c [ias.observability ")


def test_the_root_is_a_folder_too(src: Path) -> None:
    with running_double(version=APIS) as double:
        result = run(double, src, folder="", prune=True)
        assert result["folders_created"] == []
        assert ask(double, "GET", "/api/dashboards/uid/d-1")["meta"]["folderUid"] == ""
        (src / "d-1.json").unlink()
        assert actions(run(double, src, folder="", prune=True))["d-1"] == "delete"


def test_a_renamed_folder_is_still_ours(src: Path) -> None:
    with running_double(version=APIS) as double:
        run(double, src)
        ask(double, "PUT", "/api/folders/ias-platform", {"title": "Platform", "overwrite": True})
        assert run(double, src)["changed"] is False


def test_the_server_is_gone_for_good(src: Path) -> None:
    with running_double(version=APIS) as double:
        run(double, src)
        write(src, "d-1", description="new")
        double.stop()
        result = run(double, src)
    assert "Check that the service runs and answers" in result["msg"]
    assert result["changed"] is False


@pytest.mark.parametrize("version", RELEASES)
def test_permissions(src: Path, version: str) -> None:
    view = {"dashboard": "d-1", "role": "Viewer", "permission": "view"}
    edit_team = {"dashboard": "d-1", "team": "Search", "permission": "edit"}
    admin = {"dashboard": "d-2", "user": "admin", "permission": "admin"}
    with running_double(version=version) as double:
        nobody = run(double, src, permissions=[view, edit_team, {**admin, "user": "ada"}, {**view, "dashboard": "no"}])
        assert [finding["message"] for finding in nobody["findings"]] == [
            "dashboard no does not exist",
            "team Search does not exist",
            "user ada does not exist",
        ]
        assert double.faults.writes == []
        ask(double, "POST", "/api/teams", {"name": "Search"})
        desired = [view, edit_team, admin]
        predicted = run(double, src, check=True, diff=True, permissions=desired)
        first = run(double, src, diff=True, permissions=desired)
        assert predicted["diff"] == first["diff"]
        assert first["diff"][-2]["after"] == "role Viewer: view\nteam Search: edit\n"
        assert first["permissions"] == [{"uid": "d-1", "state": "written"}, {"uid": "d-2", "state": "written"}]
        forget(double)
        again = run(double, src, permissions=desired)
        assert again["changed"] is False
        assert double.faults.writes == []
        assert run(double, src, permissions=[view])["permissions"] == [{"uid": "d-1", "state": "written"}]
        own = [entry for entry in ask(double, "GET", "/api/dashboards/uid/d-1/permissions") if not entry["inherited"]]
        assert [(entry["role"], entry["permission"]) for entry in own] == [("Viewer", 1)]
        assert run(double, src)["changed"] is False


def test_permissions_that_are_refused(src: Path) -> None:
    desired = [{"dashboard": "d-1", "role": "Viewer", "permission": "view"}]
    fault = Fault(status=403, path="/permissions$", times=100)
    with running_double(version=APIS, faults=Faults([fault])) as double:
        result = run(double, src, permissions=desired)
    assert [finding["id"] for finding in result["findings"]] == ["permissions/not-written"]
    assert set(states(result).values()) == {"written"}


@pytest.mark.parametrize("version", [APIS, NINE])
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"status": 429, "retry_after": 0}, "written"),
        ({"kind": Kind.CUT, "applied": True}, "written"),
        ({"status": 500, "times": 100}, "not written"),
        ({"status": 500, "times": 100, "applied": True}, "written"),
        ({"kind": Kind.CUT, "times": 100}, "not written"),
        ({"kind": Kind.CUT, "times": 100, "methods": ("GET", "POST")}, "unknown"),
    ],
    ids=str,
)
def test_permissions_in_trouble(src: Path, version: str, fault: dict[str, Any], state: str) -> None:
    desired = [{"dashboard": "d-1", "role": "Viewer", "permission": "view"}]
    with running_double(version=version, faults=Faults([Fault(path="/permissions$", **fault)])) as double:
        result = run(double, src, permissions=desired)
        assert result["permissions"] == [{"uid": "d-1", "state": state}]
        assert result.get("failed", False) is (state != "written")
        double.faults.script = ()
        assert run(double, src, permissions=desired)["changed"] is (state != "written")


@pytest.mark.parametrize("entry", [{"role": "Viewer", "team": "x"}, {}], ids=["two", "none"])
def test_a_permission_is_for_one(src: Path, entry: dict[str, str]) -> None:
    permissions = [{"dashboard": "d-1", "permission": "view", **entry}]
    result = run_module(
        grafana_dashboards, grafana={"url": "http://x"}, src=str(src), folder="X", permissions=permissions
    )
    assert "role" in result["msg"]
    assert "team" in result["msg"]


def test_a_proxy_that_lets_only_the_old_interface_through(src: Path) -> None:
    closed = Fault(status=403, methods=("GET",), path="^/apis", times=10_000)
    with running_double(version=APIS, faults=Faults([closed])) as double:
        assert run(double, src)["changed"] is True
        assert run(double, src)["changed"] is False
        assert {asked.status for asked in double.faults.requests if asked.path.startswith("/apis")} == {403}


@pytest.mark.parametrize(
    ("version", "method", "path"),
    [
        (APIS, "GET", "/folders$"),
        (APIS, "GET", "/dashboards$"),
        (APIS, "POST", "/dashboards$"),
        (LEGACY, "GET", "^/api/folders$"),
        (LEGACY, "GET", "^/api/search$"),
        (LEGACY, "GET", "^/api/dashboards/uid/[^/]+$"),
        (LEGACY, "POST", "^/api/dashboards/db$"),
    ],
)
def test_success_with_a_strange_answer(src: Path, version: str, method: str, path: str) -> None:
    """From something that answers in Grafana's place."""
    strange = Fault(status=200, path=path, methods=(method,), times=10_000)
    with running_double(version=version, faults=Faults([strange])) as double:
        result = run(double, src)
        assert "this is not an answer of Grafana" in result["msg"]
        assert "written" not in states(result).values()
        double.faults.script = ()
        assert ask(double, "GET", "/api/search?type=dash-db") == []
        assert run(double, src).get("findings") == []


def test_a_proxy_with_a_page_of_its_own_for_the_new_interface(src: Path) -> None:
    strange = Fault(status=200, path="^/apis$", methods=("GET",), times=10_000)
    with running_double(version=APIS, faults=Faults([strange])) as double:
        assert run(double, src)["changed"] is True
        assert run(double, src)["changed"] is False


def test_a_list_that_is_refused(src: Path) -> None:
    """In organisation 1, where there is no other namespace to try."""
    closed = Fault(status=403, methods=("GET",), path="/namespaces/", times=100)
    with running_double(version=APIS, faults=Faults([closed])) as double:
        result = run(double, src)
        assert "Check the credentials" in result["msg"]
        assert [asked.path for asked in double.faults.requests][-1] == "/api/org"


def test_another_organisation_has_another_namespace(src: Path) -> None:
    groups = {"groups": [{"name": "dashboard.grafana.app", "versions": [{"version": "v1beta1"}]}]}
    with running_server() as server:
        server.ok("GET", "/apis", groups)
        server.ok("GET", "/api/org", {"id": 3, "name": "Third"})
        server.ok("GET", "/api/folders", [])
        base = "/apis/dashboard.grafana.app/v1beta1/namespaces/org-3/dashboards"
        other = base.replace("org-3", "default")
        server.on("GET", other, Reply(403, {"message": "invalid namespace"}))
        server.ok("GET", base, {"items": [], "metadata": {}})
        server.on("POST", base, lambda request: Reply(201, request.body))
        grafana = {"url": server.url, "token": "glsa_secret"}
        result = run_module(grafana_dashboards, grafana=grafana, src=str(src), folder="X", check=True)
        assert set(states(result).values()) == {"written"}
        assert {request.headers["Authorization"] for request in server.requests} == {"Bearer glsa_secret"}
        assert "glsa_secret" not in json.dumps(result)


def test_bad_files_are_all_told_and_nothing_is_written(src: Path) -> None:
    (src / "empty.json").write_text("")
    (src / "list.json").write_text("[]")
    (src / "binary.json").write_bytes(b"\xff\xfe\x00")
    (src / "deep.json").write_text("[" * 100_000)
    (src / "nested.json").write_text('{"uid": "n", "title": "n", "x": ' + "[" * 400 + "]" * 400 + "}")
    (src / "tags.json").write_text('{"title": "x", "uid": "tags", "tags": [{}]}')
    (src / "panels.json").write_text('{"title": "x", "uid": "panels", "panels": {"a": 1}}')
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
        "nested.json": "unreadable",
        "tags.json": "tags",
        "panels.json": "panels",
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


@pytest.mark.parametrize("owner", ["", "a b", "x" * 40, "]"])
def test_an_owner_that_makes_no_tag(src: Path, owner: str) -> None:
    result = run_module(grafana_dashboards, grafana={"url": "http://x"}, src=str(src), folder="X", owner=owner)
    assert "is not 1 to 39 letters" in result["msg"]


def test_no_such_directory(tmp_path: Path) -> None:
    result = run_module(grafana_dashboards, grafana={"url": "http://x"}, src=str(tmp_path / "none"), folder="X")
    assert "is not a directory" in result["msg"]


def token(double: Any, role: str) -> dict[str, str]:
    return {"url": double.url, "token": double.token(role)["Authorization"].removeprefix("Bearer ")}


@pytest.mark.parametrize("version", RELEASES)
def test_saved_once_and_then_edited_it_is_still_ours(src: Path, version: str) -> None:
    """The list of versions has another message for the first; what we wrote is not in it."""
    with running_double(version=version) as double:
        run(double, src, prune=True)
        edit(double, "d-1")
        (src / "d-1.json").unlink()
        refused = run(double, src, prune=True)
        assert [finding["id"] for finding in refused["findings"]] == ["dashboards/edited"]
        kept = run(double, src, prune=True, edited="keep")
        assert actions(kept)["d-1"] == "keep"
        assert actions(run(double, src, prune=True, edited="overwrite"))["d-1"] == "delete"


@pytest.mark.parametrize("version", RELEASES)
def test_saved_once_it_is_not_taken_for_edited(src: Path, version: str) -> None:
    with running_double(version=version) as double:
        run(double, src)
        write(src, "d-1", description="new")
        assert actions(run(double, src))["d-1"] == "update"
        (src / "d-2.json").unlink()
        assert actions(run(double, src, prune=True))["d-2"] == "delete"


@pytest.mark.parametrize("role", ["Viewer", "Editor"])
@pytest.mark.parametrize("folder", ["", "IAS Platform"])
@pytest.mark.parametrize("version", RELEASES)
def test_everybody_may_see_what_was_written(src: Path, version: str, folder: str, role: str) -> None:
    with running_double(version=version) as double:
        run(double, src, folder=folder)
        headers = double.token(role)
        answer = urllib3.request("GET", f"{double.url}/api/dashboards/uid/d-1", headers=headers)
        assert answer.status == 200


@pytest.mark.parametrize("version", [APIS, REAL])
@pytest.mark.parametrize("folder", ["", "IAS Platform", "IAS Platform/GPU"])
@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_check_mode_says_what_the_account_may_not_do(src: Path, version: str, folder: str, role: str) -> None:
    """As the run without check mode then does."""
    with running_double(version=version) as double:
        if folder:
            run(double, src, folder="IAS Platform")
            write(src, "d-1", description="new")
            write(src, "d-new")
            (src / "d-2.json").unlink()
        given = {"grafana": token(double, role), "folder": folder, "prune": True}
        forget(double)
        predicted = run(double, src, check=True, **given)
        assert double.faults.writes == []
        assert predicted.get("failed", False) is (role == "Viewer")
        if role == "Viewer":
            assert "this account lacks the permission" in predicted["msg"]
        done = run(double, src, **given)
        assert states(done) == states(predicted)
        assert {one["id"] for one in done["findings"]} == {one["id"] for one in predicted["findings"]}


@pytest.mark.parametrize("missing", ["dashboards:create", "dashboards:write", "dashboards:delete", "folders:create"])
def test_one_permission_less(src: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names it, and where it is needed."""
    with running_double(version=REAL) as double:
        run(double, src)
        write(src, "d-1", description="new")
        (src / "d-2.json").unlink()
        (src / "GPU").mkdir()
        if missing == "folders:create":
            write(src / "GPU", "gpu")
        else:
            write(src, "d-new")
        monkeypatch.setitem(auth.PERMISSIONS, missing, auth.Role.ADMIN)
        result = run(double, src, check=True, prune=True, grafana=token(double, "Editor"))
        assert f"this account lacks the permission {missing} on " in result["msg"]
        assert len(result["findings"]) == 1


def test_what_an_account_may_do_is_not_told(src: Path) -> None:
    """Then check mode says what it knows."""
    closed = Fault(status=404, methods=("GET",), path="^/api/access-control", times=100)
    with running_double(version=REAL, faults=Faults([closed])) as double:
        assert "msg" not in run(double, src, check=True)


def test_a_refusal_without_a_message(src: Path) -> None:
    with running_double(version=REAL) as double:
        result = run(double, src, grafana=token(double, "Viewer"), folder="")
        assert "/dashboards?fieldValidation=Strict: 403 Forbidden" in result["msg"]
        assert "metadata" not in result["msg"]


def titles(double: Any) -> set[str]:
    return {hit["uid"] for hit in ask(double, "GET", "/api/search?type=dash-db")}


@pytest.mark.parametrize("version", [APIS, LEGACY])
@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_an_empty_source_deletes_nothing(src: Path, version: str, check: bool) -> None:
    with running_double(version=version) as double:
        run(double, src)
        for file in src.iterdir():
            file.rename(file.with_suffix(".txt"))
        forget(double)
        result = run(double, src, prune=True, check=check)
        assert [finding["id"] for finding in result["findings"]] == ["dashboards/empty-source"]
        assert "it holds no dashboard, so prune would delete every dashboard of ias.observability" in result["msg"]
        assert list(double.faults.requests) == []
        assert run(double, src)["changed"] is False


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_a_sub_folder_that_is_a_link(src: Path, tmp_path: Path, version: str) -> None:
    (src / "GPU").mkdir()
    for number in range(3):
        write(src / "GPU", f"gpu-{number}")
    with running_double(version=version) as double:
        run(double, src)
        (src / "GPU").rename(tmp_path / "elsewhere")
        (src / "GPU").symlink_to(tmp_path / "elsewhere")
        forget(double)
        assert run(double, src, prune=True)["changed"] is False
        assert double.faults.writes == []


@pytest.mark.parametrize("target", ["nowhere", "..", ".", "../dashboards", "GPU", "/dev/null/x"])
def test_a_link_that_cannot_be_followed(src: Path, target: str) -> None:
    with running_double(version=APIS) as double:
        run(double, src)
        (src / "d-1.json").unlink()
        (src / "GPU").symlink_to(target)
        forget(double)
        result = run(double, src, prune=True)
        assert result["failed"] is True
        assert all(finding["file"].startswith(str(src / "GPU")) for finding in result["findings"])
        assert list(double.faults.requests) == []


def test_a_folder_that_may_not_be_read(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (src / "GPU").mkdir()
    write(src / "GPU", "gpu")
    listed = Path.iterdir

    def refuse(path: Path) -> Any:
        if path.name == "GPU":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    with running_double(version=APIS) as double:
        run(double, src)
        monkeypatch.setattr(Path, "iterdir", refuse)
        result = run(double, src, prune=True)
        assert [finding["id"] for finding in result["findings"]] == ["dashboards/unreadable"]
        assert "Permission denied" in result["msg"]
        assert "gpu" in titles(double)


def test_links_that_multiply(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ways into each folder of a long row."""
    monkeypatch.setattr(files, "MAX_ENTRIES", 1000)
    for number in range(40):
        (src / f"f{number}").mkdir()
        for name in ("a", "b"):
            (src / f"f{number}" / name).symlink_to(src / f"f{number + 1}")
    (src / "f40").mkdir()
    result = run_module(grafana_dashboards, grafana={"url": "http://x"}, src=str(src), folder="X", prune=True)
    assert "there are more than 1000 files and folders below it" in result["msg"]


def test_a_source_that_is_a_config_map(src: Path) -> None:
    """Each file is a link to another one, behind a hidden folder that changes."""
    (src / "..2026_11_28").mkdir()
    (src / "..data").symlink_to("..2026_11_28")
    for file in list(src.glob("*.json")):
        file.rename(src / "..2026_11_28" / file.name)
        file.symlink_to(Path("..data") / file.name)
    with running_double(version=APIS) as double:
        assert set(states(run(double, src)).values()) == {"written"}
        assert run(double, src, prune=True)["changed"] is False


@pytest.mark.parametrize("version", [APIS, LEGACY])
def test_more_deletions_than_the_limit(src: Path, version: str) -> None:
    for number in range(20, 32):
        write(src, f"d-{number}")
    with running_double(version=version) as double:
        run(double, src)
        for number in range(20, 32):
            (src / f"d-{number}.json").unlink()
        write(src, "d-1", description="new")
        before = titles(double)
        forget(double)
        for check in (True, False):
            result = run(double, src, prune=True, check=check)
            assert [finding["id"] for finding in result["findings"]] == ["dashboards/prune-limit"]
            assert "prune would delete 12 dashboards, more than prune_limit (10): Title d-20 (d-20)" in result["msg"]
            assert "set prune_limit to 12" in result["msg"]
            assert set(states(result).values()) == {"not written"}
        assert double.faults.writes == []
        assert titles(double) == before
        done = run(double, src, prune=True, prune_limit=12)
        assert list(actions(done).values()).count("delete") == 12
        (src / "d-2.json").unlink()
        assert run(double, src, prune=True, prune_limit=0)["failed"] is True
    refused = run_module(grafana_dashboards, grafana={"url": "http://x"}, src=str(src), folder="X", prune_limit=-1)
    assert "prune_limit -1 is negative" in refused["msg"]
