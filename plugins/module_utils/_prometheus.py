# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' HTTP API, the part that proofs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ._http import Api


@dataclass(frozen=True, slots=True)
class Target:
    """One active scrape target. ``pool`` is the scrape configuration that it is of."""

    job: str
    url: str
    health: str
    error: str
    pool: str = ""


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """One rule as Prometheus evaluates it. ``expr`` is in Prometheus' own formatting."""

    group: str
    kind: str
    name: str
    expr: str
    seconds: float
    health: str
    error: str


@dataclass(frozen=True)
class Prometheus:
    api: Api

    def targets(self) -> list[Target]:
        return [read_target(entry) for entry in self._data("/api/v1/targets", state="active")["activeTargets"]]

    def rules(self) -> list[LoadedRule]:
        groups = self._data("/api/v1/rules")["groups"]
        return [read_rule(group["name"], rule) for group in groups for rule in group["rules"]]

    def alertmanagers(self) -> list[str]:
        """The URLs that alerts are sent to."""
        return [entry["url"] for entry in self._data("/api/v1/alertmanagers")["activeAlertmanagers"]]

    def format_query(self, expr: str) -> str:
        """The expression as Prometheus writes it; HttpError 400 where it is not PromQL."""
        return str(self.api.post_form("/api/v1/format_query", {"query": expr})["data"])

    def series(self, expr: str, most: int) -> list[dict[str, str]]:
        """The labels of what the expression gives now, at most so many."""
        answer = self.api.post_form("/api/v1/query", {"query": expr, "limit": str(most)})
        return [dict(entry["metric"]) for entry in answer["data"]["result"][:most]]

    def target_metadata(self, match_target: str) -> dict[str, str]:
        """Metric family → type, as the targets with these labels tell it."""
        told = self.api.get("/api/v1/targets/metadata", {"match_target": match_target})["data"]
        return {entry["metric"]: entry["type"] for entry in told}

    def _data(self, path: str, **query: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self.api.get(path, query)["data"])


def read_target(entry: Mapping[str, Any]) -> Target:
    pool = entry.get("scrapePool", "")
    job = entry.get("labels", {}).get("job") or pool
    return Target(job, entry.get("scrapeUrl", ""), entry.get("health", "unknown"), entry.get("lastError", ""), pool)


def read_rule(group: str, rule: Mapping[str, Any]) -> LoadedRule:
    return LoadedRule(
        group=group,
        kind=rule["type"],
        name=rule["name"],
        expr=rule["query"],
        seconds=float(rule.get("duration", 0)),
        health=rule.get("health", "unknown"),
        error=rule.get("lastError", ""),
    )
