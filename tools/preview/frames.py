# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a panel's answers hold, for people: series with names, rows of a table, lines of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
Results = Mapping[str, Object]

_SCALES = {
    "short": ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"), (1, "")),
    "bytes": ((2**40, " TiB"), (2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B")),
    "Bps": ((1e9, " GB/s"), (1e6, " MB/s"), (1e3, " kB/s"), (1, " B/s")),
    **{
        unit: ((1e9, f"B {of}"), (1e6, f"M {of}"), (1e3, f"K {of}"), (1, f" {of}"))
        for unit, of in (("reqps", "req/s"), ("ops", "ops/s"), ("cps", "c/s"))
    },
    "watt": ((1e6, " MW"), (1e3, " kW"), (1, " W")),
    "s": ((86400, " d"), (3600, " h"), (60, " min"), (1, " s"), (1e-3, " ms"), (1e-6, " µs")),
}
_SUFFIX = {"reqps": " req/s", "ops": " ops/s", "cps": " c/s", "celsius": " °C", "watt": " W", "percent": " %"}


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    times: list[float]
    """Milliseconds since the epoch."""
    values: list[float | None]
    labels: Mapping[str, str]
    ref: str

    @property
    def last(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


def frames(results: Results) -> Iterator[Object]:
    for _ref, result in sorted(results.items()):
        yield from result.get("frames") or []


def series(results: Results) -> list[Series]:
    """Every column of numbers, with the time beside it."""
    found = []
    for frame in frames(results):
        fields, columns = frame["schema"]["fields"], frame["data"]["values"]
        times: list[float] = next(
            (column for field, column in zip(fields, columns, strict=True) if field["type"] == "time"), []
        )
        for field, column in zip(fields, columns, strict=True):
            if field["type"] == "number":
                name = (field.get("config") or {}).get("displayNameFromDS") or field["name"]
                found.append(Series(name, times, column, field.get("labels") or {}, frame["schema"]["refId"]))
    return found


def rows(panel: Object, results: Results) -> tuple[list[str], list[list[str]]]:
    """A table: its head, and its rows as Grafana's merge makes them, one for each set of labels."""
    if any(target["datasource"]["type"] == "tempo" for target in panel["targets"]):
        return _traces(results)
    titles = panel.get("transformations", [{}])[-1].get("options", {}).get("renameByName", {})
    shown = {one["matcher"]["options"]: one["properties"] for one in panel["fieldConfig"]["overrides"]}
    alone = len(panel["targets"]) == 1
    heads: dict[str, str] = {}
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    for one in series(results):
        properties = {entry["id"]: entry["value"] for entry in shown["Value" if alone else f"Value #{one.ref}"]}
        heads[one.ref] = properties["displayName"]
        row = cells.setdefault(tuple(one.labels.get(label, "") for label in titles), {})
        row[one.ref] = text(one.last, properties["unit"])
    body = [[*key, *(row.get(ref, "") for ref in heads)] for key, row in sorted(cells.items())]
    return [*titles.values(), *heads.values()], body


def _traces(results: Results) -> tuple[list[str], list[list[str]]]:
    """Tempo's own columns, the slowest trace first."""
    for frame in frames(results):
        names = [field["name"] for field in frame["schema"]["fields"]]
        forms = [_FORMS.get(name, str) for name in names]
        wanted = [names.index(name) for name in names if name != "nested"]
        body = [[row[place] for place in wanted] for row in zip(*frame["data"]["values"], strict=True)]
        if "traceDuration" in names:
            duration = [names[place] for place in wanted].index("traceDuration")
            body.sort(key=lambda row: row[duration] or 0, reverse=True)
        shown = [forms[place] for place in wanted]
        return [names[place] for place in wanted], [
            [form(cell) for form, cell in zip(shown, row, strict=True)] for row in body
        ]
    return [], []


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S}"


# How Tempo's columns are shown, where their own text is not for people.
_FORMS: Mapping[str, Callable[[Any], str]] = {
    "startTime": _clock,
    "traceDuration": lambda milliseconds: text(milliseconds / 1000, "s"),
}


def lines(results: Results) -> list[str]:
    """A log, newest first."""
    found = []
    for frame in frames(results):
        columns = dict(
            zip((field["name"] for field in frame["schema"]["fields"]), frame["data"]["values"], strict=True)
        )
        for at, line in zip(columns.get("Time", []), columns.get("Line", []), strict=False):
            found.append(f"{_clock(at)} {line}")
    return found


def errors(results: Results) -> list[str]:
    return [f"{ref}: {result['error']}" for ref, result in sorted(results.items()) if "error" in result]


def text(value: float | None, unit: str) -> str:
    """A number with Grafana's unit, near to how Grafana would write it."""
    if value is None:
        return ""
    if unit == "percentunit":
        return f"{_plain(value * 100)} %"
    for size, name in _SCALES.get(unit, ()):
        if abs(value) >= size:
            return f"{_plain(value / size)}{name}"
    return f"{_plain(value)}{_SUFFIX.get(unit, '')}"


def _plain(value: float) -> str:
    """Three digits; a large number whole, never with an exponent."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def shortened(name: str, most: int) -> str:
    """A name that is too long keeps its beginning and its end."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[: most - 1 - half]}…{name[-half:]}"


def color_of(value: float | None, steps: Iterable[Object]) -> str:
    """The colour of the highest threshold that the value reaches."""
    chosen = ""
    for step in steps:
        if step["value"] is None or (value is not None and value >= step["value"]):
            chosen = step["color"]
    return chosen


def state_of(value: float | None, mappings: Iterable[Object]) -> str:
    """The text that stands for a value, if one does."""
    for mapping in mappings:
        for key, shown in mapping["options"].items():
            if value is not None and float(key) == value:
                return str(shown["text"])
    return ""


def bounds(found: Iterable[Series]) -> dict[float, Series]:
    """A heatmap's series by their upper bound, the lowest first."""
    return dict(sorted({float(one.labels.get("le", one.name)): one for one in found}.items()))
