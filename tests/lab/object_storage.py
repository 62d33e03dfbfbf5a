# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An S3 server in the cluster, as a cloud's object storage is to it: buckets, and a key for each component.

Each key opens the buckets of its component only. The keys are no secrets: nothing outside of the lab has them.
"""

from __future__ import annotations

import json
from typing import Any

from tests.lab import cluster

NAME = "object-storage"
STACK = "ias-system"
IMAGE = "docker.io/versity/versitygw:v1.8.0"
PORT = 7070
REGION = "us-ord-1"
BUCKETS = {
    "loki": ("ias-loki-chunks", "ias-loki-ruler"),
    "tempo": ("ias-tempo-traces",),
    "mimir": ("ias-mimir-blocks",),
}
# A bucket that is there already is no error; a server that does not answer yet is asked again.
MAKE_BUCKETS = """
until versitygw admin list-buckets; do sleep 1; done
while read -r owner bucket; do
  versitygw admin list-buckets | grep -q "^$bucket " ||
    versitygw admin create-bucket --owner "$owner" --bucket "$bucket"
done <<END
%s
END
"""

Object = dict[str, Any]


def access_key(component: str) -> str:
    return f"lab-{component}"


def secret_key(component: str) -> str:
    return f"lab-{component}-secret-key"


def objects() -> list[Object]:
    """Everything that `kubectl apply` is given."""
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (NAME, STACK)]
    keys = [_secret(STACK, f"{component}-s3", component_keys(component)) for component in BUCKETS]
    accounts = {access_key(component): _account(component) for component in BUCKETS}
    users = json.dumps({"accessAccounts": accounts})
    return [*namespaces, *keys, _secret(NAME, "accounts", {"users.json": users}), _claim(), _service(), _deployment()]


def start() -> None:
    """Run the server, and wait until it answers and has its buckets."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects()}))
    cluster.kubectl("rollout", "status", "--namespace", NAME, f"deployment/{NAME}", "--timeout=180s")


def component_keys(component: str) -> dict[str, str]:
    """The component's Secret, as its values read it."""
    prefix = f"{component.upper()}_S3"
    return {f"{prefix}_ACCESS_KEY_ID": access_key(component), f"{prefix}_SECRET_ACCESS_KEY": secret_key(component)}


def _account(component: str) -> dict[str, str]:
    return {"access": access_key(component), "secret": secret_key(component), "role": "user"}


def _metadata(name: str = NAME, namespace: str = NAME) -> Object:
    return {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": NAME}}


def _secret(namespace: str, name: str, data: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(name, namespace), "stringData": data}


def _claim() -> Object:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "linode-block-storage",
        "resources": {"requests": {"storage": "10Gi"}},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": _metadata(), "spec": spec}


def _service() -> Object:
    spec = {"selector": {"app.kubernetes.io/name": NAME}, "ports": [{"name": "s3", "port": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(), "spec": spec}


def _deployment() -> Object:
    owners = "\n".join(f"{access_key(component)} {bucket}" for component in BUCKETS for bucket in BUCKETS[component])
    root = {"ACCESS_KEY_ID": "lab-root", "SECRET_ACCESS_KEY": "lab-root-secret-key"}
    environment = {f"{user}_{key}": value for user in ("ROOT", "ADMIN") for key, value in root.items()}
    environment |= {"ADMIN_ENDPOINT_URL": f"http://127.0.0.1:{PORT}", "ADMIN_REGION": REGION}
    command = ["versitygw", "--port", f":{PORT}", "--region", REGION, "--iam-dir", "/accounts"]
    container = {
        "name": NAME,
        "image": IMAGE,
        "command": [*command, "--quiet", "posix", "/data"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"name": "s3", "containerPort": PORT}],
        "lifecycle": {"postStart": {"exec": {"command": ["/bin/sh", "-c", MAKE_BUCKETS % owners]}}},
        "readinessProbe": {"tcpSocket": {"port": "s3"}, "periodSeconds": 3},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "accounts", "mountPath": "/accounts"}],
    }
    pod = {
        "metadata": {"labels": {"app.kubernetes.io/name": NAME}},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532},
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": NAME}},
                {"name": "accounts", "secret": {"secretName": "accounts"}},
            ],
        },
    }
    spec = {
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
        "template": pod,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(), "spec": spec}
