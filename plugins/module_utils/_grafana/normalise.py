# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two dashboards are the same: without what Grafana adds, fills in or renumbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .client import Json

SERVER_FIELDS = {"id", "uid", "version", "iteration", "schemaVersion"}


def normalise(spec: Mapping[str, Any]) -> Json:
    """What of a dashboard is content."""
    kept = {name: value for name, value in spec.items() if name not in SERVER_FIELDS}
    kept["panels"] = [_panel(panel) for panel in spec.get("panels") or []]
    kept["tags"] = sorted(spec.get("tags") or [])
    without: Json = _without_empty(kept)
    return without


def digest(spec: Mapping[str, Any]) -> str:
    """A short fingerprint of the content."""
    return hashlib.sha256(json.dumps(normalise(spec), sort_keys=True).encode()).hexdigest()[:16]


def _panel(panel: Mapping[str, Any]) -> Json:
    kept = {name: value for name, value in panel.items() if name != "id"}
    if "panels" in kept:
        kept["panels"] = [_panel(inner) for inner in kept["panels"] or []]
    return kept


def _without_empty(node: Any) -> Any:
    """Leave out null and empty values: Grafana fills in some of them and drops others. False and 0 say something."""
    if isinstance(node, Mapping):
        items = ((name, _without_empty(value)) for name, value in node.items())
        return {name: value for name, value in items if value not in (None, "", [], {})}
    if isinstance(node, list):
        return [_without_empty(item) for item in node]
    return node
