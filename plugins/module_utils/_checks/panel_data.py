# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a panel shows is of now, and whose data they are when it is not.

A rate over five minutes, or a graph of an hour, still shows the last samples of what is gone. So the series behind a
query are asked for their newest sample. Logs and traces are events, which have no interval: the newest of them must be
in the window that is asked for, and that they arrive now is proved for itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from .._findings import Finding
from .._grafana_model.panels import EXPRESSION, Panel
from .._promql import Profile, PromQLError, parse, to_text
from .._promql.literals import parse_duration
from .._promql.nodes import METRIC_NAME, Binary, Call, Expr, MatrixSelector, Subquery, VectorSelector, children
from .._promql.profile import FEATURES, NEWEST
from .dashboards import has_sample, text_of
from .freshness import shown_age

LOOK_BACK = "5m"
"""The time range of a dashboard that is proved."""
PROFILE = Profile(NEWEST, FEATURES)
MOST_NAMED = 3
NO_DATA = "dashboards/no-data"
OF_A_TARGET = frozenset({"job", "instance", "namespace", "service", "pod", "container", "node", "endpoint", "cluster"})
"""Labels that say who writes; the others say of what, and what is rare may have no series since a restart."""
MACRO = re.compile(r"\$\{?__\w+(?::\w+)?\}?")
LOG_RANGE = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|\[(?P<range>[0-9a-z]+)\]')


class Source(NamedTuple):
    """Series that a query needs: an instant selector, and the uid of the data source that has them."""

    uid: str
    selector: str


class Seen(NamedTuple):
    """The newest sample of a source: whose it is, and how many seconds old."""

    job: str
    age: float


class Starved(NamedTuple):
    """A panel without data of now, and the sources that it misses; none where they are not known."""

    panel: Panel
    sources: tuple[Source, ...]

    @property
    def queries(self) -> str:
        return "; ".join(text_of(query) for query in self.panel.queries)

    @property
    def uids(self) -> set[str]:
        """Of the data sources that it asks."""
        return {uid_of(query) for query in self.panel.queries}


IsFresh = Callable[[Source], bool]


def sources_of(query: Mapping[str, Any]) -> list[Source]:
    """All series that a query of Prometheus reads; none where it is no PromQL, or of another data source."""
    return stale_sources(query, lambda _source: False)


def stale_sources(query: Mapping[str, Any], is_fresh: IsFresh) -> list[Source]:
    """What keeps a query's answer from being of now: empty where nothing does."""
    source = query.get("datasource") or {}
    if source.get("type") != "prometheus" or not isinstance(query.get("expr"), str):
        return []
    uid = str(source.get("uid") or "")
    try:
        tree = parse(MACRO.sub(LOOK_BACK, query["expr"]), PROFILE)
        stale = _stale(tree, False, lambda selector: is_fresh(Source(uid, selector)))
    except (PromQLError, RecursionError):  # Prometheus has answered it: it is newer than this parser
        return []
    return [Source(uid, selector) for selector in dict.fromkeys(stale)]


def _stale(expr: Expr, windowed: bool, is_fresh: Callable[[str], bool]) -> list[str]:
    """The selectors that keep an expression's value from being of now."""
    if isinstance(expr, VectorSelector):
        selector = _instant(expr, windowed)
        return [] if is_fresh(selector) else [selector]
    if isinstance(expr, Call) and expr.name.startswith("absent"):
        return []
    if isinstance(expr, Binary) and expr.operator == "or":
        sides = [_stale(side, windowed, is_fresh) for side in children(expr)]
        return [selector for side in sides for selector in side] if all(sides) else []
    if isinstance(expr, Binary) and expr.operator == "unless":
        return _stale(expr.left, windowed, is_fresh)
    windowed = windowed or isinstance(expr, MatrixSelector | Subquery)
    return [selector for child in children(expr) for selector in _stale(child, windowed, is_fresh)]


def _instant(selector: VectorSelector, windowed: bool) -> str:
    """The selector as it is now. In a window of events it is enough that the metric's targets write it."""
    matchers = selector.matchers
    if windowed and selector.metric:
        matchers = [matcher for matcher in matchers if matcher.name in OF_A_TARGET | {METRIC_NAME}]
    return to_text(replace(selector, matchers=matchers, modifiers=None))


def bounded(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """The query of a log panel with no window longer than the look-back: lines of before are no proof of now."""
    source = query.get("datasource") or {}
    if source.get("type") != "loki" or not isinstance(query.get("expr"), str):
        return query

    def shorten(match: re.Match[str]) -> str:
        return f"[{LOOK_BACK}]" if match["range"] and _seconds(match["range"]) > _seconds(LOOK_BACK) else match[0]

    return {**query, "expr": LOG_RANGE.sub(shorten, query["expr"])}


def _seconds(duration: str) -> float:
    try:
        return parse_duration(duration)
    except ValueError:
        return 0.0


def starved(panel: Panel, results: Mapping[str, Mapping[str, Any]], is_fresh: IsFresh) -> Starved | None:
    """None where a query of the panel has a sample, and its series are of now."""
    asked = [query for query in panel.queries if query["datasource"] != EXPRESSION] or panel.queries
    answered = [query for query in asked if has_sample(results.get(query["refId"], {}))]
    missed = [stale_sources(query, is_fresh) for query in answered]
    if not all(missed):
        return None
    sources = missed or [stale_sources(query, is_fresh) for query in asked]
    return Starved(panel, tuple(dict.fromkeys(source for found in sources for source in found)))


def answering(panel: Panel, results: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The uids of the data sources that had a sample for a panel."""
    return {uid_of(query) for query in panel.queries if has_sample(results.get(query["refId"], {}))}


def uid_of(query: Mapping[str, Any]) -> str:
    return str((query.get("datasource") or {}).get("uid") or "")


class Facts(NamedTuple):
    """What causes are told by."""

    seen: Mapping[Source, Seen]
    """The sources that had a sample within an hour."""
    up: Mapping[tuple[str, str], float]
    """How many targets of a job are up, by the uid of the data source and the job."""
    answering: Collection[str]
    """The uids of the data sources that had a sample for any panel."""


def explain(panels: Sequence[Starved], facts: Facts) -> list[Finding]:
    """Why panels have no data of now: one finding for each cause."""
    asked = Counter(uid for panel in panels for uid in panel.uids)
    silent = {uid for uid, count in asked.items() if count > 1 and uid not in facts.answering}
    by_cause: dict[Cause, list[Starved]] = {}
    for panel in panels:
        by_cause.setdefault(cause_of(panel, facts, silent), []).append(panel)
    return [cause.finding(group, facts.seen) for cause, group in by_cause.items()]


class Cause(NamedTuple):
    """Why panels have no data of now, without what differs between them."""

    id: str
    object: str
    message: str
    hint: str

    def finding(self, panels: Sequence[Starved], seen: Mapping[Source, Seen]) -> Finding:
        message = self.message
        ages = [seen[source].age for panel in panels for source in panel.sources if source in seen]
        if self.id != NO_DATA:
            age = f", the newest sample is {shown_age(min(ages))} old" if ages else ""
            message = f"{message}{age}: {_named(panels)}"
        evidence = {"panels": {panel.panel.label: panel.queries for panel in panels}}
        return Finding(self.id, "error", message, self.hint, object=self.object, evidence=evidence)


def cause_of(panel: Starved, facts: Facts, silent: Collection[str]) -> Cause:
    """By the data source where it has nothing at all (`silent`), else by the series that were seen last.

    What stands beside those may be missing for ever: an older name, another exporter.
    """
    seen = facts.seen
    known = sorted((seen[source].age, source) for source in panel.sources if source in seen)
    if not known and len(panel.uids) == 1 and panel.uids <= set(silent):
        (uid,) = panel.uids
        message = "it answers, and has nothing of the last five minutes for any panel"
        hint = "Look whether anything reaches it: the proofs of the targets, of the logs and of the traces say so"
        return Cause("dashboards/source-empty", f"data source {uid}", message, hint)
    if not known:
        never = f", and none of {panel.sources[0].selector} in the last hour" if panel.sources else ""
        message = f"no sample in the last five minutes{never}: {panel.queries}"
        hint = "Check the names in the query, or say in the panel's description why it may be empty (May be empty: ...)"
        return Cause(NO_DATA, panel.panel.label, message, hint)
    source = known[0][1]
    job = seen[source].job
    targets = facts.up.get((source.uid, job))
    if job and targets is None:
        hint = "Look whether its pods run and a monitor selects them: kubectl get pods,servicemonitors,podmonitors -A"
        return Cause("dashboards/job-gone", f"job {job}", "Prometheus has no target of this job any more", hint)
    if job and not targets:
        hint = "Look at its pods; the proof of the scrape targets has the error of each"
        return Cause("dashboards/job-down", f"job {job}", "no target of this job is up", hint)
    whose = f", though {targets:g} targets of job {job} are up" if job else ""
    hint = (
        "Look at what writes it: a metric that was renamed or dropped, a rule group or a remote write that stands still"
    )
    return Cause("dashboards/old-data", source.selector, f"it is written no more{whose}", hint)


def _named(panels: Sequence[Starved]) -> str:
    labels = [panel.panel.label for panel in panels]
    if len(labels) == 1:
        return f"{labels[0]} shows old data or none"
    more = f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else ""
    return f"{len(labels)} panels show old data or none: {', '.join(labels[:MOST_NAMED])}{more}"
