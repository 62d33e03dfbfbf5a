# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's HTTP API, the part that a proof uses."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._http import Api, parse, text
from .notifications import Notifications, read_integrations, read_notifications

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
        """Send an alert, as Prometheus does. Sent again with another end, it is the same alert."""
        starts, ends = (moment.isoformat() for moment in fires)
        alert = {"labels": dict(labels), "annotations": dict(annotations), "startsAt": starts, "endsAt": ends}
        self.api.post("/api/v2/alerts", [alert], repeatable=True)

    def find(self, label: str, value: str) -> list[KnownAlert]:
        """The alerts with this label, silenced and inhibited ones too."""
        path = "/api/v2/alerts"
        answer = self.api.get(path, {"filter": f'{label}="{value}"'})
        return parse("Alertmanager", path, lambda entries: [read_alert(entry) for entry in entries], answer)

    def configuration(self) -> str:
        """The loaded configuration as YAML, without its secrets."""
        path = "/api/v2/status"
        return parse("Alertmanager", path, lambda status: text(status["config"]["original"]), self.api.get(path))

    def integrations(self) -> dict[str, Counter[str]]:
        """How many integrations of each kind every receiver of the loaded configuration has."""
        return parse("Alertmanager", "/api/v2/status", read_integrations, self.configuration())

    def notifications(self) -> Notifications:
        """The counters of its notifications since its start."""
        return read_notifications(self.api.get_text("/metrics"))


def read_names(entries: Any) -> list[str]:
    return [text(entry["name"]) for entry in entries]


def read_alert(entry: Any) -> KnownAlert:
    status = entry.get("status") or {}
    return KnownAlert(
        receivers=tuple(read_names(entry.get("receivers") or ())),
        state=text(status.get("state", "unprocessed")),
        silenced_by=tuple(map(text, status.get("silencedBy") or ())),
        inhibited_by=tuple(map(text, status.get("inhibitedBy") or ())),
    )
