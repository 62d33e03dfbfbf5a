# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's HTTP API, the part that a proof uses."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._http import Api

Span = tuple[datetime.datetime, datetime.datetime]
"""From when until when an alert fires; both know their time zone."""


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """One alert as Alertmanager holds it."""

    receivers: tuple[str, ...]
    state: str
    """unprocessed, active or suppressed."""
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]


@dataclass(frozen=True)
class Alertmanager:
    api: Api

    def send(self, labels: Mapping[str, str], annotations: Mapping[str, str], fires: Span) -> None:
        """Tell an alert, as Prometheus does. Sent again with another end, it is the same alert."""
        starts, ends = (moment.isoformat() for moment in fires)
        alert = {"labels": dict(labels), "annotations": dict(annotations), "startsAt": starts, "endsAt": ends}
        self.api.post("/api/v2/alerts", [alert], repeatable=True)

    def find(self, alertname: str) -> list[KnownAlert]:
        """The alerts of this name, silenced and inhibited ones too."""
        return [read_alert(entry) for entry in self.api.get("/api/v2/alerts", {"filter": f'alertname="{alertname}"'})]

    def receivers(self) -> list[str]:
        """The names of all receivers."""
        return [entry["name"] for entry in self.api.get("/api/v2/receivers")]


def read_alert(entry: Mapping[str, Any]) -> KnownAlert:
    status = entry.get("status") or {}
    return KnownAlert(
        receivers=tuple(receiver["name"] for receiver in entry.get("receivers") or ()),
        state=status.get("state", "unprocessed"),
        silenced_by=tuple(status.get("silencedBy") or ()),
        inhibited_by=tuple(status.get("inhibitedBy") or ()),
    )
