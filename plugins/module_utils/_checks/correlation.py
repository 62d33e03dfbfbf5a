# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does each link between data sources lead somewhere, and why not?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._findings import Finding, Severity, did_you_mean
from .._grafana_model.links import DerivedField, SpanFacts, SpanLink, Tag
from .._grafana_model.model import DataSource
from .result import CheckResult

TRACE_ID = re.compile(r"(?<![0-9a-fA-F])[0-9a-f]{32}(?![0-9a-fA-F])")
EXCERPT = 24
"""Characters before a trace id that show how it is written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a link ends nowhere."""

    id: str
    message: str
    hint: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Hop:
    """One link that was followed."""

    source: str
    """The name of the data source whose setting it is."""
    setting: str
    gave: str = ""
    """Where it led."""
    problem: Problem | None = None

    def finding(self) -> Finding | None:
        if self.problem is None:
            return None
        identity = f"correlation/{self.problem.id}"
        where = f"data source {self.source}: {self.setting}"
        return Finding(identity, self.problem.severity, self.problem.message, self.problem.hint, object=where)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log and its labels."""

    text: str
    labels: Mapping[str, str] = field(default_factory=dict)


def check_hops(hops: Sequence[Hop]) -> CheckResult:
    findings = [finding for hop in hops if (finding := hop.finding()) is not None]
    facts = {"hops": [{"from": f"{hop.source}: {hop.setting}", "gave": hop.gave} for hop in hops]}
    return CheckResult(len(hops), len(hops) - len(findings), findings, facts)


def find_target(sources: Iterable[DataSource], uid: str, kind: str) -> DataSource | Problem:
    """The data source that a setting names by its uid; Grafana takes its name too."""
    known = {key: source for source in sources for key in (source.name, source.uid)}
    found = known.get(uid)
    if found is None:
        near = did_you_mean(uid, known) or f"there are {', '.join(sorted({one.uid for one in known.values()}))}"
        return Problem("data-source", f"it leads to uid {uid!r}, which no data source of Grafana has", near)
    if found.type != kind:
        message = f"it leads to data source {found.name}, which is of type {found.type}, not {kind}"
        return Problem("data-source", message, f"Set datasourceUid to a data source of type {kind}")
    return found


def values_of(link: DerivedField, lines: Iterable[LogLine]) -> list[str]:
    """What the derived field finds, each value once. Raises re.error."""
    found = (link.value(line.text, line.labels) for line in lines)
    return list(dict.fromkeys(value for value in found if value))


def trace_ids(lines: Iterable[LogLine], *, in_labels: bool) -> dict[str, str]:
    """What looks like a trace id in labels, or in the text, with how it stands there."""
    ids: dict[str, str] = {}
    for line in lines:
        if in_labels:
            ids |= {value: f"label {name}" for name, value in line.labels.items() if TRACE_ID.fullmatch(value)}
            continue
        for match in TRACE_ID.finditer(line.text):
            ids.setdefault(match[0], line.text[max(match.start() - EXCERPT, 0) : match.end()])
    return ids


def finds_nothing(link: DerivedField, example: str) -> Problem:
    """`example` holds a trace id that the field should have found."""
    if link.by_label:
        message = f"no label of a log line matches {link.pattern!r}, though {example} holds the id of a trace"
    else:
        message = f"its regular expression {link.pattern!r} finds nothing, though lines hold trace ids: {example!r}"
    return Problem("derived-field", message, "Correct matcherRegex; for a text its first group is the trace id")


def no_such_trace(values: Sequence[str], target: DataSource, what: str) -> Problem:
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    if not re.fullmatch(r"[0-9a-fA-F]{1,32}", values[0]):
        message = f"{what} gave {values[0]!r}{more}, which is no trace id"
        return Problem("no-trace", message, "Correct the pattern or the label: it must give the id alone")
    message = f"{what} gave {values[0]}{more}; data source {target.name} has no trace of that id"
    hint = "Does it give the whole id of a trace, not of a span? Are traces sampled, or sent to another Tempo?"
    return Problem("no-trace", message, hint)


def no_tag(link: SpanLink, span: SpanFacts) -> Problem:
    keys = ", ".join(tag.key for tag in link.tags) or "none"
    message = f"Grafana makes no link: spans have none of its tags ({keys}); they have {', '.join(span.attributes)}"
    return Problem("tags", message, "Map tags to attributes that spans have")


def refused(query: str, kind: str, reason: str) -> Problem:
    message = f"{kind} refuses the query that it makes, {query}: {reason}"
    return Problem("query", message, "Correct the query; a dollar sign is written twice in a provisioning file")


def tag_without_data(tag: Tag, value: str, kind: str, names: Collection[str]) -> Problem:
    """`names` are all labels of the data source."""
    if tag.label not in names:
        message = f"tag {tag.key} is mapped to label {tag.label}, which {kind} does not have"
        return Problem("tags", message, did_you_mean(tag.label, names) or "Map it to a label that is there")
    message = f'tag {tag.key} becomes {tag.label}="{value}", which {kind} has nothing of'
    return Problem("tags", message, "Map it to the label that has this value, or let the service send it")


def query_without_data(query: str, kind: str) -> Problem:
    message = f"the query that it makes finds nothing in {kind}, though each of its tags does: {query}"
    return Problem("query", message, "Correct the query, or the time shifts of the span's start and end")


def no_exemplar(label: str, seen: Collection[str]) -> Problem:
    if seen:
        message = f"exemplars have no label {label}; they have {', '.join(sorted(seen))}"
        return Problem("exemplars", message, did_you_mean(label, seen) or "Correct the name of the destination")
    message = "Prometheus has no exemplar of the last minutes"
    hint = "Prometheus: exemplar-storage; Tempo's metrics generator: send_exemplars; services: OpenMetrics exemplars"
    return Problem("exemplars", message, hint)


def no_line(minutes: float) -> Problem:
    message = f"no log line of the last {minutes:.0f} minutes holds the id of a trace"
    return Problem("no-line", message, "Let services write trace_id into their log lines; see traces/not-in-logs")


def no_recent_trace(minutes: float) -> Problem:
    return Problem("no-trace", f"Tempo has no trace of the last {minutes:.0f} minutes", "See the proof of traces")


def not_configured(way: str) -> Problem:
    return Problem("not-configured", f"there is no way {way}", "Set it in the data source's jsonData", "warning")


def no_service_graph(target: DataSource) -> Problem:
    message = f"data source {target.name} has no series of traces_service_graph_request_total"
    hint = "Tempo: metrics_generator.processors needs service-graphs, and its remote write must reach Prometheus"
    return Problem("service-map", message, hint)
