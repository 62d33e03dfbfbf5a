# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for a dashboard that both APIs share."""

from __future__ import annotations

import re
from typing import Any

from tests.lab.grafana.context import Grafana, check_uid
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.k8s import FILE_MANAGER, MANAGER
from tests.lab.grafana.store import Resource

KIND = "dashboards"
ALLOWS_EDITS = "grafana.app/managerAllowsEdits"
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def check(grafana: Grafana, uid: str, spec: dict[str, Any], message: str) -> None:
    """400 for what Grafana refuses whatever the schema says."""
    title = spec.get("title")
    if not isinstance(title, str) or not title.strip():
        if grafana.release.rewired_save:
            raise ApiError(400, "Dashboard spec is missing required title property")
        raise ApiError(400, "Dashboard title cannot be empty", tag="empty-name")
    if len(title) > 5000:
        raise ApiError(400, "Dashboard title cannot contain more than 5 000 characters", tag="title-too-long")
    tags = spec.get("tags")
    if isinstance(tags, list) and any(isinstance(tag, str) and len(tag) > 50 for tag in tags):
        raise ApiError(400, "dashboard tag too long, max 50 characters", tag="tag-too-long")
    if len(message) > 500:
        raise ApiError(400, "message too long, max 500 characters")
    check_uid(uid)
    if grafana.release.refuses_short_refresh and _too_fast(spec.get("refresh"), grafana.config.min_refresh):
        raise ApiError(400, "Dashboard refresh interval is too low")


def raise_refresh(grafana: Grafana, spec: dict[str, Any]) -> None:
    """What releases before the check did: quietly take the minimum."""
    if not grafana.release.rewired_save and _too_fast(spec.get("refresh"), grafana.config.min_refresh):
        spec["refresh"] = grafana.config.min_refresh


def _too_fast(refresh: object, minimum: str) -> bool:
    wanted, least = _seconds(refresh), _seconds(minimum)
    return wanted is not None and least is not None and wanted < least


def _seconds(text: object) -> float | None:
    match = re.fullmatch(r"(\d+)(ms|[smhd])", text) if isinstance(text, str) else None
    return int(match[1]) * UNITS[match[2]] if match else None


def is_provisioned(resource: Resource) -> bool:
    return resource.annotations.get(MANAGER) == FILE_MANAGER


def is_locked(resource: Resource) -> bool:
    """Provisioned from a file whose provider has allowUiUpdates: false."""
    return is_provisioned(resource) and resource.annotations.get(ALLOWS_EDITS) != "true"


def is_bare_v2(spec: dict[str, Any]) -> bool:
    return "elements" in spec and "layout" in spec


def clean(spec: dict[str, Any]) -> dict[str, Any]:
    """What is stored: identity and version live outside the spec, and no byte-order marks."""
    bare = {key: value for key, value in spec.items() if key not in ("id", "uid", "version")}
    cleaned = _without_marks(bare)
    return cleaned if isinstance(cleaned, dict) else bare


def _without_marks(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\ufeff", "")
    if isinstance(value, list):
        return [_without_marks(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items()}
    return value
