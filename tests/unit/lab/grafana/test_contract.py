# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double keeps to Grafana's contract where the modules depend on it: the traps, release by release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.lab.grafana.config import Config
from tests.lab.grafana.faults import Faults
from tests.lab.grafana.testing import Double, running_double

NINE, ELEVEN, TWELVE, THIRTEEN, NEWEST = "9.5.21", "11.6.0", "12.0.0", "13.0.1+security-01", "13.2.0"
APIS = "/apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards"
FOLDERS = "/apis/folder.grafana.app/v1beta1/namespaces/default/folders"
SPEC: dict[str, Any] = {"uid": "a", "title": "A", "schemaVersion": 27, "panels": [{"type": "graph", "id": 1}]}


@pytest.fixture
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    with running_double(version=getattr(request, "param", NEWEST)) as running:
        yield running


@pytest.fixture
def client(double: Double) -> Iterator[httpx.Client]:
    with double.client() as opened:
        yield opened


def on(*versions: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("double", versions, indirect=True)


def save(client: httpx.Client, **changes: Any) -> httpx.Response:
    extra = {name: changes.pop(name) for name in ("folderUid", "overwrite", "message") if name in changes}
    return client.post("/api/dashboards/db", json={"dashboard": {**SPEC, **changes}, **extra})


def put(client: httpx.Client, query: str = "", *, rv: str = "", **changes: Any) -> httpx.Response:
    meta = {"name": "a", **({"resourceVersion": rv} if rv else {})}
    return client.put(f"{APIS}/a{query}", json={"metadata": meta, "spec": {**SPEC, **changes}})


@pytest.mark.parametrize(
    ("double", "status"),
    [(NINE, 412), (ELEVEN, 412), (TWELVE, 412), (THIRTEEN, 412), (NEWEST, 409)],
    indirect=["double"],
)
def test_a_save_over_another_version(client: httpx.Client, status: int) -> None:
    assert save(client).status_code == 200
    assert save(client).status_code == status
    assert save(client, version=1).status_code == 200
    assert save(client, overwrite=True).status_code == 200


@pytest.mark.parametrize(
    ("double", "served"),
    [(ELEVEN, None), (TWELVE, ["v1beta1", "v0alpha1"]), (NEWEST, ["v1", "v1beta1", "v0alpha1", "v2beta1", "v2alpha1"])],
    indirect=["double"],
)
def test_versions_of_the_new_interface(client: httpx.Client, served: list[str] | None) -> None:
    answer = client.get("/apis/dashboard.grafana.app")
    assert ([one["version"] for one in answer.json()["versions"]] if served else answer.status_code) == (served or 404)


@on(TWELVE, NEWEST)
def test_only_the_new_interface_migrates(client: httpx.Client) -> None:
    save(client)
    assert client.get("/api/dashboards/uid/a").json()["dashboard"]["schemaVersion"] == 27
    assert client.get(f"{APIS}/a").json()["spec"]["schemaVersion"] >= 41
    put(client)
    assert client.get("/api/dashboards/uid/a").json()["dashboard"]["schemaVersion"] >= 41


def test_a_wrong_type_is_refused_unless_validation_is_off(client: httpx.Client) -> None:
    refused = put(client, editable="elephant")
    assert (refused.status_code, refused.json()["reason"]) == (422, "Invalid")
    assert put(client, "?fieldValidation=Ignore", editable="elephant").status_code == 201


def test_the_new_interface_creates_updates_and_locks(client: httpx.Client) -> None:
    body = {"metadata": {"name": "a"}, "spec": SPEC}
    made = client.post(APIS, json=body)
    assert made.status_code == 201
    again = client.post(APIS, json=body)
    assert (again.status_code, again.json()["reason"]) == (409, "AlreadyExists")
    rv = made.json()["metadata"]["resourceVersion"]
    assert put(client, rv=rv, title="B").status_code == 200
    stale = put(client, rv=rv, title="C")
    assert (stale.status_code, stale.json()["reason"]) == (409, "Conflict")
    assert put(client, title="D").status_code == 200
    assert not {"id", "uid", "version"} & client.get(f"{APIS}/a").json()["spec"].keys()


def test_a_dry_run_stores_nothing_and_skips_the_folder(client: httpx.Client) -> None:
    body = {"metadata": {"name": "a", "annotations": {"grafana.app/folder": "none"}}, "spec": SPEC}
    assert client.post(f"{APIS}?dryRun=All", json=body).json()["spec"]["schemaVersion"] >= 41
    assert client.get(f"{APIS}/a").status_code == 404
    assert client.post(APIS, json=body).status_code == 404


@on(ELEVEN, NEWEST)
def test_a_save_without_a_folder_moves_to_the_root(client: httpx.Client) -> None:
    client.post("/api/folders", json={"uid": "f", "title": "F"})
    save(client, folderUid="f")
    save(client, overwrite=True)
    assert client.get("/api/dashboards/uid/a").json()["meta"]["folderUid"] == ""


@on(TWELVE, NEWEST)
def test_a_generation_counts_changes(client: httpx.Client) -> None:
    save(client)
    same = save(client, version=1).json()["version"]
    assert same == (2 if client.get("/api/health").json()["version"] == TWELVE else 1)


def test_who_wrote_is_a_number_here_and_a_name_there(client: httpx.Client) -> None:
    save(client)
    author = client.get(f"{APIS}/a").json()["metadata"]["annotations"]["grafana.app/createdBy"]
    assert author.startswith("user:u")
    assert client.get("/api/dashboards/uid/a").json()["meta"]["createdBy"] == "admin"


@pytest.mark.parametrize(
    ("double", "status"), [(NINE, 409), (TWELVE, 412), (THIRTEEN, 412), (NEWEST, 409)], indirect=["double"]
)
def test_an_existing_folder(client: httpx.Client, status: int) -> None:
    for expected in (200, status):
        assert client.post("/api/folders", json={"uid": "f", "title": "F"}).status_code == expected


def test_deleting_a_folder_that_is_not_empty(client: httpx.Client) -> None:
    client.post("/api/folders", json={"uid": "f", "title": "F"})
    save(client, folderUid="f")
    assert client.delete(f"{FOLDERS}/f").status_code == 400
    assert client.delete("/api/folders/f").status_code == 200
    assert client.get("/api/dashboards/uid/a").status_code == 404


@on(NINE)
def test_before_folders_in_folders(client: httpx.Client) -> None:
    for uid in ("a", "b"):
        client.post("/api/folders", json={"uid": uid, "title": uid, "parentUid": "a" if uid == "b" else ""})
    assert [one["uid"] for one in client.get("/api/folders?parentUid=a").json()] == ["a", "b"]
    assert client.post("/api/folders", json={"uid": "c", "title": "a"}).status_code == 409
    save(client)
    assert save(client, uid="twin").json()["status"] == "name-exists"


def test_health_of_a_data_source(client: httpx.Client) -> None:
    missing = client.get("/api/datasources/uid/none/health")
    assert (missing.status_code, missing.json()["message"]) == (500, "Unable to load datasource metadata")
    source = {"uid": "p", "name": "P", "type": "prometheus", "url": "http://127.0.0.1:9"}
    client.post("/api/datasources", json=source)
    failing = client.get("/api/datasources/uid/p/health")
    assert (failing.status_code, failing.json()["status"]) == (400, "ERROR")


def test_one_failed_query_makes_the_answer_a_400_with_results(client: httpx.Client) -> None:
    source = {"uid": "p", "name": "P", "type": "prometheus", "url": "http://127.0.0.1:9"}
    client.post("/api/datasources", json=source)
    query = {"refId": "A", "datasource": {"uid": "p"}, "expr": "up", "instant": True}
    answer = client.post("/api/ds/query", json={"from": "now-1h", "to": "now", "queries": [query]})
    assert answer.status_code == 400
    assert "error" in answer.json()["results"]["A"]


def test_secrets_are_not_shown_and_stay_when_not_sent(double: Double, client: httpx.Client) -> None:
    source = {"uid": "p", "name": "P", "type": "prometheus", "url": "http://p:9", "secureJsonData": {"password": "s"}}
    client.post("/api/datasources", json=source)
    source = {**source, "url": "http://q:9"}
    del source["secureJsonData"]
    client.put("/api/datasources/uid/p", json=source)
    shown = client.get("/api/datasources/uid/p").json()
    assert shown["secureJsonFields"] == {"password": True}
    assert "secureJsonData" not in shown
    stored = double.store.get("datasources", "p")
    assert stored is not None
    assert stored.spec["secureJsonData"] == {"password": "s"}
    assert client.put("/api/datasources/uid/p", json={**source, "version": 1}).status_code == 409


def test_a_contact_point_keeps_what_was_hidden(double: Double, client: httpx.Client) -> None:
    path = "/api/v1/provisioning/contact-points"
    point = {"uid": "s", "name": "S", "type": "slack", "settings": {"url": "secret", "recipient": "#a"}}
    client.post(path, json=point)
    (shown,) = client.get(path).json()
    assert shown["settings"]["url"] == "[REDACTED]"
    assert (
        client.put(f"{path}/s", json={**shown, "settings": {**shown["settings"], "recipient": "#b"}}).status_code == 202
    )
    stored = double.store.get("contact-points", "s")
    assert stored is not None
    assert stored.spec["settings"] == {"url": "secret", "recipient": "#b"}
    taken_back = client.put(f"{path}/s", json=shown, headers={"X-Disable-Provenance": "true"})
    assert taken_back.status_code == 500


def test_five_wrong_passwords_lock_the_login(double: Double) -> None:
    wrong, right = ("admin", "no"), (double.user, double.password)
    for _ in range(5):
        assert httpx.get(f"{double.url}/api/org", auth=wrong).status_code == 401
    assert httpx.get(f"{double.url}/api/org", auth=right).status_code == 401


def test_a_viewer_may_not_write() -> None:
    with running_double() as double:
        with double.client() as admin:
            account = admin.post("/api/serviceaccounts", json={"name": "v", "role": "Viewer"})
            assert account.status_code == 201
            made = admin.post(f"/api/serviceaccounts/{account.json()['id']}/tokens", json={"name": "t"})
        headers = {"Authorization": f"Bearer {made.json()['key']}"}
        with httpx.Client(base_url=double.url, headers=headers) as viewer:
            assert save(viewer).status_code == 403
            assert viewer.get("/api/search").status_code == 200


def test_a_search_lags() -> None:
    with running_double(faults=Faults(search_delay=3600)) as double, double.client() as client:
        save(client)
        assert client.get("/api/dashboards/uid/a").status_code == 200
        assert client.get("/api/search").json() == []


def test_the_version_can_be_hidden() -> None:
    with running_double(Config(hide_version=True)) as double:
        assert "version" not in httpx.get(f"{double.url}/api/health").json()
