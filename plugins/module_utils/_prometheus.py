# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' HTTP API, the part that proofs read."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._http import Api, Parsed, labels, parse, text
from ._promql.literals import parse_duration


@dataclass(frozen=True, slots=True)
class Target:
    """One active scrape target. ``pool`` is the scrape configuration that it is of."""

    job: str
    url: str
    health: str
    error: str
    pool: str = ""
    last_scrape: float | None = None
    """Seconds since the epoch, by Prometheus' clock; None where it does not say."""
    interval: float = 60.0
    """Seconds."""
    labels: Mapping[str, str] = field(default_factory=dict)
    timeout: str = ""
    """Of a scrape, as Prometheus writes durations."""


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """One alert that is pending or firing."""

    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    since: float | None
    """When its expression became true, in seconds since the epoch by Prometheus' clock; None where it does not say."""


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
    labels: Mapping[str, str] = field(default_factory=dict)
    """Those that it sets, with their templates."""
    alerts: tuple[ActiveAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other, each `interval` seconds."""

    name: str
    interval: float
    last_evaluation: float | None
    """When the last one began, in seconds since the epoch by Prometheus' clock; None where it does not say."""
    duration: float
    """Seconds that the last one took."""
    rules: tuple[LoadedRule, ...]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What Prometheus says of itself."""

    configured: bool
    """Whether it took the newest configuration that it was given."""
    since: str
    """When it took the one that it runs, as it writes times."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One example of what a series counts."""

    metric: str
    labels: Mapping[str, str]
    """Its own, such as trace_id."""
    moment: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Prometheus:
    api: Api

    def now(self) -> float:
        """Prometheus' own clock, in seconds since the epoch: this machine's may be minutes off."""
        path = "/api/v1/query"
        return _read(path, lambda data: float(data["result"][1]), self.api.post_form(path, {"query": "time()"}))

    def runtime(self) -> Runtime:
        path = "/api/v1/status/runtimeinfo"
        return _read(path, read_runtime, self.api.get(path))

    def targets(self) -> list[Target]:
        path = "/api/v1/targets"
        answer = self.api.get(path, {"state": "active"})
        return _read(path, lambda data: [read_target(entry) for entry in data["activeTargets"]], answer)

    def dropped(self) -> dict[str, int]:
        """How many discovered targets relabelling drops, by scrape pool."""
        path = "/api/v1/targets"
        answer = self.api.get(path, {"state": "dropped"})
        return _read(path, read_dropped, answer)

    def rule_groups(self) -> list[RuleGroup]:
        path = "/api/v1/rules"
        return _read(path, lambda data: [read_group(group) for group in data["groups"]], self.api.get(path))

    def alertmanagers(self) -> list[str]:
        """The URLs that alerts are sent to."""
        path = "/api/v1/alertmanagers"
        return _read(
            path, lambda data: [str(entry["url"]) for entry in data["activeAlertmanagers"]], self.api.get(path)
        )

    def format_query(self, expr: str) -> str:
        """The expression as Prometheus writes it; HttpError 400 where it is not PromQL."""
        path = "/api/v1/format_query"
        return _read(path, text, self.api.post_form(path, {"query": expr}))

    def series(self, expr: str, most: int) -> list[dict[str, str]]:
        """The labels of what the expression gives now, at most so many."""
        path = "/api/v1/query"
        answer = self.api.post_form(path, {"query": expr, "limit": str(most)})
        return _read(path, lambda data: [labels(entry["metric"]) for entry in data["result"][:most]], answer)

    def value(self, expr: str) -> float | None:
        """What an expression of at most one series gives now; None where it gives none."""
        path = "/api/v1/query"
        answer = self.api.post_form(path, {"query": expr})
        return _read(path, lambda data: next((float(one["value"][1]) for one in data["result"]), None), answer)

    def points(self, expr: str, *, start: float, end: float, step: int) -> int:
        """How many finite values a range query gives between two times in seconds since the epoch."""
        path = "/api/v1/query_range"
        form = {"query": expr, "start": f"{start:.0f}", "end": f"{end:.0f}", "step": str(step)}
        return _read(path, count_points, self.api.post_form(path, form))

    def exemplars(self, expr: str, *, start: float, end: float) -> list[Exemplar]:
        """Those of the series that the expression selects, between two times; the newest first."""
        path = "/api/v1/query_exemplars"
        form = {"query": expr, "start": f"{start:.0f}", "end": f"{end:.0f}"}
        found = _read(path, read_exemplars, self.api.post_form(path, form))
        return sorted(found, key=lambda exemplar: exemplar.moment, reverse=True)

    def label_names(self) -> list[str]:
        path = "/api/v1/labels"
        return _read(path, lambda data: [text(name) for name in data], self.api.get(path))

    def values(self, expr: str, label: str) -> dict[str, float]:
        """The values of an instant query's series, by a label that tells them apart."""
        path = "/api/v1/query"
        answer = self.api.post_form(path, {"query": expr})
        return _read(
            path, lambda data: {text(one["metric"][label]): float(one["value"][1]) for one in data["result"]}, answer
        )

    def target_metadata(self, match_target: str) -> dict[str, str]:
        """Metric family → type, as the targets with these labels expose it."""
        path = "/api/v1/targets/metadata"
        answer = self.api.get(path, {"match_target": match_target})
        return _read(path, lambda data: {text(entry["metric"]): text(entry["type"]) for entry in data}, answer)


def _read(path: str, read: Callable[[Any], Parsed], answer: Any) -> Parsed:
    """Read the data of an answer; HttpError where it is not Prometheus'."""
    return parse("Prometheus", path, lambda whole: read(whole["data"]), answer)


def count_points(data: Any) -> int:
    return sum(math.isfinite(float(value)) for series in data["result"] for _moment, value in series["values"])


def read_exemplars(data: Any) -> list[Exemplar]:
    return [
        Exemplar(text(series["seriesLabels"].get("__name__", "")), labels(entry["labels"]), float(entry["timestamp"]))
        for series in data
        for entry in series["exemplars"]
    ]


def read_moment(written: Any) -> float | None:
    """Seconds since the epoch of a time in RFC 3339; None for none, and for Go's year 1, which means never."""
    moment = datetime.datetime.fromisoformat(text(written)).timestamp() if written else 0.0
    return moment if moment > 0 else None


def read_group(group: Mapping[str, Any]) -> RuleGroup:
    name = text(group["name"])
    return RuleGroup(
        name=name,
        interval=float(group.get("interval", 60)),
        last_evaluation=read_moment(group.get("lastEvaluation")),
        duration=float(group.get("evaluationTime", 0)),
        rules=tuple(read_rule(name, rule) for rule in group["rules"]),
    )


def read_runtime(data: Mapping[str, Any]) -> Runtime:
    return Runtime(bool(data.get("reloadConfigSuccess", True)), text(data.get("lastConfigTime", "")))


def read_target(entry: Mapping[str, Any]) -> Target:
    pool = text(entry.get("scrapePool", ""))
    return Target(
        job=text(entry.get("labels", {}).get("job") or pool),
        url=text(entry.get("scrapeUrl", "")),
        health=text(entry.get("health", "unknown")),
        error=text(entry.get("lastError", "")),
        pool=pool,
        last_scrape=read_moment(entry.get("lastScrape")),
        interval=parse_duration(text(entry.get("scrapeInterval", "1m"))),
        labels=labels(entry.get("labels") or {}),
        timeout=text(entry.get("scrapeTimeout", "")),
    )


def read_dropped(data: Any) -> dict[str, int]:
    """Prometheus before 2.47 does not count them."""
    return {text(pool): int(count) for pool, count in (data.get("droppedTargetCounts") or {}).items()}


def read_rule(group: str, rule: Mapping[str, Any]) -> LoadedRule:
    return LoadedRule(
        group=group,
        kind=text(rule["type"]),
        name=text(rule["name"]),
        expr=text(rule["query"]),
        seconds=float(rule.get("duration", 0)),
        health=text(rule.get("health", "unknown")),
        error=text(rule.get("lastError", "")),
        labels=labels(rule.get("labels") or {}),
        alerts=tuple(read_alert(alert) for alert in rule.get("alerts") or ()),
    )


def read_alert(alert: Mapping[str, Any]) -> ActiveAlert:
    return ActiveAlert(
        state=text(alert.get("state", "")),
        labels=labels(alert.get("labels") or {}),
        annotations=labels(alert.get("annotations") or {}),
        since=read_moment(alert.get("activeAt")),
    )
