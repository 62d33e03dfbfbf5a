# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double answers as a real Grafana 12.4.0 was seen to answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.lab.grafana.testing import PLAIN, Double, running_double

REAL = "12.4.0"
APIS = "/apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards"
FOLDERS = "/apis/folder.grafana.app/v1beta1/namespaces/default/folders"
POINTS = "/api/v1/provisioning/contact-points"
GRANT = {"grafana.app/grant-permissions": "default"}
SPEC: dict[str, Any] = {"uid": "a", "title": "A", "schemaVersion": 27, "panels": []}


@pytest.fixture
def double() -> Iterator[Double]:
    with running_double(version=REAL) as running:
        yield running


@pytest.fixture
def client(double: Double) -> Iterator[httpx.Client]:
    with double.client() as opened:
        yield opened


@contextmanager
def as_role(double: Double, role: str) -> Iterator[httpx.Client]:
    """A service account of this role."""
    with httpx.Client(base_url=double.url, headers=double.token(role), verify=PLAIN, trust_env=False) as opened:
        yield opened


def save(client: httpx.Client, uid: str = "a", **changes: Any) -> httpx.Response:
    extra = {name: changes.pop(name) for name in ("folderUid", "overwrite", "message") if name in changes}
    return client.post("/api/dashboards/db", json={"dashboard": {**SPEC, "uid": uid, **changes}, **extra})


def create(client: httpx.Client, uid: str = "a", annotations: dict[str, str] | None = None) -> httpx.Response:
    meta = {"name": uid, "annotations": {"grafana.app/message": f"made {uid}", **(annotations or {})}}
    return client.post(APIS, json={"metadata": meta, "spec": {"title": uid, "schemaVersion": 41}})


def folder(client: httpx.Client, uid: str, parent: str = "") -> httpx.Response:
    return client.post("/api/folders", json={"uid": uid, "title": uid, **({"parentUid": parent} if parent else {})})


def test_the_list_of_versions_has_another_message_for_the_first(client: httpx.Client) -> None:
    save(client, message="made a")
    save(client, message="changed a", overwrite=True, title="B")
    versions = client.get("/api/dashboards/uid/a/versions").json()["versions"]
    assert [entry["message"] for entry in versions] == ["changed a", "Initial save"]
    assert client.get("/api/dashboards/uid/a/versions/1").json()["message"] == "made a"
    history = client.get(f"{APIS}?labelSelector=grafana.app/get-history=true&fieldSelector=metadata.name=a").json()
    messages = [item["metadata"]["annotations"]["grafana.app/message"] for item in history["items"]]
    assert messages == ["changed a", "made a"]


def test_a_dry_run_of_a_folder_at_the_root_proves_nothing(client: httpx.Client) -> None:
    body = {"metadata": {"name": "f"}, "spec": {"title": "F"}}
    assert client.post(f"{FOLDERS}?dryRun=All", json=body).status_code == 404
    assert client.post(FOLDERS, json=body).status_code == 201
    client.delete("/api/folders/f")
    assert client.post(f"{FOLDERS}?dryRun=All", json=body).status_code == 412
    assert client.post(FOLDERS, json=body).status_code == 201


def test_a_dry_run_checks_no_permission(double: Double, client: httpx.Client) -> None:
    create(client, annotations=GRANT)
    body = {"metadata": {"name": "a"}, "spec": {**SPEC, "title": "B"}}
    with as_role(double, "Viewer") as viewer:
        assert viewer.put(f"{APIS}/a?dryRun=All", json=body).status_code == 200
        refused = viewer.put(f"{APIS}/a", json=body)
    assert refused.status_code == 403
    assert refused.json()["reason"] == "Forbidden"
    assert not refused.json().get("message")


def own_entries(client: httpx.Client, uid: str) -> list[str]:
    entries = client.get(f"/api/dashboards/uid/{uid}/permissions").json()
    assert not any(entry["inherited"] for entry in entries)
    return [entry.get("role") or entry["userLogin"] for entry in entries]


def test_permissions_of_a_new_dashboard(client: httpx.Client) -> None:
    folder(client, "f")
    create(client, "bare")
    create(client, "granted", GRANT)
    create(client, "inside", {"grafana.app/folder": "f"})
    save(client, "old")
    save(client, "old-inside", folderUid="f")
    assert own_entries(client, "bare") == own_entries(client, "inside") == []
    assert own_entries(client, "granted") == own_entries(client, "old") == ["Viewer", "Editor", "admin"]
    assert own_entries(client, "old-inside") == ["admin"]
    assert GRANT.items().isdisjoint(client.get(f"{APIS}/granted").json()["metadata"]["annotations"].items())
    client.delete("/api/dashboards/uid/granted")
    create(client, "granted")
    assert own_entries(client, "granted") == []


@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_a_dashboard_at_the_root_without_permissions_is_for_admins(
    double: Double, client: httpx.Client, role: str
) -> None:
    folder(client, "f")
    create(client, "bare")
    create(client, "granted", GRANT)
    create(client, "inside", {"grafana.app/folder": "f"})
    save(client, "old")
    with as_role(double, role) as reader:
        for path in (APIS, "/api/dashboards/uid"):
            assert reader.get(f"{path}/bare").status_code == 403
            for uid in ("granted", "inside", "old"):
                assert reader.get(f"{path}/{uid}").status_code == 200
        listed = [item["metadata"]["name"] for item in reader.get(APIS).json()["items"]]
        assert listed == ["granted", "inside", "old"]
        assert {hit["uid"] for hit in reader.get("/api/search?type=dash-db").json()} == set(listed)
    assert len(client.get(APIS).json()["items"]) == 4


def test_what_an_account_may_is_told(double: Double, client: httpx.Client) -> None:
    folder(client, "f")
    create(client, "granted", GRANT)
    path = "/api/access-control/user/permissions"
    assert "dashboards:*" in client.get(path).json()["dashboards:read"]
    with as_role(double, "Editor") as editor:
        actions = editor.get(path).json()
    assert set(actions["dashboards:write"]) == {"folders:uid:f", "dashboards:uid:granted"}
    assert set(actions["dashboards:create"]) == {"folders:uid:general", "folders:uid:f"}
    assert "folders:uid:general" in actions["folders:create"]
    with as_role(double, "Viewer") as viewer:
        actions = viewer.get(path).json()
    assert set(actions["dashboards:read"]) == {"folders:uid:f", "dashboards:uid:granted"}
    assert actions["datasources:read"] == ["datasources:*"]
    assert not {"dashboards:write", "dashboards:create", "folders:create"} & actions.keys()


def test_entries_that_are_not_checked(client: httpx.Client) -> None:
    save(client)
    path = "/api/dashboards/uid/a/permissions"
    assert client.post(path, json={"items": [{"teamId": 99, "permission": 1}]}).status_code == 500
    assert client.post(path, json={"items": [{"role": "Viewer", "permission": 3}]}).status_code == 200


def test_a_save_without_a_change_is_no_version(client: httpx.Client) -> None:
    first = save(client).json()
    assert first["id"] > 1_000
    assert save(client, version=1).json()["version"] == 1


def test_a_save_takes_wrapped_resources(client: httpx.Client) -> None:
    wrapped = {"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "metadata": {"name": "w"}}
    body = {"dashboard": {**wrapped, "spec": {"title": "W", "schemaVersion": 41}}}
    assert client.post("/api/dashboards/db", json=body).status_code == 200
    assert client.get("/api/dashboards/uid/w").json()["meta"]["apiVersion"] == "v1beta1"


def test_a_short_refresh(client: httpx.Client) -> None:
    assert save(client, refresh="1s").status_code == 200
    assert client.get("/api/dashboards/uid/a").json()["dashboard"]["refresh"] == "5s"
    refused = client.put(f"{APIS}/a", json={"metadata": {"name": "a"}, "spec": {**SPEC, "refresh": "1s"}})
    assert (refused.status_code, refused.json()["message"]) == (400, "Dashboard refresh interval is too low")


def test_versions_of_the_interface(client: httpx.Client) -> None:
    groups = client.get("/apis").json()["groups"]
    versions = {group["name"]: [entry["version"] for entry in group["versions"]] for group in groups}
    assert set(versions["dashboard.grafana.app"]) == {"v1beta1", "v0alpha1", "v2alpha1", "v2beta1"}
    assert versions["folder.grafana.app"] == ["v1beta1"]


def test_folders_in_trouble(client: httpx.Client) -> None:
    chain = ["one", "two", "three", "four", "five", "six"]
    codes = [folder(client, uid, parent).status_code for parent, uid in zip(["", *chain], chain, strict=False)]
    assert codes == [200, 200, 200, 200, 200, 500]
    assert folder(client, "orphan", "nowhere").status_code == 200
    assert folder(client, "general").status_code == 500
    assert client.post("/api/folders/one/move", json={"parentUid": "two"}).status_code == 500
    save(client, folderUid="five")
    assert client.get("/api/folders/one/counts").json() == {"alertrule": 0, "dashboard": 1, "folder": 4}


def test_a_folder_that_is_there_or_not_empty(client: httpx.Client) -> None:
    folder(client, "f")
    save(client, folderUid="f")
    refused = client.delete(f"{FOLDERS}/f")
    assert refused.status_code == 400
    assert refused.json()["message"] == "Folder cannot be deleted: folder is not empty"
    again = folder(client, "f")
    assert (again.status_code, "status" in again.json()) == (412, False)
    stale = client.put("/api/folders/f", json={"title": "G", "version": 9})
    assert (stale.status_code, "status" in stale.json()) == (412, False)
    assert stale.json()["message"] == "The dashboard has been changed by someone else"
    assert client.delete("/api/dashboards/uid/f").status_code == 404


def test_what_a_viewer_may_list(double: Double, client: httpx.Client) -> None:
    client.post("/api/datasources", json={"uid": "p", "name": "P", "type": "prometheus", "url": "http://p:9"})
    with as_role(double, "Viewer") as viewer:
        for path in ("/api/datasources", "/api/datasources/uid/p", POINTS, "/api/user"):
            assert viewer.get(path).status_code == 200, path


def test_only_an_older_version_of_a_data_source_is_stale(client: httpx.Client) -> None:
    source = {"uid": "p", "name": "P", "type": "prometheus", "url": "http://p:9"}
    client.post("/api/datasources", json=source)
    assert client.put("/api/datasources/uid/p", json={**source, "url": "http://q:9", "version": 55}).status_code == 200
    assert client.put("/api/datasources/uid/p", json={**source, "version": 1}).status_code == 409


def test_a_resource_version_on_what_is_not_there(client: httpx.Client) -> None:
    body = {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": SPEC}
    assert client.post(APIS, json=body).status_code == 500
    assert client.put(f"{APIS}/a", json=body).status_code == 500


def test_contact_points(client: httpx.Client) -> None:
    assert client.get(POINTS).json() == []
    point: dict[str, Any] = {"uid": "s", "name": "S", "type": "slack", "settings": {"url": "http://s"}}
    assert client.post(POINTS, json=point).status_code == 400
    point["settings"]["recipient"] = "#a"
    assert client.post(POINTS, json=point).status_code == 202
    assert client.post(POINTS, json=point).status_code == 409
    assert client.put(f"{POINTS}/s", json=point, headers={"X-Disable-Provenance": "true"}).status_code == 500
    assert client.delete(f"{POINTS}/s").status_code == 202
    assert client.get(POINTS).json() == []


def test_an_empty_result_is_one_frame_without_fields() -> None:
    empty = {"status": "success", "data": {"resultType": "vector", "result": []}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=empty))
    with running_double(version=REAL, transport=transport) as double, double.client() as client:
        client.post("/api/datasources", json={"uid": "p", "name": "P", "type": "prometheus", "url": "http://p:9"})
        query = {"refId": "A", "datasource": {"uid": "p"}, "expr": "up", "instant": True}
        answer = client.post("/api/ds/query", json={"from": "now-1h", "to": "now", "queries": [query]}).json()
    (frame,) = answer["results"]["A"]["frames"]
    assert (frame["schema"]["fields"], frame["data"]["values"]) == ([], [])
