# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it was declared, on a cluster and a Grafana in memory."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.modules import stack_security_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

NS = "/api/v1/namespaces/ias-system"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
CHARTS = {
    "charts": {
        "loki": {
            "images": [
                {"repository": "docker.io/grafana/loki", "tag": "3.7.6", "digest": ""},
                {"repository": "docker.io/library/memcached", "tag": "1.6.45", "digest": ""},
                {"repository": "quay.io/op/reloader", "tag": "v1", "digest": DIGEST},
            ],
            "host": {"node-exporter": ["hostNetwork", "path /proc"]},
        }
    }
}
OF_LOKI = {"meta.helm.sh/release-name": "loki", "meta.helm.sh/release-namespace": "ias-system"}


class Stack:
    """A stack in which nothing is wrong."""

    def __init__(self, kube: FakeKube, grafana: Server, folder: Path) -> None:
        self.kube, self.grafana = kube, grafana
        self.password = "not-to-be-guessed"
        self.is_open = False
        self.charts = folder / "charts.yaml"
        self.charts.write_text(yaml.safe_dump(CHARTS))
        self.kubeconfig = str(kube.write_kubeconfig(folder / "kubeconfig"))
        kube.serves |= {f"{RBAC}/clusterrolebindings", f"{RBAC}/rolebindings"}
        kube.add(f"{NS}/serviceaccounts/loki", metadata={"annotations": OF_LOKI})
        kube.add(f"{NS}/serviceaccounts/default")
        self.secret()
        self.pod()
        self.service("loki", metadata={"annotations": OF_LOKI}, type="ClusterIP")
        self.bind("loki", "loki", metadata={"annotations": OF_LOKI})
        grafana.on("GET", "/api/org", self.org)

    def secret(self) -> None:
        pair = {"admin-user": "admin", "admin-password": self.password}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in pair.items()}
        self.kube.add(f"{NS}/secrets/grafana", data=data)

    def org(self, request: Request) -> Reply:
        good = base64.b64encode(f"admin:{self.password}".encode()).decode()
        is_in = request.headers.get("Authorization", "") == f"Basic {good}"
        return Reply(200, {"id": 1}) if self.is_open or is_in else Reply(401, {"message": "Unauthorized"})

    def pod(
        self, name: str = "loki-0", account: str = "loki", labels: dict[str, str] | None = None, **spec: Any
    ) -> Any:
        containers = [{"name": "loki", "image": "docker.io/grafana/loki:3.7.6"}]
        owner = {"kind": "StatefulSet", "name": name.rpartition("-")[0]}
        metadata = {"labels": {"app": "loki", **(labels or {})}, "ownerReferences": [owner]}
        spec = {"serviceAccountName": account, "containers": containers, **spec}
        return self.kube.add(f"{NS}/pods/{name}", metadata=metadata, spec=spec, status={})

    def service(self, name: str, metadata: dict[str, Any] | None = None, **spec: Any) -> None:
        self.kube.add(f"{NS}/services/{name}", metadata=metadata or {}, spec=spec)

    def bind(self, binding: str, role: str, metadata: dict[str, Any] | None = None, **subject: Any) -> None:
        self.kube.add(
            f"{RBAC}/clusterrolebindings/{binding}",
            metadata=metadata or {},
            roleRef={"kind": "ClusterRole", "name": role},
            subjects=[{"kind": "ServiceAccount", "name": "loki", "namespace": "ias-system", **subject}],
        )

    def run(self, **args: Any) -> dict[str, Any]:
        options = {"kubeconfig": self.kubeconfig, "charts": str(self.charts), "timeout": 0, "interval": 0}
        grafana = {"url": self.grafana.url, "admin_secret": "grafana"}
        return run_module(stack_security_verify, grafana=grafana, **options | args)

    def errors(self, **args: Any) -> list[tuple[str, str, str]]:
        return [(one["id"], one["object"], one["message"]) for one in self.run(**args)["findings"]]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with FakeKube() as kube, running_server() as grafana:
        yield Stack(kube, grafana, tmp_path)


def test_all_is_as_declared(stack: Stack) -> None:
    result = stack.run()
    assert result["findings"] == []
    assert (result["summary"], result["pods"]) == ({"checked": 5, "passed": 5}, 1)
    assert stack.kube.writes() == []


def test_an_open_grafana(stack: Stack) -> None:
    stack.is_open = True
    ((identity, where, message),) = stack.errors()
    assert (identity, where) == ("security/anonymous", "Grafana")
    assert message.startswith("Grafana answers without a login")


def test_a_password_that_everybody_knows(stack: Stack) -> None:
    stack.password = "prom-operator"
    stack.secret()
    assert stack.errors() == [
        ("security/default-password", "Grafana", "the password of admin is one that everybody knows")
    ]


def test_no_wrong_password_is_ever_tried(stack: Stack) -> None:
    """After five of them Grafana would lock the user out."""
    stack.run()
    stack.password = "admin"
    stack.secret()
    stack.run()
    right = base64.b64encode(b"admin:admin").decode()
    assert {request.headers.get("Authorization") for request in stack.grafana.requests} == {None, f"Basic {right}"}


@pytest.mark.parametrize(
    ("spec", "way"),
    [
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 31000}]}, "on each node, port 31000 (NodePort)"),
        ({"type": "LoadBalancer", "ports": [{"port": 80}]}, "by a load balancer, port 80 (LoadBalancer)"),
        ({"externalIPs": ["192.0.2.7"], "ports": [{"port": 80}]}, "on 192.0.2.7, port 80 (ClusterIP)"),
    ],
)
def test_a_service_that_leads_to_a_pod_of_the_stack_from_outside(stack: Stack, spec: dict[str, Any], way: str) -> None:
    stack.service("by-accident", selector={"app": "loki"}, **spec)
    stack.service("of-somebody-else", selector={"app": "web"}, **spec)
    assert stack.errors() == [
        ("security/exposed", "service by-accident", f"it can be reached from outside the cluster {way}")
    ]
    assert stack.errors(exposed_services=["by-accident"]) == []


@pytest.mark.parametrize(
    "image",
    [
        "grafana/loki:3.7.6",
        "registry.example.org:5000/grafana/loki:3.7.6",
        f"mirror.example.org/docker.io/grafana/loki:3.7.6@{OTHER}",
        "memcached:1.6.45",
        f"quay.io/op/reloader:v1@{DIGEST}",
    ],
)
def test_an_image_may_come_from_a_mirror(stack: Stack, image: str) -> None:
    stack.pod(containers=[{"name": "loki", "image": image}])
    assert stack.errors() == []


@pytest.mark.parametrize(
    ("image", "identity", "message"),
    [
        (
            "grafana/loki:3.7.5",
            "security/image",
            "it runs image grafana/loki:3.7.5; charts.yaml has 3.7.6 of it",
        ),
        ("grafana/loki", "security/image", "it runs image grafana/loki; charts.yaml has 3.7.6 of it"),
        (
            "example.org/miner:1",
            "security/image",
            "it runs image example.org/miner:1, which charts.yaml does not have",
        ),
        (
            f"quay.io/op/reloader:v1@{OTHER}",
            "security/image-digest",
            f"image quay.io/op/reloader:v1@{OTHER} is not the one that charts.yaml pins: it is {OTHER}",
        ),
    ],
)
def test_another_image_than_that_of_the_charts(stack: Stack, image: str, identity: str, message: str) -> None:
    for number in (0, 1):
        stack.pod(f"loki-{number}", ephemeralContainers=[{"name": "more", "image": image}])
    assert stack.errors() == [(identity, "StatefulSet loki, container more", message)]


def test_a_tag_that_was_moved_is_told_by_the_node_alone(stack: Stack) -> None:
    pod = stack.pod(containers=[{"name": "reloader", "image": "quay.io/op/reloader:v1"}])
    pod["status"] = {"containerStatuses": [{"name": "reloader", "imageID": f"quay.io/op/reloader@{OTHER}"}]}
    result = stack.run()
    assert "failed" not in result
    assert [(one["id"], one["severity"]) for one in result["findings"]] == [("security/image-digest", "warning")]


@pytest.mark.parametrize(
    ("spec", "taken"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"volumes": [{"name": "all", "hostPath": {"path": "/"}}, {"name": "own", "emptyDir": {}}]}, "path /"),
        ({"initContainers": [{"securityContext": {"privileged": True}}]}, "privileged"),
        ({"initContainers": [{"ports": [{"hostPort": 80}]}]}, "port 80"),
        ({"initContainers": [{"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]}, "capability NET_ADMIN"),
    ],
)
def test_what_a_pod_takes_of_its_node(stack: Stack, spec: dict[str, Any], taken: str) -> None:
    init = {"name": "init", "image": "docker.io/grafana/loki:3.7.6"}
    spec = {**spec, "initContainers": [init | entry for entry in spec.get("initContainers", [])]}
    stack.pod(**spec)
    assert stack.errors() == [
        ("security/host", "StatefulSet loki", f"it takes of its node: {taken}; charts.yaml does not name that")
    ]


def test_what_the_charts_name_may_be_taken(stack: Stack) -> None:
    volumes = [{"name": "proc", "hostPath": {"path": "/proc"}}]
    stack.pod(labels={"app.kubernetes.io/name": "node-exporter"}, hostNetwork=True, volumes=volumes)
    assert stack.errors() == []
    stack.pod("other-0", hostNetwork=True)
    assert [where for _id, where, _message in stack.errors()] == ["StatefulSet other"]


@pytest.mark.parametrize(
    ("subject", "who"),
    [
        ({}, "ServiceAccount loki"),
        (
            {"kind": "Group", "name": "system:serviceaccounts:ias-system", "namespace": ""},
            "Group system:serviceaccounts:ias-system",
        ),
    ],
)
def test_rights_that_no_release_gave(stack: Stack, subject: dict[str, str], who: str) -> None:
    stack.bind("quick-fix", "cluster-admin", **subject)
    assert stack.errors() == [
        (
            "security/rights",
            "ClusterRoleBinding quick-fix",
            f"it gives {who} the rights of ClusterRole cluster-admin, which no chart of the stack does",
        )
    ]


def test_a_release_may_not_give_everything_either(stack: Stack) -> None:
    stack.bind("loki", "cluster-admin", metadata={"annotations": OF_LOKI})
    assert [identity for identity, _where, _message in stack.errors()] == ["security/rights"]


def test_rights_of_others_and_of_every_cluster_are_not_looked_at(stack: Stack) -> None:
    stack.bind("other-account", "cluster-admin", name="web")
    stack.bind("other-namespace", "cluster-admin", namespace="shop")
    defaults = {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
    stack.bind("system:discovery", "system:discovery", defaults, kind="Group", name="system:authenticated")
    assert stack.errors() == []


def test_an_empty_namespace_proves_nothing(stack: Stack) -> None:
    assert [identity for identity, _where, _message in stack.errors(namespace="elsewhere")] == ["security/no-stack"]


@pytest.mark.parametrize("text", ["", "[]", "charts: 5", "charts: {loki: {}}", "charts: ["])
def test_charts_that_are_none(stack: Stack, text: str) -> None:
    stack.charts.write_text(text)
    result = stack.run()
    assert result["failed"] is True
    assert str(stack.charts) in result["msg"]
    assert stack.kube.requests == []
