# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a panel to what keeps it from showing data of now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._causes.chain import Chain, Step, broken, cause, clock, is_broken, listed, unknown
from .._causes.logql import log_walk
from .._causes.metrics import Known
from .._causes.objects import one_line
from .._causes.promql import NOT_CROSSED, expression_walk
from .._causes.sources import source_trouble
from .._causes.traceql import trace_walk
from .._causes.walk import Question
from .._checks.dashboards import has_sample, text_of
from .._checks.freshness import is_stale
from .._checks.panel_data import stale_sources
from .._findings import did_you_mean
from .._grafana.client import Grafana
from .._grafana.variables import NOT_VARIABLES, values_of
from .._grafana_model.json_values import mapping, mappings, text
from .._grafana_model.model import DataSource, Json
from .._grafana_model.panels import EXPRESSION, Panel, every_panel, find_source, read_panels
from .._grafana_model.variables import REFERENCE, Chosen, UnsupportedError, label_values, substitute_all
from .._http import HttpError
from .ask import Stack, ask, follow

START, END = "now-5m", "now"
RANGE_MILLISECONDS = 300_000
STALE_INTERVAL = 60.0
"""Seconds: what is no older than two of these is of now, whatever its own interval."""
PROBES = {"prometheus": "/api/v1/labels", "loki": "/loki/api/v1/labels", "tempo": "/api/v2/search/tags"}
MACROS = re.compile(r"\$\{?__(rate_interval|interval|range|auto|auto_interval)\}?(?![\w])")


def panel_chain(grafana: Grafana, wanted: str, stack: Stack, known: Known) -> Chain:
    """`wanted` is dashboard/panel; a part of the dashboard's title is enough where no other has it."""
    found = _find(grafana, wanted)
    if isinstance(found, Step):
        return [found]
    title, dashboard, raw = found
    walk = _PanelWalk(grafana, stack, known, grafana.datasources())
    return [Step(f"dashboard {title} has the panel {text(raw.get('title'))}"), *walk.chain(title, dashboard, raw)]


@dataclass
class _PanelWalk:
    """What stays the same on the way."""

    grafana: Grafana
    stack: Stack
    known: Known
    sources: Sequence[DataSource]

    def chain(self, title: str, dashboard: Json, raw: Mapping[str, Any]) -> Chain:
        chosen, chain = self._variables(dashboard, raw)
        if is_broken(chain):
            return chain
        (panel,) = read_panels(title, {"panels": [raw]}, self.sources, chosen) or (None,)
        if panel is None:
            return [*chain, Step("the panel has no query of its own")]
        if panel.problems:
            return [*chain, _impossible(panel.problems[0], self.sources)]
        return [*chain, *self._shown(panel, chosen)]

    def _shown(self, panel: Panel, chosen: Mapping[str, Chosen]) -> Chain:
        """Whether it shows data of now, and if not, why."""
        dangling = [step for query in panel.queries for step in self._links(query)]
        if dangling:
            return dangling
        results = self.grafana.query(panel.queries, start=START, end=END)
        shown = [query for query in panel.queries if has_sample(results.get(query["refId"], {}))]
        failed = [query for query in panel.queries if results.get(query["refId"], {}).get("error")]
        stale = None if failed or not shown else self._stale(shown)
        if shown and not failed and not stale:
            newest = newest_moment([results[query["refId"]] for query in shown])
            data = Step(f"it shows data, the newest of {clock(newest)}" if newest else "it shows data")
            empty = [query["refId"] for query in panel.queries if query not in shown]
            return [data, *([unknown(f"query {listed(empty)} has none")] if empty else [])]
        own = [query for query in panel.queries if query["datasource"] != EXPRESSION]
        below: Chain = ()
        for query in failed or ([stale] if stale else own):
            below = self._query(query, str(results.get(query["refId"], {}).get("error") or ""), chosen)
            if is_broken(below):
                break
        found = cause(below)
        if found is not None and found.hint == NOT_CROSSED:
            return [Step(f"it shows nothing, and need not: {found.text}")]
        if panel.may_be_empty and not failed:
            why = [unknown(step.text, step.hint) for step in below if step.state == "broken"]
            return [*why, Step(f"it shows nothing, and may: {panel.may_be_empty}")]
        return [broken(f"{panel.label} shows no data of now"), *below]

    def _variables(self, dashboard: Json, panel: Mapping[str, Any]) -> tuple[dict[str, Chosen], list[Step]]:
        """The values of the variables that the panel needs, and the one that has none."""
        variables = {
            text(entry.get("name")): entry for _at, entry in mappings(mapping(dashboard.get("templating")).get("list"))
        }
        needed = _needed(panel, variables)
        chosen: dict[str, Chosen] = {}
        for name, variable in variables.items():
            if text(variable.get("type")) in NOT_VARIABLES:
                continue
            problem = "its query finds nothing"
            try:
                chosen[name] = values_of(self.grafana, self.sources, variable, chosen)
                if chosen[name].values or chosen[name].pattern:
                    continue
            except (UnsupportedError, HttpError) as error:
                problem = one_line(str(error))
            if name in needed:
                trouble = broken(
                    f"variable {name} has no value: {problem}", "Correct the variable's query or its data source"
                )
                return chosen, [trouble, *_variable(variable, chosen, self.stack, self.known)]
        values = [
            f"{name}={listed(chosen[name].values or (chosen[name].pattern,), 2)}"
            for name in variables
            if name in needed & set(chosen)
        ]
        return chosen, [Step(f"its variables have values: {', '.join(values)}")] if values else []

    def _query(self, query: Json, error: str, chosen: Mapping[str, Chosen]) -> Chain:
        """One query that fails or finds nothing."""
        source = find_source(query["datasource"]["uid"], self.sources)
        if source is None:
            return []
        health = self.grafana.health(source)
        if not health.healthy:
            said = health.message if "://" in health.message else f"{health.message.rstrip('.')}{self._said(source)}"
            return [
                broken(f"data source {source.name} does not work: {one_line(said)}"),
                *source_trouble(source.type, said, self.stack.objects(), self.known.home),
            ]
        chain = [Step(f"data source {source.name} works")]
        api = self.grafana.source_api(source.uid)
        expression, origin = plain(text_of(query), query), origins(chosen)
        ask_it = {
            "prometheus": replace(self.stack, series=api),
            "loki": replace(self.stack, loki=api),
            "tempo": replace(self.stack, tempo=api),
        }
        walks = {
            "prometheus": lambda: expression_walk(expression, self.known, origin),
            "loki": lambda: log_walk(expression, self.stack.collector, self.known.loki, origin),
            "tempo": lambda: trace_walk(expression, self.known.tempo),
        }
        walk = walks.get(source.type)
        below = follow(walk(), ask_it[source.type]) if walk else []
        if error and not is_broken(below):
            below = [
                *below,
                broken(f"query {query['refId']} fails: {one_line(error)}", "Try the query in Grafana's Explore"),
            ]
        return [*chain, *below]

    def _said(self, source: DataSource) -> str:
        """What the server behind a data source answers: of most failures Grafana only tells its own log."""
        try:
            self.grafana.proxy(source.uid, PROBES.get(source.type, "/"))
        except HttpError as error:
            return f"; it answers {error.status}: {error.reason}" if error.status else f"; {error.reason}"
        return ""

    def _links(self, query: Json) -> Iterator[Step]:
        """What of a query's data source leads to another one that is not there."""
        source = find_source(query["datasource"]["uid"], self.sources)
        known = {name for other in self.sources for name in (other.uid, other.name)}
        for field, uid in links(source.options) if source else ():
            if source and uid not in known:
                text = f"{field} of data source {source.name} lead to data source {uid}, which Grafana does not have"
                near = did_you_mean(uid, known)
                yield broken(text, near[:1].upper() + near[1:] if near else f"It has {listed(sorted(known), 6)}")

    def _stale(self, queries: Sequence[Json]) -> Json | None:
        """A query that shows only what was: a rate of five minutes still shows what is gone."""
        for query in queries:
            sources = stale_sources(query, lambda source: False)
            if not sources:
                continue
            tunnels = replace(self.stack, series=self.grafana.source_api(sources[0].uid))
            questions = [Question("vector", f"time() - max(timestamp({source.selector}))") for source in sources]
            answers = ask(list(dict.fromkeys(questions)), tunnels)
            fresh = {
                source
                for source, question in zip(sources, questions, strict=True)
                if question in answers.errors
                or any(not is_stale(sample.value, STALE_INTERVAL) for sample in answers.samples(question))
            }
            stale = stale_sources(query, fresh.__contains__)
            if not stale:
                return None
            expression = stale[0].selector
            return {**query, "expr": expression}
        return None


def _find(grafana: Grafana, wanted: str) -> tuple[str, Json, Mapping[str, Any]] | Step:
    """The dashboard's title, the dashboard, and the panel."""
    hits = {text(hit["title"]): hit["uid"] for hit in grafana.search("dash-db")}
    hits |= {hit: hit for hit in hits.values() if hit not in hits}
    for at in [index for index, sign in enumerate(wanted) if sign == "/"]:
        title, name = _closest(wanted[:at].strip(), hits), wanted[at + 1 :].strip()
        if title is None:
            continue
        dashboard = grafana.dashboard(hits[title])["dashboard"]
        panels = {text(raw.get("title")): raw for raw in every_panel(dashboard) if raw.get("targets")}
        panel = _closest(name, panels)
        if panel is not None:
            return text(dashboard.get("title")) or title, dashboard, panels[panel]
        near = did_you_mean(name, panels)
        return broken(f"dashboard {title} has no panel {name}", near or f"It has {listed(sorted(panels), 8)}")
    near = did_you_mean(wanted.partition("/")[0], hits, 0.4)
    return broken(
        f"Grafana has no dashboard {wanted.partition('/')[0]}", near or "Write it as dashboard/panel; or run site.yml"
    )


def _closest(name: str, known: Mapping[str, Any]) -> str | None:
    """The key that is the name, or the one key that begins with it or holds it."""
    folded = {key.casefold(): key for key in known}
    wanted = name.casefold()
    if wanted in folded:
        return folded[wanted]
    for fits in (str.startswith, str.__contains__):
        matches = [key for low, key in folded.items() if wanted and fits(low, wanted)]
        if len(matches) == 1:
            return matches[0]
    return None


def _needed(panel: Mapping[str, Any], variables: Mapping[str, Any]) -> set[str]:
    """The variables that stand in a panel, and those that stand in their queries."""
    found: set[str] = set()
    texts = [json.dumps(panel)]
    while texts:
        for match in REFERENCE.finditer(texts.pop()):
            name = match[1] or match[2] or match[4]
            if name in variables and name not in found:
                found.add(name)
                texts.append(json.dumps(variables[name].get("query") or ""))
    return found


def _variable(variable: Mapping[str, Any], chosen: Mapping[str, Chosen], stack: Stack, known: Known) -> Iterator[Step]:
    """Why a variable's query finds nothing, where it reads series."""
    query = substitute_all(variable.get("query") or "", chosen)
    found = label_values(text(query) or text(mapping(query).get("query")))
    kind = text(mapping(variable.get("datasource")).get("type"))
    if found is None or kind not in {"", "prometheus"} or not found[0]:
        return
    selector, label = found
    steps = follow(expression_walk(selector, known), stack)
    yield from steps
    if not is_broken(steps):
        yield broken(f"no series of {selector} has a label {label}", "Correct the label of the variable's query")


def _impossible(problem: str, sources: Sequence[DataSource]) -> Step:
    """A query that cannot be asked: most often its data source is not there."""
    found = re.search(r"asks data source (\S+), which", problem)
    have = [source.uid for source in sources]
    near = did_you_mean(found[1], have) if found else ""
    return broken(
        problem, near[:1].upper() + near[1:] if near else f"The data sources have the uids {listed(sorted(have), 6)}"
    )


def links(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Setting of a data source → the uid of another one that it leads to."""
    for field, value in options.items():
        for entry in value if isinstance(value, list) else [value]:
            uid = entry.get("datasourceUid") if isinstance(entry, Mapping) else None
            if isinstance(uid, str) and uid and "$" not in uid:
                yield field, uid


def origins(chosen: Mapping[str, Chosen]) -> dict[str, str]:
    """Value → the variable that it came from; values that are short words say nothing."""
    return {value: name for name, found in chosen.items() for value in found.values if len(value) > 2}


def plain(expression: str, query: Mapping[str, Any]) -> str:
    """A query with Grafana's macros replaced, as Grafana would for the range that is looked at."""
    interval = int(query.get("intervalMs") or 15_000)
    lengths = {"rate_interval": 4 * interval, "range": RANGE_MILLISECONDS}
    return MACROS.sub(lambda match: f"{max(lengths.get(match[1], interval), 1000) // 1000}s", expression)


def newest_moment(results: Sequence[Mapping[str, Any]]) -> float:
    """The newest time of any frame, in seconds since the epoch; 0 where there is none."""
    moments = [0.0]
    for frame in (frame for result in results for frame in result.get("frames") or []):
        fields = (frame.get("schema") or {}).get("fields") or []
        columns = (frame.get("data") or {}).get("values") or []
        for field, column in zip(fields, columns, strict=False):
            if field.get("type") == "time":
                moments += [float(value) / 1000 for value in column if isinstance(value, int | float)]
    return max(moments)
