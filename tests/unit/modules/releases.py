# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm releases for a fake API."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._release.history import encode
from tests.fakes.kube import FakeKube

SECRETS = "/api/v1/namespaces/ias-system/secrets"


def record(revision: int, status: str, manifest: str = "", **more: Any) -> dict[str, Any]:
    """Helm's own record of a revision, as much of it as anybody reads."""
    began = datetime.datetime.now(datetime.UTC)
    chart = {"name": "demo", "version": more.pop("chart_version", "1.0.0"), "appVersion": "9"}
    return {
        "name": more.pop("name", "demo"),
        "namespace": "ias-system",
        "version": revision,
        "info": {"status": status, "last_deployed": began.isoformat().replace("+00:00", "123Z")},
        "chart": {"metadata": chart},
        "config": more.pop("values", {"a": 1}),
        "manifest": manifest,
        "hooks": more.pop("hooks", []),
    }


def store(kube: FakeKube, body: dict[str, Any], age: float = 0) -> str:
    """Put a revision where Helm keeps it, written `age` seconds ago by the server's clock. Returns its path."""
    path = f"{SECRETS}/sh.helm.release.v1.{body['name']}.v{body['version']}"
    labels = {"owner": "helm", "name": body["name"], "status": body["info"]["status"], "version": str(body["version"])}
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=kube.skew - age)
    metadata = {"labels": labels, "creationTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    kube.add(path, metadata=metadata, type="helm.sh/release.v1", data={"release": encode(body)})
    return path
