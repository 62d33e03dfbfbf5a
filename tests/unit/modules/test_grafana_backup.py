# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._grafana import archive
from ansible_collections.ias.observability.plugins.module_utils._grafana.archive import unpack
from ansible_collections.ias.observability.plugins.modules import grafana_backup, grafana_restore
from tests.fakes.grafana import LOKI_PASSWORD, SLACK_URL, fill, save
from tests.fakes.http import Reply, running_server
from tests.fakes.module import run_module
from tests.lab.grafana.faults import Fault, Kind
from tests.lab.grafana.testing import Double, running_double

RELEASES = ["13.2.0", "12.4.0", "12.0.0", "11.6.0", "9.5.21"]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture(autouse=True)
def _each_second_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two archives of one test get two names."""
    names = iter(range(100))
    monkeypatch.setattr(grafana_backup, "name_of", lambda _: f"grafana-backup-2026-{next(names):03}.tar.gz")


def run(double: Double, dest: Path, **args: Any) -> dict[str, Any]:
    grafana = {"url": double.url, "username": double.user, "password": double.password}
    return run_module(grafana_backup, grafana=grafana, dest=str(dest), **args)


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


@pytest.mark.parametrize("version", RELEASES)
def test_everything_is_in_it_but_the_secrets(tmp_path: Path, version: str) -> None:
    nested = not version.startswith("9")
    with running_double(version=version) as double:
        fill(double, nested=nested)
        double.faults.requests.clear()
        result = run(double, tmp_path)
        assert double.faults.writes == []
    assert result["changed"] is True
    assert result["counts"] == {"folders": 1 + nested, "datasources": 2, "contact_points": 2, "dashboards": 3}
    assert result["secrets"]["datasources"] == {"loki": ["basicAuthPassword", "url"]}
    assert result["secrets"]["contact_points"] == {"slack": ["url"]}
    path = Path(result["path"])
    backup = unpack(path)
    assert backup.manifest["grafana"] == version
    assert backup.objects["dashboards"]["two"]["folder"] == "ops"
    assert backup.objects["dashboards"]["two"]["message"] == "made two"
    assert backup.objects["datasources"]["loki"]["url"] == "http://user@loki:3100"
    content = gzip.decompress(path.read_bytes()).decode()
    for secret in (LOKI_PASSWORD, SLACK_URL, "user:pass"):
        assert secret not in content
        assert secret not in json.dumps(result)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_is_not_written_again(tmp_path: Path) -> None:
    with running_double(version="13.2.0") as double:
        fill(double)
        first = run(double, tmp_path)
        again = run(double, tmp_path, diff=True)
        assert (again["changed"], again["path"], again["sha256"]) == (False, first["path"], first["sha256"])
        assert again["diff"]["before"] == again["diff"]["after"]
        with double.client() as client:
            save(client, "four", "ops")
        predicted = run(double, tmp_path, check=True, diff=True)
        assert predicted["changed"] is True
        assert len(names(tmp_path)) == 1
        assert "dashboards/four.json" in predicted["diff"]["after"]
        assert "dashboards/four.json" not in predicted["diff"]["before"]
        second = run(double, tmp_path, diff=True)
        assert second["diff"] == predicted["diff"]
        assert len(names(tmp_path)) == 2


def test_a_bad_archive_in_the_way_is_told_and_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "grafana-backup-1999.tar.gz").write_bytes(b"cut off")
    with running_double(version="13.2.0") as double:
        result = run(double, tmp_path)
        assert result["changed"] is True
        assert [finding["id"] for finding in result["findings"]] == ["backup/unreadable"]
        assert run(double, tmp_path)["findings"] == []


@pytest.mark.parametrize(
    "path", ["^/apis", "/api/folders|/folders$", "/api/datasources$", "/api/datasources/uid", "contact-points", "dashb"]
)
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 403}, {"status": 429, "retry_after": 0}, {"kind": Kind.CUT}, {"kind": Kind.HANG}],
    ids=str,
)
def test_a_part_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, fault: dict[str, Any]) -> None:
    monkeypatch.setattr(_http.api, "READ_SECONDS", 0.1)
    if (path, fault) == ("^/apis", {"status": 403}):  # then the other interface is used
        path = "/api/search"
    version = "11.6.0" if path == "/api/search" else "13.2.0"
    with running_double(version=version) as double:
        fill(double)
        double.faults.script = [Fault(path=path, methods=("GET",), times=10_000, **fault)]
        result = run(double, tmp_path)
    assert result["failed"] is True
    assert result["changed"] is False
    assert "Traceback" not in json.dumps(result)
    assert names(tmp_path) == []


def test_passing_trouble_makes_no_difference(tmp_path: Path) -> None:
    with running_double(version="13.2.0") as double:
        fill(double)
        double.faults.script = [Fault(status=429, methods=("GET",), retry_after=0), Fault(Kind.CUT, methods=("GET",))]
        assert run(double, tmp_path)["counts"]["dashboards"] == 3


@pytest.mark.parametrize("moment", ["fsync", "link"])
def test_killed_in_the_middle_of_writing(tmp_path: Path, moment: str) -> None:
    """The kernel itself cleans up."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        f"from {archive.__name__} import write_new\n"
        f"os.{moment} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_new(Path(sys.argv[1]), bytes(5_000_000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "grafana-backup-x.tar.gz")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path) == []


def test_a_dashboard_in_schema_v2_is_kept_as_it_is(tmp_path: Path) -> None:
    """Shown to us in the classic schema, it has lost something."""
    group = "/apis/dashboard.grafana.app"
    with running_server() as server:
        item = {"metadata": {"name": "new", "resourceVersion": "1", "generation": 1}, "spec": {"title": "New"}}
        shown = {**item, "status": {"conversion": {"failed": False, "storedVersion": "v2beta1"}}}
        stored = {**item, "spec": {"title": "New", "elements": {"panel-1": {}}, "layout": {}}}
        server.ok("GET", "/apis", {"groups": [{"name": group[6:], "versions": [{"version": "v1"}]}]})
        server.ok("GET", "/api/org", {"id": 1})
        server.ok("GET", "/api/health", {"version": "13.2.0"})
        for path in ("/api/folders", "/api/datasources", "/api/v1/provisioning/contact-points"):
            server.ok("GET", path, [])
        server.ok("GET", f"{group}/v1/namespaces/default/dashboards", {"items": [shown], "metadata": {}})
        server.ok("GET", f"{group}/v2beta1/namespaces/default/dashboards/new", stored)
        result = run_module(grafana_backup, grafana={"url": server.url}, dest=str(tmp_path))
    body = unpack(Path(result["path"])).objects["dashboards"]["new"]
    assert body["schema"] == "v2beta1"
    assert body["spec"] == stored["spec"]


def test_what_cannot_be(tmp_path: Path) -> None:
    result = run_module(grafana_backup, grafana={"url": "http://x"}, dest=str(tmp_path / "none"))
    assert "is not a directory" in result["msg"]
    refused = run_module(grafana_backup, grafana={"url": "http://127.0.0.1:9"}, dest=str(tmp_path))
    assert "refused" in refused["msg"]
    with running_server() as server:
        server.on("GET", "/api/health", Reply(200, b"<html>a login page</html>"))
        page = run_module(grafana_backup, grafana={"url": server.url}, dest=str(tmp_path))
    assert "the answer is not JSON" in page["msg"]
    assert names(tmp_path) == []


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(grafana_backup, "write_new", full)
    with running_double(version="13.2.0") as double:
        result = run(double, tmp_path)
    assert "No space left on device" in result["msg"]
    assert result["changed"] is False


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_an_account_that_does_not_see_everything(tmp_path: Path, version: str, role: str) -> None:
    with running_double(version=version) as double:
        fill(double, nested=not version.startswith("9"))
        token = double.token(role)["Authorization"].removeprefix("Bearer ")
        result = run_module(grafana_backup, grafana={"url": double.url, "token": token}, dest=str(tmp_path))
        objects = {finding["object"] for finding in result["findings"]}
        assert objects == {"folders", "dashboards"}
        assert {finding["id"] for finding in result["findings"]} == {"backup/partial"}
        assert "it has dashboards:read on dashboards:uid:one, folders:uid:ops" in result["msg"]
        assert names(tmp_path) == []
        token = double.token("Admin")["Authorization"].removeprefix("Bearer ")
        whole = run_module(grafana_backup, grafana={"url": double.url, "token": token}, dest=str(tmp_path))
        assert whole["findings"] == []


def test_grafana_does_not_say_what_an_account_may_see(tmp_path: Path) -> None:
    with running_double(version="12.4.0") as double:
        double.faults.script = [Fault(status=404, methods=("GET",), path="^/api/access-control", times=100)]
        result = run(double, tmp_path)
        assert [(one["id"], one["severity"]) for one in result["findings"]] == [("backup/not-checked", "warning")]
        assert result["changed"] is True


@pytest.mark.parametrize("version", RELEASES)
def test_restored_it_is_the_same(tmp_path: Path, version: str) -> None:
    """With dashboards that have a message of their own, were written often, or are somebody's with a stamp."""
    stamp = "Synced [ias.observability 0123456789abcdef v3]"
    secrets = {
        "datasources": {"loki": {"basicAuthPassword": LOKI_PASSWORD, "url": "http://user:pass@loki:3100"}},
        "contact_points": {"slack": {"url": SLACK_URL}},
    }
    with running_double(version=version) as double:
        fill(double, nested=not version.startswith("9"))
        with double.client() as client:
            for number in range(3):
                found = client.get("/api/dashboards/uid/two").json()["dashboard"]
                body = {"dashboard": {**found, "description": f"{number}"}, "folderUid": "ops", "message": stamp}
                assert client.post("/api/dashboards/db", json=body).status_code == 200
        archive = run(double, tmp_path)["path"]
    with running_double(version=version) as double:
        grafana = {"url": double.url, "username": double.user, "password": double.password}
        restored = run_module(grafana_restore, grafana=grafana, src=archive, secrets=secrets)
        assert "msg" not in restored, restored["msg"]
        again = run(double, tmp_path, check=True, diff=True)
        assert again["diff"]["before"] == again["diff"]["after"]
        assert again["changed"] is False
        with double.client() as client:
            found = client.get("/api/dashboards/uid/two").json()["dashboard"]
            body = {"dashboard": {**found, "description": "other"}, "folderUid": "ops"}
            assert client.post("/api/dashboards/db", json=body).status_code == 200
        assert run(double, tmp_path, check=True)["changed"] is True
