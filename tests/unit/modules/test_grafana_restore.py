# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import functools
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._grafana.archive import KINDS, Backup, pack, unpack
from ansible_collections.ias.observability.plugins.module_utils._grafana.resources import Dashboards, Resource
from ansible_collections.ias.observability.plugins.modules import (
    grafana_backup,
    grafana_dashboards,
    grafana_restore,
)
from tests.fakes.grafana import LOKI_PASSWORD, SLACK_URL, fill, post, save
from tests.fakes.module import run_module
from tests.lab.grafana.config import Config
from tests.lab.grafana.faults import Fault, Faults, Kind
from tests.lab.grafana.testing import Double, running_double

NEW, REAL = "13.2.0", "12.4.0"
RELEASES = [NEW, "12.0.0", "11.6.0", "9.5.21"]
ADA = Config(admin_user="ada", admin_password="pa55word")
SECRETS = {
    "datasources": {"loki": {"basicAuthPassword": LOKI_PASSWORD, "url": "http://user:pass@loki:3100"}},
    "contact_points": {"slack": {"url": SLACK_URL}},
}
SOURCES = """
apiVersion: 1
datasources:
  - {name: Loki, uid: loki, type: loki, access: proxy, url: 'http://elsewhere:3100'}
"""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


def access(double: Double) -> dict[str, str]:
    return {"url": double.url, "username": double.user, "password": double.password}


def take(double: Double, folder: Path) -> Path:
    result = run_module(grafana_backup, grafana=access(double), dest=str(folder))
    return Path(result["path"])


def run(double: Double, src: Path, **args: Any) -> dict[str, Any]:
    return run_module(grafana_restore, grafana=access(double), src=str(src), **args)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make_archive(tmp_path, NEW)


def make_archive(folder: Path, version: str) -> Path:
    path = folder / "grafana-backup-2026-11-25T010203Z.tar.gz"
    path.write_bytes(archived(version))
    return path


@functools.cache
def archived(version: str) -> bytes:
    with running_double(version=version) as double, tempfile.TemporaryDirectory() as folder:
        fill(double, nested=not version.startswith("9"))
        return take(double, Path(folder)).read_bytes()


def actions(result: dict[str, Any]) -> dict[str, str]:
    return {f"{one['kind']}/{one['key']}": one["action"] for one in result["objects"]}


def states(result: dict[str, Any]) -> dict[str, str]:
    return {f"{one['kind']}/{one['key']}": one["state"] for one in result["objects"]}


def held(double: Double) -> set[str]:
    """Everything that was not there from the start."""
    kinds = ("folders", "datasources", "contact-points", "dashboards")
    return {f"{kind}/{one.uid}" for kind in kinds for one in double.store.all_of(kind)}


def bodies(double: Double) -> dict[str, Any]:
    return {key: double.store.get(*key.split("/", 1)) for key in held(double)}


def stored(double: Double, kind: str, uid: str) -> dict[str, Any]:
    """With its secrets, which no request shows."""
    found = double.store.get(kind, uid)
    assert found is not None
    return found.spec


def content(path: Path) -> dict[str, str]:
    """Checksums without what a restore cannot bring back: versions in messages, secrets."""
    backup = unpack(path)
    drop = {"message", "secrets"}
    objects = {
        kind: {
            key: {name: value for name, value in body.items() if name not in drop}
            for key, body in backup.objects[kind].items()
        }
        for kind in KINDS
    }
    return Backup(objects, {}).sums


@pytest.mark.parametrize("version", RELEASES)
def test_into_an_empty_grafana_and_again(tmp_path: Path, version: str) -> None:
    archive = make_archive(tmp_path, version)
    (tmp_path / "again").mkdir()
    with running_double(version=version) as double:
        predicted = run(double, archive, secrets=SECRETS, check=True, diff=True)
        assert double.faults.writes == []
        result = run(double, archive, secrets=SECRETS, diff=True)
        assert result.get("msg") is None
        assert (predicted["objects"], predicted["diff"]) == (result["objects"], result["diff"])
        assert result["changed"] is True
        assert result["findings"] == []
        assert stored(double, "datasources", "loki")["secureJsonData"] == {"basicAuthPassword": LOKI_PASSWORD}
        assert stored(double, "datasources", "loki")["url"] == "http://user:pass@loki:3100"
        assert stored(double, "contact-points", "slack")["settings"]["url"] == SLACK_URL
        assert stored(double, "contact-points", "slack")["provenance"] == ""
        assert content(take(double, tmp_path / "again")) == content(archive)
        double.faults.requests.clear()
        again = run(double, archive, secrets=SECRETS, diff=True)
        assert again["changed"] is False
        assert again["diff"] == []
        assert set(actions(again).values()) == {"unchanged"}
        assert double.faults.writes == []
    for secret in (LOKI_PASSWORD, SLACK_URL):
        assert secret not in json.dumps([predicted, result, again])


@pytest.mark.parametrize(("old", "new"), [("9.5.21", "11.6.0"), ("11.6.0", NEW), ("12.0.0", NEW), (NEW, "12.0.0")])
def test_into_another_grafana(tmp_path: Path, old: str, new: str) -> None:
    """It stores another schema than it is sent; that it is the same, only Grafana can tell."""
    archive = make_archive(tmp_path, old)
    with running_double(version=new) as double:
        assert "msg" not in run(double, archive, secrets=SECRETS)
        double.faults.requests.clear()
        assert run(double, archive, secrets=SECRETS)["changed"] is False
        assert double.faults.writes == []


def test_folders_in_folders_need_a_grafana_that_has_them(archive: Path) -> None:
    with running_double(version="9.5.21") as double:
        result = run(double, archive)
        assert "this Grafana has no folders in folders" in result["msg"]
        assert held(double) == set()


def spoil(double: Double) -> None:
    """Something of everything is not as the archive says."""
    with double.client() as client:
        post(client, "/api/folders", {"uid": "ops-gpu", "title": "Graphics"})
        save(client, "two", "ops-gpu", description="edited by hand")
        save(client, "other", "")
        loki = {"uid": "loki", "name": "Loki", "type": "loki", "url": "http://old:3100"}
        post(client, "/api/datasources", {**loki, "secureJsonData": {"basicAuthPassword": "kept"}})
        slack = {"uid": "slack", "name": "Chat", "type": "slack", "settings": {"url": "kept", "recipient": "#old"}}
        post(client, "/api/v1/provisioning/contact-points", slack)


@pytest.mark.parametrize("version", RELEASES[:3])
def test_into_a_dirty_grafana(archive: Path, version: str) -> None:
    with running_double(ADA, version=version) as double:
        spoil(double)
        double.faults.requests.clear()
        refused = run(double, archive)
        assert {one["id"] for one in refused["findings"]} == {"restore/exists"}
        assert len(refused["findings"]) == 4
        assert "last written by ada at 20" in refused["msg"] or version >= "12"  # there an account is a number
        assert re.search(r"last written by \S+ at 20\d\d-", refused["msg"])
        assert set(states(refused).values()) == {"not written"}
        kept = run(double, archive, existing="keep", check=True)
        assert actions(kept)["dashboards/two"] == "keep"
        assert actions(kept)["dashboards/one"] == "create"
        predicted = run(double, archive, existing="overwrite", check=True, diff=True)
        assert double.faults.writes == []
        result = run(double, archive, existing="overwrite", diff=True)
        assert "msg" not in result, result["msg"]
        assert predicted["diff"] == result["diff"]
        updated = {key for key, action in actions(result).items() if action == "update"}
        assert updated == {"folders/ops-gpu", "dashboards/two", "datasources/loki", "contact-points/slack"}
        assert run(double, archive, existing="overwrite")["changed"] is False
        assert "dashboards/other" in held(double)
        assert stored(double, "datasources", "loki")["secureJsonData"] == {"basicAuthPassword": "kept"}
        assert stored(double, "contact-points", "slack")["settings"] == {"url": "kept", "recipient": "#ops"}


@pytest.mark.parametrize("version", [NEW, "9.5.21"])
def test_what_an_update_keeps(tmp_path: Path, version: str) -> None:
    """The password in a URL, and one default: taken back from the data source that has it now."""
    archive = make_archive(tmp_path, version)
    with running_double(version=version) as double:
        fill(double, nested=not version.startswith("9"))
        with double.client() as client:
            loki = {"uid": "loki", "name": "Loki", "type": "loki", "url": "http://user:other@loki:3100"}
            assert client.put("/api/datasources/uid/loki", json={**loki, "isDefault": True}).status_code == 200
        result = run(double, archive, existing="overwrite")
        assert "msg" not in result, result["msg"]
        assert actions(result)["datasources/loki"] == actions(result)["datasources/prometheus"] == "update"
        assert stored(double, "datasources", "loki")["url"] == "http://user:other@loki:3100"
        assert stored(double, "datasources", "prometheus")["isDefault"] is True
        assert run(double, archive)["changed"] is False


@pytest.mark.parametrize("version", [NEW, "11.6.0"])
def test_only_a_move(archive: Path, version: str) -> None:
    with running_double(version=version) as double:
        fill(double)
        with double.client() as client:
            post(client, "/api/folders", {"uid": "lab", "title": "Lab"})
            post(client, "/api/folders/ops-gpu/move", {"parentUid": "lab"})
        result = run(double, archive, existing="overwrite")
        assert [key for key, action in actions(result).items() if action == "update"] == ["folders/ops-gpu"]
        assert run(double, archive)["changed"] is False


def test_without_secrets_all_else_is_restored(archive: Path) -> None:
    with running_double(version=NEW) as double:
        result = run(double, archive)
        assert [one["id"] for one in result["findings"]] == ["restore/not-written", "restore/secrets-needed"]
        assert "token must be specified" in result["msg"]
        assert "basicAuthPassword" in result["msg"]
        assert [key for key, state in states(result).items() if state == "not written"] == ["contact-points/slack"]
        again = run(double, archive, secrets=SECRETS)
        assert [key for key, action in actions(again).items() if action == "create"] == ["contact-points/slack"]


@contextlib.contextmanager
def provisioned(tmp_path: Path) -> Iterator[Double]:
    """A Grafana with a data source from a file."""
    files = tmp_path / "provisioning"
    (files / "datasources").mkdir(parents=True)
    (files / "datasources" / "all.yaml").write_text(SOURCES)
    with running_double(replace(Config(), provisioning=files), version=NEW) as double:
        yield double


def test_what_comes_from_a_file_is_left_to_it(archive: Path, tmp_path: Path) -> None:
    with provisioned(tmp_path) as double:
        assert "comes from a file in Grafana's pod" in run(double, archive)["msg"]
        assert held(double) == {"datasources/loki"}
        result = run(double, archive, existing="overwrite", secrets=SECRETS)
        assert [(one["id"], one["severity"]) for one in result["findings"]] == [("restore/locked", "warning")]
        assert actions(result)["datasources/loki"] == "keep"
        assert "msg" not in result


def test_a_name_that_is_taken(archive: Path) -> None:
    with running_double(version=NEW) as double:
        with double.client() as client:
            post(client, "/api/datasources", {"uid": "other", "name": "Loki", "type": "loki", "url": "http://l:3100"})
        double.faults.requests.clear()
        result = run(double, archive, existing="overwrite")
        assert [one["id"] for one in result["findings"]] == ["restore/name-taken"]
        assert double.faults.writes == []


@pytest.mark.parametrize("version", [NEW, "11.6.0"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, retry_after=0, times=3),
        Fault(status=500, nth=2, times=2),
        Fault(status=500, applied=True, times=3),
        Fault(status=503, nth=5),
        Fault(status=409, nth=6, applied=True),
        Fault(status=412, nth=1, applied=True),
        Fault(Kind.CUT, nth=4, applied=True),
        Fault(Kind.CUT, nth=2),
        Fault(Kind.HANG, nth=3, applied=True),
        Fault(Kind.HANG, nth=9),
    ],
    ids=lambda fault: f"{fault.kind.name}-{fault.status}-{fault.nth}{'-applied' if fault.applied else ''}",
)
def test_passing_trouble_makes_no_difference(
    tmp_path: Path, version: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_archive(tmp_path, version)
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.4)
    with running_double(version=version, faults=Faults([fault])) as double:
        result = run(double, archive, secrets=SECRETS)
        assert "msg" not in result, result["msg"]
        assert run(double, archive, secrets=SECRETS)["changed"] is False
        assert len(held(double)) == 9


LASTING: list[dict[str, Any]] = [
    *({"status": status} for status in (403, 409, 412, 500)),
    {"status": 429, "retry_after": 0},
    {"kind": Kind.CUT},
    {"kind": Kind.HANG},
]


@pytest.mark.parametrize("kind", LASTING, ids=str)
@pytest.mark.parametrize("nth", [1, 4, 6, 8])
def test_lasting_trouble_is_told_exactly_and_a_rerun_converges(
    archive: Path, nth: int, kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.05 if kind == {"kind": Kind.HANG} else 5)
    with running_double(version=NEW, faults=Faults([Fault(nth=nth, times=10_000, **kind)])) as double:
        result = run(double, archive, secrets=SECRETS)
        assert result["failed"] is True
        written = {key for key, state in states(result).items() if state == "written"}
        assert written == held(double)
        assert "unknown" not in states(result).values()  # it still answers reads
        assert result["changed"] is bool(written)
        double.faults.script = ()
        again = run(double, archive, secrets=SECRETS)
        assert "msg" not in again, again["msg"]
        assert {key for key, action in actions(again).items() if action == "create"} == set(states(result)) - written


@pytest.mark.parametrize("version", [NEW, "11.6.0"])
@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (Fault(status=500, nth=3, times=10_000, applied=True), False),
        (Fault(Kind.CUT, nth=3, times=10_000, applied=True), False),
        (Fault(status=429, nth=3, retry_after=0), False),
        (Fault(status=409, nth=3), True),
        *((Fault(status=status, nth=3, times=10_000), True) for status in (403, 412, 500)),
        (Fault(Kind.HANG, nth=3, times=10_000), True),
    ],
    ids=lambda fault: f"{fault.kind.name}-{fault.status}-{fault.times}" if isinstance(fault, Fault) else "",
)
def test_trouble_with_what_is_there(
    archive: Path, version: str, fault: Fault, failed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that failed has left what was there; one whose answer failed is done."""
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.1 if fault.kind is Kind.HANG else 5)
    with running_double(version=version) as double:
        spoil(double)
        before = bodies(double)
        double.faults.script = [fault]
        result = run(double, archive, secrets=SECRETS, existing="overwrite")
        partly = ["folders/ops-gpu"] if failed else []  # renamed, and not moved
        changed = {key for key, body in bodies(double).items() if before.get(key) != body}
        assert {key for key, state in states(result).items() if state in {"written", "partly written"}} == changed
        assert [key for key, state in states(result).items() if state == "partly written"] == partly
        assert result.get("failed", False) is failed
        double.faults.script = ()
        assert "msg" not in run(double, archive, secrets=SECRETS, existing="overwrite")
        assert run(double, archive, secrets=SECRETS)["changed"] is False


@pytest.mark.parametrize("version", RELEASES[:3])
def test_somebody_writes_in_between(archive: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After our reading and before our writing: what they have written stays."""
    with running_double(version=version) as double:
        spoil(double)
        decided = Dashboards.write

        def they_write_first(resources: Dashboards, desired: Resource, observed: Resource | None) -> None:
            if desired.key == "two":
                with double.client() as client:
                    found = client.get("/api/dashboards/uid/two").json()["dashboard"]
                    theirs = {"dashboard": {**found, "description": "theirs"}, "folderUid": "ops-gpu"}
                    post(client, "/api/dashboards/db", theirs)
            decided(resources, desired, observed)

        monkeypatch.setattr(Dashboards, "write", they_write_first)
        result = run(double, archive, secrets=SECRETS, existing="overwrite")
        assert [key for key, state in states(result).items() if state == "not written"] == ["dashboards/two"]
        assert [one["id"] for one in result["findings"]] == ["restore/not-written"]
        assert stored(double, "dashboards", "two")["description"] == "theirs"
        monkeypatch.undo()
        assert actions(run(double, archive, existing="overwrite"))["dashboards/two"] == "update"


def test_grafana_dies_in_the_middle(archive: Path) -> None:
    lost = Fault(Kind.CUT, methods=("GET", "POST", "PUT"), nth=9, times=10_000)
    with running_double(version=NEW, faults=Faults([lost])) as double:
        result = run(double, archive, secrets=SECRETS)
        assert {"written", "unknown", "not written"} >= set(states(result).values()) - {"not needed"}
        assert "not tried, since Grafana had stopped answering" in result["msg"]
        assert {key for key, state in states(result).items() if state == "written"} <= held(double)
        assert not {key for key, state in states(result).items() if state == "not written"} & held(double)
        double.faults.script = ()
        assert "msg" not in run(double, archive, secrets=SECRETS)


def test_what_only_the_older_interface_takes(tmp_path: Path) -> None:
    """It was saved through /api, which checks no types."""
    with running_double(version=NEW) as double:
        with double.client() as client:
            save(client, "odd", "", editable="elephant")
        archive = take(double, tmp_path)
    with running_double(version=NEW) as double:
        assert "msg" not in run(double, archive)
        assert stored(double, "dashboards", "odd")["editable"] == "elephant"
        assert run(double, archive)["changed"] is False


def refused_here(folder: Path) -> Path:
    """An archive with a dashboard that no Grafana takes, and good ones in folders that are to be made."""
    backup = unpack(make_archive(folder, NEW))
    backup.objects["dashboards"]["two"]["spec"]["title"] = ""
    path = folder / "refused.tar.gz"
    path.write_bytes(pack(backup))
    return path


@pytest.mark.parametrize("existing", [False, True], ids=["empty", "dirty"])
@pytest.mark.parametrize("version", [NEW, REAL, "12.0.0"])
def test_check_mode_says_what_grafana_would_refuse(tmp_path: Path, version: str, existing: bool) -> None:
    archive = refused_here(tmp_path)
    with running_double(version=version) as double:
        if existing:
            spoil(double)
            double.faults.requests.clear()
        given = {"secrets": SECRETS, "existing": "overwrite"}
        predicted = run(double, archive, **given, check=True)
        assert double.faults.writes == []
        assert [key for key, state in states(predicted).items() if state == "not written"] == ["dashboards/two"]
        assert [(one["id"], one["object"]) for one in predicted["findings"]] == [
            ("restore/not-written", "dashboards/two (Title two)")
        ]
        assert "Nothing was written" in predicted["msg"]
        assert run(double, archive, **given)["objects"] == predicted["objects"]


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
@pytest.mark.parametrize("key", ["general", "sharedwithme", "x" * 41, "a b", "a/../../b", ".."])
def test_a_folder_that_no_grafana_takes(tmp_path: Path, key: str, check: bool) -> None:
    backup = unpack(make_archive(tmp_path, NEW))
    backup.objects["folders"][key] = {"key": key, "title": "General", "parent": ""}
    path = tmp_path / "odd.tar.gz"
    path.write_bytes(pack(backup))
    with running_double(version=NEW) as double:
        result = run(double, path, secrets=SECRETS, check=check)
        assert [(one["id"], one["object"]) for one in result["findings"]] == [
            ("restore/invalid-folder", f"folders/{key}")
        ]
        assert double.faults.writes == []


@pytest.mark.parametrize("deleted", [False, True], ids=["new", "deleted-before"])
@pytest.mark.parametrize("version", [NEW, REAL])
def test_check_mode_with_folders_that_are_missing(archive: Path, version: str, deleted: bool) -> None:
    with running_double(version=version) as double:
        with double.client() as client:
            if deleted:
                post(client, "/api/folders", {"uid": "ops", "title": "Ops"})
                assert client.delete("/api/folders/ops").status_code == 200
        result = run(double, archive, secrets=SECRETS, check=True)
        assert "msg" not in result, result["msg"]
        assert actions(result)["folders/ops"] == actions(result)["folders/ops-gpu"] == "create"


@pytest.mark.parametrize(("role", "refused"), [("Viewer", 9), ("Editor", 4), ("Admin", 0)])
def test_check_mode_says_what_the_account_may_not_write(archive: Path, role: str, refused: int) -> None:
    """An editor may make folders and dashboards."""
    with running_double(version=REAL) as double:
        token = double.token(role)["Authorization"].removeprefix("Bearer ")
        double.faults.requests.clear()
        given = {"grafana": {"url": double.url, "token": token}, "src": str(archive), "secrets": SECRETS}
        predicted = run_module(grafana_restore, check=True, **given)
        assert double.faults.writes == []
        assert len(predicted["findings"]) == refused
        if refused:
            assert "this account lacks the permission datasources:create" in predicted["msg"]
        done = run_module(grafana_restore, **given)
        assert states(done) == states(predicted)


def test_check_mode_on_a_grafana_that_cannot_tell(tmp_path: Path) -> None:
    with running_double(version="11.6.0") as double:
        predicted = run(double, refused_here(tmp_path), secrets=SECRETS, check=True)
        assert double.faults.writes == []
        assert (predicted["changed"], predicted["findings"]) == (True, [])


def test_check_mode_names_the_secrets_that_will_be_missing(archive: Path) -> None:
    with running_double(version=NEW) as double:
        result = run(double, archive, check=True)
    assert "msg" not in result
    assert [(one["id"], one["severity"]) for one in result["findings"]] == [("restore/secrets-needed", "warning")] * 2


@pytest.mark.parametrize(("fault", "tried"), [({"kind": Kind.CUT}, 12), ({"status": 500}, 12), ({"status": 403}, 3)])
def test_trouble_in_check_mode(archive: Path, fault: dict[str, Any], tried: int) -> None:
    lasting = Fault(methods=("POST",), path="^/apis", times=10_000, **fault)
    with running_double(version=NEW, faults=Faults([lasting])) as double:
        result = run(double, archive, secrets=SECRETS, check=True)
        assert {key for key, state in states(result).items() if state == "not written"} == {
            "dashboards/one",
            "dashboards/two",
            "dashboards/three",
        }
        assert result["failed"] is True
        assert [asked.method for asked in double.faults.requests].count("POST") == tried
        assert held(double) == set()


def test_what_was_accepted_and_not_kept_is_found(archive: Path) -> None:
    """Grafana says yes, and then it is not there: reading back tells."""
    lie = Fault(status=200, path="/api/datasources$", times=2)
    with running_double(version=NEW, faults=Faults([lie])) as double:
        result = run(double, archive, secrets=SECRETS)
    assert [one["id"] for one in result["findings"]] == ["restore/not-verified"] * 2
    assert "read back, it is not what the archive holds" in result["msg"]


def test_a_dashboard_stays_its_owners(tmp_path: Path) -> None:
    src = tmp_path / "src"
    src.mkdir()
    spec = {"uid": "ours", "title": "Ours", "schemaVersion": 27, "panels": [], "tags": []}
    sync = {"src": str(src), "folder": "Ops"}
    with running_double(version=NEW) as double:
        for number in range(3):
            (src / "ours.json").write_text(json.dumps({**spec, "description": f"version {number}"}))
            run_module(grafana_dashboards, grafana=access(double), **sync)
        archive = take(double, tmp_path)
    with running_double(version=NEW) as double:
        run(double, archive)
        assert run_module(grafana_dashboards, grafana=access(double), **sync)["changed"] is False
        (src / "ours.json").write_text(json.dumps({**spec, "description": "new"}))
        assert run_module(grafana_dashboards, grafana=access(double), **sync)["dashboards"][0]["action"] == "update"


@pytest.mark.parametrize("bad", [b"", b"text", b"\x1f\x8b\x08\x00"])
def test_a_bad_archive_is_refused_before_grafana_is_asked(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(bad)
    with running_double(version=NEW) as double:
        result = run(double, path)
        assert list(double.faults.requests) == []
    assert result["msg"].startswith(f"{path} is not restored: it ")
    assert "\n" not in result["msg"]
    assert result["objects"] == []


def test_a_changed_archive_is_refused(archive: Path) -> None:
    backup = unpack(archive)
    good = pack(backup)
    backup.objects["folders"]["ops"]["title"] = "Oops"
    archive.write_bytes(good[: len(good) // 2] + pack(backup)[len(good) // 2 :])
    with running_double(version=NEW) as double:
        assert "is not restored" in run(double, archive)["msg"]
        assert list(double.faults.requests) == []


def test_what_cannot_be(archive: Path) -> None:
    nowhere = run_module(grafana_restore, grafana={"url": "http://127.0.0.1:9"}, src=str(archive))
    assert "refused" in nowhere["msg"]
    missing = run_module(grafana_restore, grafana={"url": "http://x"}, src=f"{archive}.none")
    assert "it cannot be read: No such file" in missing["msg"]
    flat = {"datasources": {"loki": "pass"}}
    wrong = run_module(grafana_restore, grafana={"url": "http://x"}, src=str(archive), secrets=flat)
    assert "secrets.datasources must map each uid" in wrong["msg"]


KEY = "s3cret-of-a-test"
HOOK = {"uid": "hook", "name": "Hook", "type": "webhook", "settings": {"url": f"https://u:{KEY}@hook.example.org/x"}}
KEYED = {
    "uid": "keyed",
    "name": "Keyed",
    "type": "prometheus",
    "url": f"http://p:9/?api_key={KEY}",
    "jsonData": {"httpMethod": "POST", "exporter": {"apiKey": KEY}},
}


@pytest.mark.parametrize("version", [NEW, REAL, "9.5.21"])
def test_secrets_that_grafana_shows(tmp_path: Path, version: str) -> None:
    """They are in no archive and in no diff; an update keeps them, and what is created gets those that are given."""
    with running_double(version=version) as double:
        with double.client() as client:
            post(client, "/api/v1/provisioning/contact-points", HOOK)
            post(client, "/api/datasources", KEYED)
        result = run_module(grafana_backup, grafana=access(double), dest=str(tmp_path))
        assert result["secrets"] == {
            "datasources": {"keyed": ["jsonData.exporter.apiKey", "url"]},
            "contact_points": {"hook": ["url"]},
        }
        archive = Path(result["path"])
        assert KEY not in json.dumps([unpack(archive).objects, result])
        with double.client() as client:
            edited = {**HOOK, "disableResolveMessage": True}
            assert client.put("/api/v1/provisioning/contact-points/hook", json=edited).status_code == 202
            edited = {**KEYED, "basicAuthUser": "ops"}
            assert client.put("/api/datasources/uid/keyed", json=edited).status_code == 200
        updated = run(double, archive, existing="overwrite", diff=True)
        assert set(actions(updated).values()) == {"update"}
        assert KEY not in json.dumps(updated)
        assert stored(double, "contact-points", "hook")["settings"] == HOOK["settings"]
        assert stored(double, "datasources", "keyed")["url"] == KEYED["url"]
        assert stored(double, "datasources", "keyed")["jsonData"] == KEYED["jsonData"]
    given = {
        "datasources": {"keyed": {"url": KEYED["url"], "jsonData.exporter.apiKey": KEY}},
        "contact_points": {"hook": {"url": HOOK["settings"]["url"]}},
    }
    with running_double(version=version) as double:
        created = run(double, archive, secrets=given, diff=True)
        assert created["findings"] == []
        assert KEY not in json.dumps(created)
        assert stored(double, "contact-points", "hook")["settings"] == HOOK["settings"]
        assert stored(double, "datasources", "keyed")["jsonData"] == KEYED["jsonData"]
        assert run(double, archive)["changed"] is False


def test_the_diff_of_an_archive_that_holds_secrets(tmp_path: Path) -> None:
    """As older releases made them: they are restored, and not shown."""
    body = {**HOOK, "key": "hook"}
    objects: dict[str, Any] = {**{kind: {} for kind in KINDS}, "contact-points": {"hook": body}}
    path = tmp_path / "old.tar.gz"
    path.write_bytes(pack(Backup(objects, {"format": 1, "created": "2026-11-25T01:02:03+00:00"})))
    with running_double(version=NEW) as double:
        result = run(double, path, diff=True)
        assert result["findings"] == []
        assert KEY not in json.dumps(result)
        assert stored(double, "contact-points", "hook")["settings"] == HOOK["settings"]


def test_a_key_does_not_lead_to_another_path(tmp_path: Path) -> None:
    key = "../" * 9 + "api/admin/users/1"
    objects: dict[str, Any] = {kind: {} for kind in KINDS}
    objects["contact-points"] = {key: {"key": key, "uid": key, "name": "x", "type": "email", "settings": {"a": "b"}}}
    objects["datasources"] = {key: {"key": key, "uid": key, "name": "x", "type": "loki", "url": "", "secrets": []}}
    objects["dashboards"] = {
        key: {"key": key, "title": "x", "folder": "", "message": "", "schema": "", "spec": {"title": "x"}}
    }
    path = tmp_path / "odd.tar.gz"
    path.write_bytes(pack(Backup(objects, {"format": 1, "created": "2026-11-25T01:02:03+00:00"})))
    with running_double(version=NEW) as double:
        run(double, path, existing="overwrite")
        assert not [one.path for one in double.faults.requests if one.path.startswith("/api/admin")]
