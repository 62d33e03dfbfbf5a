# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of Prometheus, Loki and Tempo as data frames. Pure functions."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Frame = dict[str, Any]
TYPES = {
    "time": ("time", "time.Time"),
    "float": ("number", "float64"),
    "int": ("number", "int64"),
    "string": ("string", "string"),
    "json": ("other", "json.RawMessage"),
}
SPECIAL = {math.inf: "Inf", -math.inf: "NegInf"}


def field(name: str, kind: str, values: list[Any], **more: Any) -> tuple[dict[str, Any], list[Any]]:
    """A column: its schema and its values."""
    shown, go = TYPES[kind]
    return {"name": name, "type": shown, "typeInfo": {"frame": go}, **more}, values


def frame(name: str, ref: str, meta: Mapping[str, Any], fields: Sequence[tuple[dict[str, Any], list[Any]]]) -> Frame:
    """NaN and the infinities are no JSON: null in the column, listed beside it."""
    columns, entities = [], []
    for _, values in fields:
        columns.append([None if _odd(value) else value for value in values])
        odd: dict[str, list[int]] = {}
        for index, value in enumerate(values):
            if _odd(value):
                odd.setdefault(SPECIAL.get(value, "NaN"), []).append(index)
        entities.append(odd or None)
    schema = {"refId": ref, "meta": dict(meta), "fields": [head for head, _ in fields]}
    data: dict[str, Any] = {"values": columns}
    if any(entities):
        data["entities"] = entities
    return {"schema": {"name": name, **schema} if name else schema, "data": data}


def _odd(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def series(answer: Mapping[str, Any], ref: str, executed: str, legend: str = "") -> list[Frame]:
    """One frame a series, for matrix, vector and scalar; Prometheus and Loki answer alike."""
    data = answer["data"]
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        result = [{"metric": {}, "value": result}]
    meta_type = "timeseries-multi" if kind == "matrix" else "numeric-multi"
    meta = {
        "type": meta_type,
        "typeVersion": [0, 1],
        "custom": {"resultType": kind},
        "executedQueryString": executed,
    }
    return [_one_series(entry, ref, meta, legend) for entry in result] or [frame("", ref, meta, [])]


def _one_series(entry: Mapping[str, Any], ref: str, meta: Mapping[str, Any], legend: str) -> Frame:
    labels = entry.get("metric") or {}
    samples = entry.get("values") or ([entry["value"]] if "value" in entry else [])
    times = [round(float(at) * 1000) for at, _ in samples]
    name = _legend(labels, legend)
    plain = {key: value for key, value in labels.items() if key != "__name__"}
    value = field(
        labels.get("__name__", "Value"),
        "float",
        [float(sample) for _, sample in samples],
        labels=plain,
        config={"displayNameFromDS": name} if name else {},
    )
    return frame(name, ref, meta, [field("Time", "time", times), value])


def _legend(labels: Mapping[str, str], legend: str) -> str:
    if legend and legend != "__auto":
        # a label that a series does not have is the empty text, in Grafana too
        return re.sub(r"\{\{\s*(.+?)\s*\}\}", lambda match: labels.get(match[1], ""), legend)
    inner = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items()) if key != "__name__")
    return labels.get("__name__", "") + (f"{{{inner}}}" if inner or "__name__" not in labels else "")


def streams(answer: Mapping[str, Any], ref: str, executed: str) -> list[Frame]:
    """Log lines of all streams in one frame, newest first, with structured metadata among the labels."""
    rows: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
    for stream in answer["data"]["result"]:
        for entry in stream["values"]:
            labels = dict(stream["stream"])
            types = dict.fromkeys(labels, "I")
            extra = entry[2] if len(entry) > 2 else {}
            for letter, part in (("S", "structuredMetadata"), ("P", "parsed")):
                found = extra.get(part) or {}
                labels |= found
                types |= dict.fromkeys(found, letter)
            rows.append((entry[0], entry[1], labels, types))
    rows.sort(key=lambda row: int(row[0]), reverse=True)
    stats = (answer["data"].get("stats") or {}).get("summary") or {}
    meta = {
        "typeVersion": [0, 0],
        "custom": {"frameType": "LabeledTimeValues"},
        "stats": [{"displayName": "Summary: total lines processed", "value": stats.get("totalLinesProcessed", 0)}],
        "executedQueryString": executed,
    }
    fields = [
        field("labels", "json", [row[2] for row in rows]),
        field("Time", "time", [int(row[0]) // 1_000_000 for row in rows]),
        field("Line", "string", [row[1] for row in rows]),
        field("tsNs", "string", [row[0] for row in rows]),
        field("labelTypes", "json", [row[3] for row in rows]),
        field("id", "string", [f"{row[0]}_{index}" for index, row in enumerate(rows)]),
    ]
    return [frame("", ref, meta, fields)]


def traces(answer: Mapping[str, Any], ref: str, executed: str) -> list[Frame]:
    """A search's answer."""
    found = answer.get("traces") or []
    fields = [
        field("traceID", "string", [_padded(entry["traceID"]) for entry in found]),
        field("startTime", "time", [int(entry.get("startTimeUnixNano") or 0) // 1_000_000 for entry in found]),
        field("traceService", "string", [entry.get("rootServiceName", "") for entry in found]),
        field("traceName", "string", [entry.get("rootTraceName", "") for entry in found]),
        field("traceDuration", "float", [float(entry.get("durationMs") or 0) for entry in found]),
    ]
    meta = {"preferredVisualisationType": "table", "executedQueryString": executed}
    return [frame("Traces", ref, meta, fields)]


def trace(answer: Mapping[str, Any], ref: str, executed: str) -> list[Frame]:
    """One trace, a row a span."""
    rows = list(_spans(answer.get("trace") or answer))
    names = ("traceID", "spanID", "parentSpanID", "operationName", "serviceName", "kind", "statusCode")
    fields = [field(name, "string", [row[name] for row in rows]) for name in names]
    fields += [field(name, "json", [row[name] for row in rows]) for name in ("serviceTags", "tags")]
    fields += [field(name, "float", [row[name] for row in rows]) for name in ("startTime", "duration")]
    meta = {"preferredVisualisationType": "trace", "executedQueryString": executed}
    return [frame("Trace", ref, meta, fields)]


def _spans(body: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for part in body.get("resourceSpans") or body.get("batches") or []:
        tags = _attributes((part.get("resource") or {}).get("attributes"))
        service = next((tag["value"] for tag in tags if tag["key"] == "service.name"), "")
        for scope in part.get("scopeSpans") or []:
            for span in scope.get("spans") or []:
                start, end = int(span.get("startTimeUnixNano") or 0), int(span.get("endTimeUnixNano") or 0)
                yield {
                    "traceID": _hex(span.get("traceId", "")),
                    "spanID": _hex(span.get("spanId", "")),
                    "parentSpanID": _hex(span.get("parentSpanId", "")),
                    "operationName": span.get("name", ""),
                    "serviceName": service,
                    "kind": str(span.get("kind", "")).removeprefix("SPAN_KIND_").lower(),
                    "statusCode": str((span.get("status") or {}).get("code", "")),
                    "serviceTags": tags,
                    "tags": _attributes(span.get("attributes")),
                    "startTime": start / 1e6,
                    "duration": (end - start) / 1e6,
                }


def _attributes(given: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [{"key": item["key"], "value": next(iter((item.get("value") or {}).values()), "")} for item in given or []]


def _hex(identifier: str) -> str:
    """Tempo writes ids in JSON as base64; OTLP's JSON has them in hex."""
    if re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}", identifier):
        return identifier
    try:
        return base64.b64decode(identifier, validate=True).hex()
    except binascii.Error:
        return identifier


def _padded(identifier: str) -> str:
    """Tempo drops leading zeros in search answers."""
    return identifier.rjust(32, "0") if len(identifier) > 16 else identifier.rjust(16, "0")


def trace_series(answer: Mapping[str, Any], ref: str, executed: str) -> list[Frame]:
    """TraceQL metrics."""
    meta = {"type": "timeseries-multi", "typeVersion": [0, 1], "executedQueryString": executed}
    found = []
    for entry in answer.get("series") or []:
        labels = {item["key"]: str(next(iter(item["value"].values()), "")) for item in entry.get("labels") or []}
        samples = entry.get("samples") or []
        times = [int(sample["timestampMs"]) for sample in samples]
        values = [float(sample.get("value") or 0) for sample in samples]
        name = json.dumps(labels) if labels else ""
        columns = [field("time", "time", times), field("Value", "float", values, labels=labels)]
        found.append(frame(name, ref, meta, columns))
    return found
