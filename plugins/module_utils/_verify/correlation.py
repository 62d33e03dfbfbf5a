# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow the links between Grafana's data sources: log line, trace, its logs, its metrics, their exemplars, a trace."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .._checks import correlation as checks
from .._checks.correlation import Hop, LogLine, Problem
from .._checks.result import CheckResult
from .._grafana.client import Grafana
from .._grafana_model import links
from .._grafana_model.links import DerivedField, Destination, SpanFacts, SpanLink
from .._grafana_model.model import DataSource
from .._http import HttpError
from .._loki import Loki
from .._prometheus import Prometheus
from .._tempo import Tempo

WINDOW_SECONDS = 900.0
LINES, VALUES, TRACES, QUERIES = 50, 10, 3, 20
"""How many are looked at, at most, before a link is said to end nowhere."""
STEP_SECONDS = 15
ALL_SERIES = '{__name__=~".+"}'


class Answers(NamedTuple):
    """A data source that is asked by a link out of a span."""

    kind: str
    find: Callable[[str, SpanFacts], bool]
    """Whether a query finds something at the time of that span."""
    label_names: Callable[[], Sequence[str]]


@dataclass
class Walk:
    """One walk over all links. What a hop finds is where the next one begins."""

    grafana: Grafana
    sources: Sequence[DataSource]
    now: float
    traces: dict[str, list[str]] = field(default_factory=dict)
    """Trace ids that logs led to, by the uid of their data source."""
    metric_queries: dict[str, list[str]] = field(default_factory=dict)
    """Queries that spans led to, by the uid of their data source."""

    @property
    def since(self) -> float:
        return self.now - WINDOW_SECONDS

    def of_type(self, kind: str) -> list[DataSource]:
        return [source for source in self.sources if source.type == kind]

    def hops(self) -> Iterator[Hop]:
        for source in self.of_type("loki"):
            yield from self._from_logs(source)
        for source in self.of_type("tempo"):
            yield from self._from_spans(source)
        for source in self.of_type("prometheus"):
            yield from self._from_exemplars(source)

    # -- out of a log line

    def _from_logs(self, source: DataSource) -> Iterator[Hop]:
        fields = links.derived_fields(source.options)
        inner = [field for field in fields if field.target]
        if not inner:
            yield Hop(source.name, "derivedFields", problem=checks.not_configured("from a log line to its trace"))
            return
        lines = list(self._lines(Loki(self.grafana.source_api(source.uid)), inner))
        hops = [self._derived_field(source, field, lines) for field in inner]
        if not any(hop.gave or hop.problem for hop in hops):
            hops = [Hop(source.name, "derivedFields", problem=checks.no_line(WINDOW_SECONDS / 60))]
        yield from hops

    def _lines(self, loki: Loki, fields: Sequence[DerivedField]) -> Iterator[LogLine]:
        """New lines that may hold a trace id."""
        names = loki.label_names()
        if not names:
            return
        label = "service_name" if "service_name" in names else names[0]
        filters = ['|~ "[0-9a-f]{32}"', *(_logql_filter(field) for field in fields)]
        for one in filters:
            try:
                found = loki.newest(f'{{{label}=~".+"}} {one}', start=self.since, end=self.now, limit=LINES)
            except HttpError as error:
                if error.status != 400:  # JavaScript has regular expressions that Loki has not
                    raise
                continue
            yield from (LogLine(entry.text, entry.labels) for entry in found)

    def _derived_field(self, source: DataSource, link: DerivedField, lines: Sequence[LogLine]) -> Hop:
        setting = f"derivedFields, {link.name}"
        target = checks.find_target(self.sources, link.target, "tempo")
        if isinstance(target, Problem):
            return Hop(source.name, setting, problem=target)
        try:
            values = checks.values_of(link, lines)
        except re.error as error:
            problem = checks.refused(link.pattern, "a regular expression's reader", str(error))
            return Hop(source.name, setting, problem=problem)
        if values:
            return self._to_trace(source, setting, target, values, "the log lines")
        for trace_id, example in list(checks.trace_ids(lines, in_labels=link.by_label).items())[:VALUES]:
            if self._trace(target, trace_id):
                return Hop(source.name, setting, problem=checks.finds_nothing(link, example))
        return Hop(source.name, setting)

    def _to_trace(self, source: DataSource, setting: str, target: DataSource, values: Sequence[str], what: str) -> Hop:
        for value in values[:VALUES]:
            if self._trace(target, value):
                self.traces.setdefault(target.uid, []).append(value)
                return Hop(source.name, setting, gave=f"trace {value}")
        return Hop(source.name, setting, problem=checks.no_such_trace(values, target, what))

    def _trace(self, target: DataSource, trace_id: str) -> list[SpanFacts]:
        """The spans of a trace; none where there is no such trace."""
        if not re.fullmatch(r"[0-9a-fA-F]{1,32}", trace_id):
            return []
        try:
            spans = Tempo(self.grafana.source_api(target.uid)).trace(trace_id)
        except HttpError as error:
            if error.status in {400, 404}:
                return []
            raise
        return [SpanFacts(trace_id, *span) for span in spans]

    # -- out of a span

    def _from_spans(self, source: DataSource) -> Iterator[Hop]:
        spans = self._spans(source)
        if not spans:
            yield Hop(source.name, "search", problem=checks.no_recent_trace(WINDOW_SECONDS / 60))
            return
        to_logs = links.traces_to_logs(source.options)
        if to_logs:
            yield self._to_logs(source, to_logs, spans)
        elif self.of_type("loki"):
            yield Hop(source.name, "tracesToLogsV2", problem=checks.not_configured("from a span to its logs"))
        for link in links.traces_to_metrics(source.options):
            yield self._to_metrics(source, link, spans)
        if uid := links.service_map(source.options):
            yield self._to_service_map(source, uid)

    def _spans(self, source: DataSource) -> list[SpanFacts]:
        """Of traces that logs led to, or else of the newest."""
        ids = self.traces.get(source.uid)
        if not ids:
            tempo = Tempo(self.grafana.source_api(source.uid))
            ids = [hit.id for hit in tempo.search("{ }", start=self.since, end=self.now, limit=TRACES)]
        return [span for trace_id in ids[:TRACES] for span in self._trace(source, trace_id)]

    def _to_logs(self, source: DataSource, link: SpanLink, spans: Sequence[SpanFacts]) -> Hop:
        target = checks.find_target(self.sources, link.target, "loki")
        if isinstance(target, Problem):
            return Hop(source.name, link.name, problem=target)
        loki = Loki(self.grafana.source_api(target.uid))

        def find(query: str, span: SpanFacts) -> bool:
            start, end = link.window(span)
            return bool(loki.newest(query, start=start, end=max(end, start + 1), limit=1))

        return self._follow(source, link, spans, Answers("Loki", find, loki.label_names))

    def _to_metrics(self, source: DataSource, link: SpanLink, spans: Sequence[SpanFacts]) -> Hop:
        target = checks.find_target(self.sources, link.target, "prometheus")
        if isinstance(target, Problem):
            return Hop(source.name, link.name, problem=target)
        prometheus = Prometheus(self.grafana.source_api(target.uid))

        def find(query: str, span: SpanFacts) -> bool:
            start, end = link.window(span)
            return prometheus.points(query, start=start, end=max(end, start + 1), step=STEP_SECONDS) > 0

        hop = self._follow(source, link, spans, Answers("Prometheus", find, prometheus.label_names))
        self.metric_queries.setdefault(target.uid, []).extend([hop.gave] if hop.gave else [])
        return hop

    def _follow(self, source: DataSource, link: SpanLink, spans: Sequence[SpanFacts], answers: Answers) -> Hop:
        """By the query of any of the spans; if none finds something, by each of its tags, to say which does not."""
        queries = {query: span for span in spans if (query := link.query(span))}
        if not queries:
            return Hop(source.name, link.name, problem=checks.no_tag(link, spans[0]))
        for query, span in list(queries.items())[:QUERIES]:
            try:
                if answers.find(query, span):
                    return Hop(source.name, link.name, gave=query)
            except HttpError as error:
                if error.status != 400:
                    raise
                return Hop(source.name, link.name, problem=checks.refused(query, answers.kind, error.reason))
        query, span = next(iter(queries.items()))
        for tag, value in link.mapped(span):
            if not answers.find(f'{{{tag.label}="{value}"}}', span):
                problem = checks.tag_without_data(tag, value, answers.kind, answers.label_names())
                return Hop(source.name, link.name, problem=problem)
        return Hop(source.name, link.name, problem=checks.query_without_data(query, answers.kind))

    def _to_service_map(self, source: DataSource, uid: str) -> Hop:
        target = checks.find_target(self.sources, uid, "prometheus")
        if isinstance(target, Problem):
            return Hop(source.name, "serviceMap", problem=target)
        found = Prometheus(self.grafana.source_api(target.uid)).series("traces_service_graph_request_total", 1)
        if not found:
            return Hop(source.name, "serviceMap", problem=checks.no_service_graph(target))
        return Hop(source.name, "serviceMap", gave=f"{found[0].get('client', '')} to {found[0].get('server', '')}")

    # -- out of an exemplar

    def _from_exemplars(self, source: DataSource) -> Iterator[Hop]:
        for destination in links.exemplar_destinations(source.options):
            yield self._from_exemplar(source, destination)

    def _from_exemplar(self, source: DataSource, destination: Destination) -> Hop:
        setting = f"exemplarTraceIdDestinations, {destination.label}"
        target = checks.find_target(self.sources, destination.target, "tempo")
        if isinstance(target, Problem):
            return Hop(source.name, setting, problem=target)
        prometheus = Prometheus(self.grafana.source_api(source.uid))
        names: set[str] = set()
        for query in [*self.metric_queries.get(source.uid, []), ALL_SERIES]:
            exemplars = prometheus.exemplars(query, start=self.since, end=self.now)
            names |= {name for exemplar in exemplars for name in exemplar.labels}
            values = list(dict.fromkeys(exemplar.labels.get(destination.label, "") for exemplar in exemplars))
            values = [value for value in values if value]
            if values:
                return self._to_trace(source, setting, target, values, "the exemplars")
        return Hop(source.name, setting, problem=checks.no_exemplar(destination.label, names))


def verify_correlation(grafana: Grafana) -> CheckResult:
    """Follow every link once."""
    sources = grafana.datasources()
    kinds = {source.type: source.uid for source in sources}
    if "tempo" not in kinds:  # nothing leads to a trace
        return CheckResult(0, 0, (), {"hops": []})
    return checks.check_hops(list(Walk(grafana, sources, clock(grafana, kinds)).hops()))


def clock(grafana: Grafana, kinds: Mapping[str, str]) -> float:
    """Theirs, in seconds since the epoch: this machine's may be minutes off."""
    if "loki" in kinds:
        return Loki(grafana.source_api(kinds["loki"])).now()
    if "prometheus" in kinds:
        return Prometheus(grafana.source_api(kinds["prometheus"])).now()
    return time.time()


def _logql_filter(link: DerivedField) -> str:
    """Only the lines that the field may match."""
    if link.by_label:
        return f'| {link.pattern} != ""'
    return f"|~ `{link.pattern}`"
