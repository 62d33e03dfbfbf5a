# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a release needs Helm, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._kube.client import Object
from .._kube.errors import KubeError
from . import manifest
from .history import Revision, chart_name

Action = Literal["none", "install", "upgrade"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with a release; `diff` is Ansible's."""

    action: Action
    reasons: tuple[str, ...]
    diff: Mapping[str, str]


def installed(revision: Revision | None) -> bool:
    """Is there something that an upgrade can build on?"""
    if revision is None or revision.status == "uninstalled":
        return False
    if revision.status == "uninstalling":
        message = f"release {revision.body['name']} is being uninstalled"
        raise KubeError(message, "Wait, or finish it with helm uninstall")
    return True


def install(rendered: str) -> Plan:
    return Plan("install", ("the release is not installed",), manifest.diff("", rendered))


def redo(current: Revision, rendered: str) -> Plan:
    """A killed operation, seen in check mode: Helm will be run once its revision is marked as failed."""
    return Plan("upgrade", (_unfinished(current),), manifest.diff(current.manifest, rendered))


def upgrade(current: Revision, wanted: Object, values: Mapping[str, Any]) -> Plan:
    """Compare the newest revision with `wanted`, the release as Helm would make it."""
    change = manifest.diff(current.manifest, wanted["manifest"])
    reasons = []
    if current.status != "deployed":
        reasons.append(_unfinished(current))
    if current.chart != chart_name(wanted):
        reasons.append(f"the chart changes from {current.chart} to {chart_name(wanted)}")
    if current.values != dict(values):
        reasons.append("the values differ")
    if change:
        reasons.append("the rendered objects differ")
    return Plan("upgrade" if reasons else "none", tuple(reasons), change)


def _unfinished(current: Revision) -> str:
    return f"revision {current.number} is {current.status}"
