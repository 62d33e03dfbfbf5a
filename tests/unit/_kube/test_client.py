# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One clear message for every way in which an API cannot be used, and plain JSON where it can."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._http import Deadline
from ansible_collections.ias.observability.plugins.module_utils._kube import ApiError, Cluster, KubeError, connect
from tests.fakes.kube import FakeKube
from tests.fakes.tls import certificate

CLIENT = "ansible_collections.ias.observability.plugins.module_utils._kube.client"
CONFIGMAPS = "/api/v1/namespaces/ias-system/configmaps"


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as server:
        yield server


@pytest.fixture
def cluster(kube: FakeKube, tmp_path: Path) -> Cluster:
    client = connect({"kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig"))})
    return Cluster(client, Deadline(sleep=lambda _seconds: None))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("K8S_AUTH_KUBECONFIG", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_reads_an_object_and_says_none_for_a_missing_one(kube: FakeKube, cluster: Cluster) -> None:
    kube.add(f"{CONFIGMAPS}/one", data={"key": "value"})
    assert cluster.get(f"{CONFIGMAPS}/one")["data"] == {"key": "value"}
    assert cluster.find(f"{CONFIGMAPS}/two") is None
    with pytest.raises(ApiError, match='configmaps "two" not found'):
        cluster.get(f"{CONFIGMAPS}/two")


def test_lists_page_by_page(kube: FakeKube, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{CLIENT}.PAGE", 2)
    for number in range(5):
        kube.add(f"{CONFIGMAPS}/c{number}")
    assert [item["metadata"]["name"] for item in cluster.items(CONFIGMAPS)] == ["c0", "c1", "c2", "c3", "c4"]
    assert len(kube.requests) == 3


def test_apply_names_its_manager_and_a_dry_run_stores_nothing(kube: FakeKube, cluster: Cluster) -> None:
    kube.serves.add(CONFIGMAPS)
    body = {"metadata": {"name": "one"}, "data": {"a": "1"}}
    cluster.apply(f"{CONFIGMAPS}/one", body, manager="tests", dry_run=True)
    assert kube.objects == {}
    cluster.apply(f"{CONFIGMAPS}/one", body, manager="tests", dry_run=False)
    assert kube.objects[f"{CONFIGMAPS}/one"]["data"] == {"a": "1"}
    assert kube.requests[-1].query == {"fieldManager": "tests", "force": "true"}


def test_patch_spares_an_object_that_has_changed(kube: FakeKube, cluster: Cluster) -> None:
    item = kube.add(f"{CONFIGMAPS}/one", data={"a": "1"})
    version = item["metadata"]["resourceVersion"]
    with pytest.raises(ApiError) as caught:
        cluster.patch(f"{CONFIGMAPS}/one", {"metadata": {"resourceVersion": "1"}, "data": {"b": "2"}})
    assert caught.value.status == 409
    cluster.patch(f"{CONFIGMAPS}/one", {"metadata": {"resourceVersion": version}, "data": {"b": "2"}})
    assert kube.objects[f"{CONFIGMAPS}/one"]["data"] == {"a": "1", "b": "2"}


def test_lists_metadata_only(kube: FakeKube, cluster: Cluster) -> None:
    kube.add(f"{CONFIGMAPS}/one", metadata={"labels": {"owner": "helm"}}, data={"big": "x"})
    kube.add(f"{CONFIGMAPS}/two")
    items = list(cluster.names(CONFIGMAPS, labelSelector="owner=helm"))
    assert [item["metadata"]["name"] for item in items] == ["one"]
    assert "data" not in items[0]


def test_a_short_overload_is_waited_out(kube: FakeKube, cluster: Cluster) -> None:
    kube.add(f"{CONFIGMAPS}/one")
    kube.failures[f"{CONFIGMAPS}/one"] = [503, 429]
    assert cluster.get(f"{CONFIGMAPS}/one")["metadata"]["name"] == "one"
    kube.failures[f"{CONFIGMAPS}/one"] = [503] * 9
    with pytest.raises(ApiError, match="503 scripted failure"):
        cluster.get(f"{CONFIGMAPS}/one")


def test_wrong_token(kube: FakeKube, tmp_path: Path) -> None:
    path = kube.write_kubeconfig(tmp_path / "kubeconfig")
    kube.token = "another"
    with pytest.raises(ApiError, match=r"refused the credentials .* 401\)"):
        Cluster(connect({"kubeconfig": str(path)})).get("/version")


def test_forbidden_says_what_is_forbidden(kube: FakeKube, cluster: Cluster) -> None:
    kube.denied.add(("list", "configmaps"))
    with pytest.raises(ApiError, match='configmaps is forbidden: User "fake" cannot list'):
        cluster.get(CONFIGMAPS)


def test_credentials_as_options_without_a_kubeconfig(kube: FakeKube) -> None:
    cluster = Cluster(connect({"host": kube.url, "api_key": kube.token}))
    assert cluster.get("/version")["minor"] == "36"


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        kube = FakeKube()
        kube.server = type("Closed", (), {"server_address": taken.getsockname()})()
        path = kube.write_kubeconfig(tmp_path / "kubeconfig")
        with pytest.raises(KubeError) as caught:
            Cluster(connect({"kubeconfig": str(path)})).get("/version")
    assert str(caught.value).startswith(f"the Kubernetes API at {kube.url} cannot be reached: ")
    assert "Connection refused" in str(caught.value)
    assert "object at 0x" not in str(caught.value)
    assert "host=" not in str(caught.value)


def test_not_a_kubernetes_api(kube: FakeKube, cluster: Cluster) -> None:
    kube.texts["/api/v1/welcome"] = "<html>It works!</html>"
    with pytest.raises(KubeError, match="does not answer like a Kubernetes API"):
        cluster.get("/api/v1/welcome")


def test_untrusted_certificate(tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    with FakeKube(tls=context) as kube:
        path = kube.write_kubeconfig(tmp_path / "kubeconfig")
        with pytest.raises(KubeError, match=f"the TLS certificate of {kube.url} is not trusted: .*self-signed"):
            Cluster(connect({"kubeconfig": str(path)})).get("/version")
        trusting = Cluster(connect({"kubeconfig": str(path), "ca_cert": str(pair)}))
        assert trusting.get("/version")["minor"] == "36"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist"),
        ("", "cannot be used: Invalid kube-config"),
        ("a: [", "cannot be used: while parsing a flow"),
        ("just words", "cannot be used: "),
        ("apiVersion: v1\nkind: Config\n", "cannot be used: Invalid kube-config"),
    ],
)
def test_kubeconfig_that_cannot_be_used(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(KubeError) as caught:
        connect({"kubeconfig": str(path)})
    assert str(caught.value).startswith(f"the kubeconfig {path} ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_context_that_does_not_exist(kube: FakeKube, tmp_path: Path) -> None:
    path = kube.write_kubeconfig(tmp_path / "kubeconfig")
    with pytest.raises(KubeError, match=r"name other in .*contexts list"):
        connect({"kubeconfig": str(path), "context": "other"})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(kube: FakeKube, cluster: Cluster, status: int) -> None:
    with FakeKube() as other:
        kube.failures[f"{CONFIGMAPS}/one"] = [status]
        kube.headers["Location"] = f"{other.url}{CONFIGMAPS}/one"
        with pytest.raises(ApiError, match=str(status)):
            cluster.patch(f"{CONFIGMAPS}/one", {"metadata": {}, "data": {"password": "secret"}})
        assert other.requests == []


@pytest.mark.parametrize("text", ["[]", "null", "[" * 100_000, '{"a": ' * 300 + "1" + "}" * 300])
def test_json_that_is_no_object(kube: FakeKube, cluster: Cluster, text: str) -> None:
    kube.texts["/api/v1/odd"] = text
    with pytest.raises(KubeError, match="does not answer like a Kubernetes API"):
        cluster.get("/api/v1/odd")


def test_an_answer_is_printable(kube: FakeKube, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    kube.texts["/api/v1/odd"] = "\x1b[31mhttp://me:pw@host"
    with pytest.raises(KubeError) as caught:
        cluster.get("/api/v1/odd")
    assert str(caught.value).isprintable()
    assert "pw" not in str(caught.value)
