# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in charts make what the real ones make of the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.rendering import ALL, NAMESPACE, Object, claims, objects, render

KINDS = {
    "Alertmanager",
    "DaemonSet",
    "Deployment",
    "PersistentVolumeClaim",
    "Prometheus",
    "Service",
    "ServiceMonitor",
    "StatefulSet",
}
# Not compared: what the values below switch on and the project's own values switch off.
NOT_OURS = {"loki-canary", "mimir-gateway"}
SWITCHED_OFF: dict[str, Object] = {"mimir": {"gateway": {"enabled": False}}}


def labels(found: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    """The labels that the recorded objects tell of."""
    return {key: found[key] for key in expected if key in found}


def ports(made: Object) -> list[dict[str, Any]]:
    return [{key: port[key] for key in ("name", "port", "targetPort")} for port in made["spec"].get("ports", [])]


def monitor(made: Object) -> dict[str, Any]:
    spec = made["spec"]
    wanted = ("port", "path", "scheme", "interval", "honorLabels")
    endpoints = [{key: one[key] for key in wanted if key in one} for one in spec["endpoints"]]
    rest = {key: spec[key] for key in ("selector", "namespaceSelector", "jobLabel") if key in spec}
    return {"endpoints": endpoints, **rest}


def described(made: Object, record: Object) -> Object:
    """What a rendered object says about everything that the record of its twin tells."""
    metadata = made["metadata"]
    full: Object = {
        "apiVersion": made["apiVersion"],
        "labels": labels(metadata.get("labels", {}), record["labels"]),
        "replicas": made["spec"].get("replicas"),
        "volumeClaims": claims(made) if made["kind"] != "ServiceMonitor" else [],
        "ports": ports(made) if made["kind"] == "Service" else [],
        "selector": made["spec"].get("selector"),
        "headless": made["spec"].get("clusterIP") == "None",
        "serviceMonitor": monitor(made) if made["kind"] == "ServiceMonitor" else None,
    }
    return {key: full[key] for key in full if key in record}


def identity(found: Object) -> tuple[str, str, str]:
    metadata = found.get("metadata", found)
    return found["kind"], metadata.get("namespace") or NAMESPACE, metadata["name"]


@pytest.mark.parametrize("component", ALL)
def test_same_objects_as_the_real_chart(shared: Path, component: str) -> None:
    (facts,) = (shared / "charts").glob(f"{ALL[component]}-[0-9]*.objects.json")
    recorded = json.loads(facts.read_text())
    values = yaml.safe_load((shared / "reference" / "values" / recorded["values"]).read_text())
    values |= SWITCHED_OFF.get(component, {})
    made = {identity(found): found for found in objects(render(component, values)) if found["kind"] in KINDS}
    records = {
        identity(record): record
        for record in recorded["objects"]
        if record["kind"] in KINDS and not record.get("hook") and record["name"] not in NOT_OURS
    }
    assert set(made) == set(records)
    for key, record in records.items():
        wanted = {name: record[name] for name in described(made[key], record)}
        assert described(made[key], record) == wanted, key
