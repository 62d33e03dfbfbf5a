# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as they are asked for, and whether they are that already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .._kube.client import Cluster, Object
from . import history, manifest
from .helm import Chart
from .history import Revision


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it is asked for."""

    name: str
    namespace: str
    chart: Chart
    values: Mapping[str, Any]


class Head(NamedTuple):
    """The newest revision of a release, by the metadata of its Secret."""

    secret: str
    number: int
    status: str
    created: str


def heads(secrets: Iterable[Object]) -> dict[str, Head]:
    """By the name of the release; `secrets` are those that Helm owns in one namespace, metadata only."""
    newest: dict[str, Head] = {}
    for item in secrets:
        labels = item["metadata"].get("labels") or {}
        if labels.get("owner") != "helm" or not str(labels.get("version", "")).isdigit():
            continue
        name, created = str(labels.get("name", "")), str(item["metadata"].get("creationTimestamp", ""))
        head = Head(item["metadata"]["name"], int(labels["version"]), str(labels.get("status", "")), created)
        newest[name] = max(newest.get(name, head), head, key=lambda one: one.number)
    return newest


def revision(cluster: Cluster, release: Release, head: Head | None) -> Revision | None:
    """The newest revision in full."""
    if head is None:
        return None
    secret = cluster.find(f"/api/v1/namespaces/{release.namespace}/secrets/{head.secret}")
    return history.decode(secret) if secret else None


def same(release: Release, current: Revision) -> bool:
    """Whether the revision was made of this chart and these values: then its manifest need not be rendered again."""
    if current.status != "deployed" or current.values != dict(release.values):
        return False
    known = current.body["chart"]["metadata"]
    if release.chart.version is not None:
        return str(known["version"]) == release.chart.version and str(known["name"]) in release.chart.ref
    try:
        own = manifest.parse((Path(release.chart.ref) / "Chart.yaml").read_text("utf-8"))
    except OSError:  # an archive, or a reference with a tag
        return False
    return bool(own) and (own[0].get("name"), own[0].get("version")) == (known["name"], known["version"])
