# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _service
from ansible_collections.ias.observability.plugins.module_utils._http import Deadline, HttpError
from ansible_collections.ias.observability.plugins.module_utils._kube import KubeError
from ansible_collections.ias.observability.plugins.module_utils._service import open_service
from tests.fakes.http import Server, running_server
from tests.fakes.kube import FakeKube

NAMESPACE = "/api/v1/namespaces/ias-system"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices"


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        running.ok("GET", "/sub/x", "reached")
        yield running


def params(**service: Any) -> dict[str, Any]:
    names = ("url", "token", "username", "password", "ca_file", "client_cert", "client_key")
    defaults = dict.fromkeys(names) | {
        "namespace": "ias-system",
        "service": "loki",
        "port": 3100,
        "validate_certs": True,
    }
    return {"loki": {**defaults, **service}}


def test_a_url_with_a_path(server: Server) -> None:
    with open_service(params(url=f"{server.url}/sub/", token="t0ken"), "loki") as api:
        assert api.get("/x") == "reached"
    assert server.requests[0].headers["Authorization"] == "Bearer t0ken"


def test_basic_authentication(server: Server) -> None:
    with open_service(params(url=f"{server.url}/sub", username="ü", password="p"), "loki") as api:
        api.get("/x")
    assert server.requests[0].headers["Authorization"] == "Basic w7w6cA=="


def test_the_environments_proxy_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    server.ok("GET", "/x", "through the proxy")
    with open_service(params(url="http://loki.example.org"), "loki") as api:
        assert api.get("/x") == "through the proxy"


def test_no_proxy_is_honoured(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with open_service(params(url=f"{server.url}/sub"), "loki") as api:
        assert api.get("/x") == "reached"


def test_tls_is_verified(server: Server) -> None:
    url = server.url.replace("http", "https")
    with open_service(params(url=url), "loki") as api, pytest.raises(HttpError, match=r"SSL|record"):
        api.get("/x")


def test_a_file_that_cannot_be_read(server: Server) -> None:
    unreadable = params(url=server.url, ca_file="/nowhere/ca.pem")
    with pytest.raises(KubeError, match=r"ca_file /nowhere/ca\.pem cannot be read"), open_service(unreadable, "loki"):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "loki:3100",
        "ftp://loki",
        "http://",
        "http://user:pass@loki",
        "http://:pass@loki",
        "http://@loki",
        "http://loki?api_key=pass",
        "http://loki/x#pass",
        "http://loki:pass",
        "http://[pass",
        "http://loki/\npass",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(KubeError, match="url must look like") as caught, open_service(params(url=url), "loki"):
        pass
    assert "pass" not in str(caught.value)
    assert caught.value.permanent


def test_through_the_kubernetes_api(server: Server, tmp_path: Path) -> None:
    server.ok("GET", "/ready", "pod")
    with FakeKube() as kube:
        kube.serves.add(SLICES)
        kube.add(f"{NAMESPACE}/services/loki", spec={"ports": [{"name": "http", "port": 3100}]})
        kube.add(
            f"{SLICES}/loki-1",
            metadata={"labels": {"kubernetes.io/service-name": "loki"}},
            ports=[{"name": "http", "port": 3100}],
            endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "loki-0"}}],
        )
        kube.ports["loki-0", 3100] = server.port
        kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
        with open_service({**params(), "kubeconfig": kubeconfig}, "loki") as api:
            assert api.get("/ready") == "pod"


def test_a_module_without_a_deadline_waits_for_a_ready_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof looks again by itself."""
    monkeypatch.setattr(_service, "READY_SECONDS", 0.2)
    with FakeKube() as kube:
        kube.serves.add(SLICES)
        kube.add(f"{NAMESPACE}/services/loki", spec={"ports": [{"name": "http", "port": 3100}]})
        options = {**params(), "kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig"))}
        with pytest.raises(KubeError, match=r"ias-system/loki, after 0\.2 s of waiting"), open_service(options, "loki"):
            pass
        with (
            pytest.raises(KubeError, match=r"ias-system/loki\. See"),
            open_service(options, "loki", Deadline().within(9)),
        ):
            pass
