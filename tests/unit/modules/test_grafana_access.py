# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to a Grafana, for each module that goes there, and no secret of it in what they say."""

from __future__ import annotations

import base64
import importlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._grafana.archive import KINDS, Backup, pack
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.fakes.tls import certificate

PACKAGE = "ansible_collections.ias.observability.plugins.modules"
MODULES = ["grafana_backup", "grafana_dashboards", "grafana_datasources_verify", "grafana_restore"]
LISTS = ("folders", "search", "datasources", "v1/provisioning/contact-points")
SECRET = "s3cret-of-a-test"
NAMESPACE, RELEASE = "ias-system", "prometheus-grafana"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"

pytestmark = pytest.mark.parametrize("name", MODULES)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def server() -> Iterator[Server]:
    """An empty Grafana of old, without /apis."""
    with running_server() as running:
        running.ok("GET", "/api/health", {"version": "9.5.21"})
        for path in LISTS:
            running.ok("GET", f"/api/{path}", [])
        yield running


@pytest.fixture
def secure(server: Server, tmp_path: Path) -> tuple[str, str]:
    """The server behind TLS, which asks for the client's certificate; and the file of both certificates."""
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    server.secure(context)
    return server.url.replace("http:", "https:"), str(pem)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def run(name: str, folder: Path, **args: Any) -> dict[str, Any]:
    """With nothing to do."""
    src, archive = folder / "src", folder / "empty.tar.gz"
    src.mkdir(exist_ok=True)
    archive.write_bytes(
        pack(Backup({kind: {} for kind in KINDS}, {"format": 1, "created": "2026-11-25T01:02:03+00:00"}))
    )
    own = {
        "grafana_backup": {"dest": str(folder)},
        "grafana_dashboards": {"src": str(src), "folder": ""},
        "grafana_datasources_verify": {"timeout": 0},
        "grafana_restore": {"src": str(archive)},
    }
    result = run_module(importlib.import_module(f"{PACKAGE}.{name}"), diff=True, **{**own[name], **args})
    assert SECRET not in json.dumps(result)
    return result


def test_a_token(name: str, server: Server, tmp_path: Path) -> None:
    assert "msg" not in run(name, tmp_path, grafana={"url": server.url, "token": SECRET})
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {SECRET}"}


def test_a_password(name: str, server: Server, tmp_path: Path) -> None:
    assert "msg" not in run(name, tmp_path, grafana={"url": server.url, "username": "ada", "password": SECRET})
    assert {request.headers["Authorization"].partition(" ")[0] for request in server.requests} == {"Basic"}


@pytest.mark.parametrize("secret", [{"token": SECRET}, {"username": "ada", "password": SECRET}], ids=["token", "basic"])
@pytest.mark.parametrize("status", [401, 403, 500])
def test_refused(name: str, status: int, secret: dict[str, str], server: Server, tmp_path: Path) -> None:
    """Even if the server says again what it was told."""
    for path in ("/apis", *(f"/api/{path}" for path in ("health", *LISTS))):
        server.on("GET", path, lambda request: Reply(status, {"message": f"bad: {request.headers['Authorization']}"}))
    result = run(name, tmp_path, grafana={"url": server.url, **secret})
    assert [finding["id"] for finding in result["findings"]] == ["verify/unreachable"]
    assert ("Check the credentials" if status < 500 else "Check that the service runs") in result["msg"]
    assert "Basic YWRh" not in result["msg"]  # ada:, in Base64


def test_the_environments_proxy(name: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    assert "msg" not in run(name, tmp_path, grafana={"url": "http://grafana.example.org"})
    assert server.requests


def test_a_host_that_needs_no_proxy(name: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "msg" not in run(name, tmp_path, grafana={"url": server.url})


def test_tls_is_verified_unless_told_otherwise(
    name: str, secure: tuple[str, str], server: Server, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    url, pem = secure
    assert "CERTIFICATE_VERIFY_FAILED" in run(name, tmp_path, grafana={"url": url, "token": SECRET})["msg"]
    assert server.requests == []
    assert "msg" not in run(name, tmp_path, grafana={"url": url, "ca_file": pem})
    assert "msg" not in run(name, tmp_path, grafana={"url": url, "validate_certs": False})
    assert not [one for one in recwarn if "Unverified" in str(one.message)], "the user has said so"


def test_a_client_certificate(name: str, secure: tuple[str, str], server: Server, tmp_path: Path) -> None:
    url, pem = secure
    given = {"url": url, "ca_file": pem, "client_cert": pem, "client_key": pem}
    assert "msg" not in run(name, tmp_path, grafana=given)
    assert server.client_certificates
    assert None not in server.client_certificates


@pytest.fixture
def kube(server: Server) -> Iterator[FakeKube]:
    """A cluster with the server as its Grafana."""
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
    with FakeKube(token=SECRET) as kube:
        kube.serves.add(slices)
        kube.add(f"/api/v1/namespaces/{NAMESPACE}/services/{RELEASE}", spec={"ports": [{"name": "http", "port": 80}]})
        kube.add(
            f"{slices}/grafana-1",
            metadata={"labels": {"kubernetes.io/service-name": RELEASE}},
            ports=[{"name": "http", "port": 3000}],
            endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "grafana-0"}}],
        )
        kube.ports["grafana-0", 3000] = server.port
        yield kube


def test_through_the_kubernetes_api(name: str, kube: FakeKube, server: Server, tmp_path: Path) -> None:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    assert "msg" not in run(name, tmp_path, kubeconfig=kubeconfig, grafana={"token": SECRET})
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize("by_url", [False, True], ids=["forwarded", "url"])
def test_the_admins_secret(name: str, kube: FakeKube, server: Server, tmp_path: Path, *, by_url: bool) -> None:
    kube.add(f"{SECRETS}/{RELEASE}", data={"admin-user": "YWRh", "admin-password": b64(SECRET)})
    grafana = {"admin_secret": RELEASE, **({"url": server.url} if by_url else {})}
    result = run(name, tmp_path, kubeconfig=str(kube.write_kubeconfig(tmp_path / "kubeconfig")), grafana=grafana)
    assert "msg" not in result
    assert {request.headers["Authorization"] for request in server.requests} == {f"Basic {b64(f'ada:{SECRET}')}"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "Secret prometheus-grafana does not exist in namespace ias-system"),
        ({}, "Secret prometheus-grafana in namespace ias-system has no key admin-user and no key admin-password"),
        ({"admin-user": "YWRh"}, "Secret prometheus-grafana in namespace ias-system has no key admin-password"),
    ],
    ids=["none", "empty", "half"],
)
def test_no_admin_in_the_secret(
    name: str, kube: FakeKube, server: Server, tmp_path: Path, *, data: dict[str, str] | None, says: str
) -> None:
    """Waiting would not help: it is told at once, whatever the timeout."""
    kube.serves.add(SECRETS)
    if data is not None:
        kube.add(f"{SECRETS}/{RELEASE}", data=data)
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    more = {"timeout": 3, "interval": 1} if name == "grafana_datasources_verify" else {}
    result = run(name, tmp_path, kubeconfig=kubeconfig, grafana={"admin_secret": RELEASE}, **more)
    assert says in result["msg"]
    assert [request.path for request in kube.requests if "/secrets" in request.path] == [f"{SECRETS}/{RELEASE}"]
    assert server.requests == []
