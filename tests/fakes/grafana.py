# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Grafana with something of everything, for the tests of backup and restore."""

from __future__ import annotations

from typing import Any

import httpx

from tests.lab.grafana.testing import Double

LOKI_PASSWORD = "l0ki-s3cret"
SLACK_URL = "https://hooks.example.org/s3cret"


def fill(double: Double, *, nested: bool = True) -> None:
    """Two folders, three dashboards, two data sources and two contact points."""
    with double.client() as client:
        post(client, "/api/folders", {"uid": "ops", "title": "Ops"})
        inner = "ops"
        if nested:
            post(client, "/api/folders", {"uid": "ops-gpu", "title": "GPU", "parentUid": "ops"})
            inner = "ops-gpu"
        for uid, folder in (("one", ""), ("two", "ops"), ("three", inner)):
            save(client, uid, folder)
        loki = {"uid": "loki", "name": "Loki", "type": "loki", "url": "http://user:pass@loki:3100", "basicAuth": True}
        post(
            client,
            "/api/datasources",
            {**loki, "basicAuthUser": "ops", "secureJsonData": {"basicAuthPassword": LOKI_PASSWORD}},
        )
        prometheus = {"uid": "prometheus", "name": "Prometheus", "type": "prometheus", "url": "http://prometheus:9090"}
        post(client, "/api/datasources", {**prometheus, "isDefault": True, "jsonData": {"httpMethod": "POST"}})
        points = "/api/v1/provisioning/contact-points"
        slack = {"uid": "slack", "name": "Chat", "type": "slack", "settings": {"url": SLACK_URL, "recipient": "#ops"}}
        post(client, points, slack, {"X-Disable-Provenance": "true"})
        post(
            client,
            points,
            {"uid": "mail", "name": "Mail", "type": "email", "settings": {"addresses": "ops@example.org"}},
        )


def save(client: httpx.Client, uid: str, folder: str, **changes: Any) -> None:
    panel = {"id": 1, "type": "graph", "title": "Rate", "gridPos": {"x": 0, "y": 0, "w": 6, "h": 4}}
    spec = {"uid": uid, "title": f"Title {uid}", "schemaVersion": 27, "panels": [panel], **changes}
    post(client, "/api/dashboards/db", {"dashboard": spec, "folderUid": folder, "message": f"made {uid}"})


def post(client: httpx.Client, path: str, body: Any, headers: dict[str, str] | None = None) -> None:
    answer = client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
