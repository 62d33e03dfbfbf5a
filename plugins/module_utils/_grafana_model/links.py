# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links between data sources, as Grafana makes them of a data source's settings (jsonData)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

DEFAULT_TAGS = ("cluster", "hostname", "namespace", "pod", "service.name", "service.namespace")
LINE_CHARACTERS = 20_000
"""Of a line a trace id is looked for in so many."""
_SHIFT = re.compile(r"(-?)(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Tag(NamedTuple):
    """An attribute of spans, and the label that it is in the other data source."""

    key: str
    label: str


class SpanFacts(NamedTuple):
    """What a link out of a span may use. Times are seconds since the epoch."""

    trace_id: str
    span_id: str
    name: str
    began: float
    ended: float
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DerivedField:
    """A link out of a log line."""

    name: str
    by_label: bool
    pattern: str
    target: str
    """The uid of a data source; empty for a URL."""

    def value(self, line: str, labels: Mapping[str, str]) -> str:
        """What the link is made of; empty where the line has none. Raises re.error for a wrong pattern."""
        matcher = re.compile(python_pattern(self.pattern))
        if self.by_label:
            return next((value for name, value in labels.items() if matcher.search(name)), "")
        found = matcher.search(line[:LINE_CHARACTERS])
        return (found[1] or "") if found and matcher.groups else ""


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A link out of a span: a query in another data source."""

    name: str
    target: str
    template: str
    tags: tuple[Tag, ...]
    start_shift: float
    """Seconds, mostly below 0."""
    end_shift: float

    def mapped(self, span: SpanFacts) -> list[tuple[Tag, str]]:
        """The tags that the span has, with their values."""
        return [(tag, span.attributes[tag.key]) for tag in self.tags if span.attributes.get(tag.key)]

    def query(self, span: SpanFacts) -> str:
        """The template with what this span has. Grafana makes no link, and this is empty, where a tag is needed."""
        tags = ", ".join(f'{tag.label}="{value}"' for tag, value in self.mapped(span))
        if not tags and "__tags" in self.template:
            return ""
        values = {
            "__tags": tags,
            "__trace.traceId": span.trace_id,
            "__span.traceId": span.trace_id,
            "__span.spanId": span.span_id,
            "__span.name": span.name,
        }
        values |= {f'__span.tags["{key}"]': value for key, value in span.attributes.items()}
        text = self.template
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        return text.replace("$__tags", tags)

    def window(self, span: SpanFacts) -> tuple[float, float]:
        """From when until when the query looks."""
        return span.began + self.start_shift, span.ended + self.end_shift


class Destination(NamedTuple):
    """A link out of an exemplar."""

    label: str
    target: str


def derived_fields(options: Mapping[str, Any]) -> list[DerivedField]:
    """Of a Loki data source."""
    return [
        DerivedField(
            name=str(entry.get("name", "")),
            by_label=entry.get("matcherType") == "label",
            pattern=str(entry.get("matcherRegex", "")),
            target=str(entry.get("datasourceUid") or ""),
        )
        for entry in _entries(options.get("derivedFields"))
    ]


def traces_to_logs(options: Mapping[str, Any]) -> SpanLink | None:
    """Of a Tempo data source; None where it has no such link."""
    settings = options.get("tracesToLogsV2") or {}
    if not settings.get("datasourceUid"):
        return None
    template = str(settings.get("query") or "") if settings.get("customQuery") else _default_logs_query(settings)
    return _link("tracesToLogsV2", settings, template, default_tags=True)


def _default_logs_query(settings: Mapping[str, Any]) -> str:
    by_trace = ' |="${__span.traceId}"' if settings.get("filterByTraceID") else ""
    by_span = ' |="${__span.spanId}"' if settings.get("filterBySpanID") else ""
    return "{${__tags}}" + by_trace + by_span


def traces_to_metrics(options: Mapping[str, Any]) -> list[SpanLink]:
    """One for each query of a Tempo data source."""
    settings = options.get("tracesToMetrics") or {}
    if not settings.get("datasourceUid"):
        return []
    return [
        _link(f"tracesToMetrics, query {entry.get('name', '')!r}", settings, str(entry["query"]), default_tags=False)
        for entry in _entries(settings.get("queries"))
        if entry.get("query")
    ]


def service_map(options: Mapping[str, Any]) -> str:
    """The uid of the data source that a Tempo data source draws its service graph from."""
    return str((options.get("serviceMap") or {}).get("datasourceUid") or "")


def exemplar_destinations(options: Mapping[str, Any]) -> list[Destination]:
    """Of a Prometheus data source; those that lead to a URL are left out."""
    entries = _entries(options.get("exemplarTraceIdDestinations"))
    return [
        Destination(str(entry.get("name", "")), str(entry["datasourceUid"]))
        for entry in entries
        if entry.get("datasourceUid")
    ]


def _link(name: str, settings: Mapping[str, Any], template: str, *, default_tags: bool) -> SpanLink:
    entries = [entry for entry in _entries(settings.get("tags")) if entry.get("key")]
    keys = [(str(entry["key"]), str(entry.get("value") or "")) for entry in entries]
    if default_tags and settings.get("tags") is None:
        keys = [(key, "") for key in DEFAULT_TAGS]
    return SpanLink(
        name=name,
        target=str(settings["datasourceUid"]),
        template=template,
        tags=tuple(Tag(key, label or key.replace(".", "_")) for key, label in keys),
        start_shift=seconds(settings.get("spanStartTimeShift")),
        end_shift=seconds(settings.get("spanEndTimeShift")),
    )


def seconds(shift: Any) -> float:
    """Of a time shift such as -5m or 1h; 0 for none."""
    found = _SHIFT.fullmatch(str(shift or ""))
    return (-1 if found[1] else 1) * float(found[2]) * _SECONDS[found[3]] if found else 0.0


def python_pattern(pattern: str) -> str:
    """A regular expression of JavaScript, as Python writes it; Grafana also takes it between slashes."""
    between = re.fullmatch(r"/(.*)/\w*", pattern, re.DOTALL)
    return re.sub(r"\(\?<(?![=!])", "(?P<", between[1] if between else pattern)


def _entries(value: Any) -> Iterable[Mapping[str, Any]]:
    return [entry for entry in value or [] if isinstance(entry, Mapping)]
