# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preview makes of Grafana's answers: the double's own frames go in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.grafana import frames as double
from tools.preview import frames

Object = dict[str, Any]
STEPS: list[Object] = [{"color": "good", "value": None}, {"color": "bad", "value": 5}]


def matrix(*series: tuple[dict[str, str], list[list[Any]]]) -> Object:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"data": {"resultType": "matrix", "result": result}}


def vector(*series: tuple[dict[str, str], str]) -> Object:
    result = [{"metric": labels, "value": [60, value]} for labels, value in series]
    return {"data": {"resultType": "vector", "result": result}}


def test_a_series_has_its_legends_name_and_its_last_real_value() -> None:
    answer = matrix(({"job": "web"}, [[60, "1"], [120, "2"], [180, "NaN"]]))
    (one,) = frames.series({"A": {"frames": double.series(answer, "A", "", "{{job}}!")}})
    assert (one.name, one.times, one.values, one.last) == ("web!", [60000, 120000, 180000], [1, 2, None], 2)


@pytest.mark.parametrize(
    ("legend", "name"), [("{{job}} {{pod}}", "web "), ("{{ job }}", "web"), ("{{pod}}", "Value"), ("total", "total")]
)
def test_a_label_that_is_missing_is_nothing_in_a_legend(legend: str, name: str) -> None:
    """As Grafana's back ends replace it; a name of nothing is none, and the column's own is shown."""
    (frame,) = double.series(matrix(({"job": "web"}, [[60, "1"]])), "A", "", legend)
    (one,) = frames.series({"A": {"frames": [frame]}})
    assert one.name == name
    assert "name" not in frame["schema"] or frame["schema"]["name"] == name


def test_a_table_has_one_row_for_each_set_of_labels() -> None:
    panel = {
        "targets": [{"datasource": {"type": "prometheus"}}] * 2,
        "transformations": [{"id": "organize", "options": {"renameByName": {"job": "Service"}}}],
        "fieldConfig": {
            "overrides": [
                {
                    "matcher": {"options": f"Value #{ref}"},
                    "properties": [{"id": "displayName", "value": title}, {"id": "unit", "value": unit}],
                }
                for ref, title, unit in (("A", "Size", "bytes"), ("B", "Age", "s"))
            ]
        },
    }
    sizes = double.series(vector(({"job": "b"}, "2048"), ({"job": "a"}, "1")), "A", "")
    ages = double.series(vector(({"job": "a"}, "0.25")), "B", "")
    found = frames.rows(panel, {"A": {"frames": sizes}, "B": {"frames": ages}})
    assert found == (["Service", "Size", "Age"], [["a", "1 B", "250 ms"], ["b", "2 KiB", ""]])


def test_traces_come_with_the_slowest_first() -> None:
    answer = {
        "traces": [
            {"traceID": name * 32, "rootServiceName": "web", "rootTraceName": "GET /", "durationMs": took,
             "startTimeUnixNano": "1000000"}
            for name, took in (("a", 5), ("b", 50))
        ]
    }  # fmt: skip
    panel = {"targets": [{"datasource": {"type": "tempo"}}]}
    _, body = frames.rows(panel, {"A": {"frames": double.traces(answer, "A", "")}})
    assert [row[0][0] for row in body] == ["b", "a"]
    assert body[0][1:] == ["00:00:00", "web", "GET /", "50 ms"]


def test_lines_come_with_their_time() -> None:
    streams = [{"stream": {"app": "web"}, "values": [["3600000000000", "late"], ["60000000000", "early"]]}]
    answer = {"data": {"resultType": "streams", "result": streams}}
    assert frames.lines({"A": {"frames": double.streams(answer, "A", "")}}) == ["01:00:00 late", "00:01:00 early"]


def test_a_heatmaps_series_are_ordered_by_their_bound() -> None:
    values = [[60, "1"]]
    answer = matrix(({"le": "+Inf"}, values), ({"le": "10.0"}, values), ({"le": "2.5"}, values))
    ordered = frames.bounds(frames.series({"A": {"frames": double.series(answer, "A", "", "{{le}}")}}))
    assert list(ordered) == [2.5, 10, float("inf")]


def test_what_failed_is_told() -> None:
    assert frames.errors({"B": {"error": "no"}, "A": {"frames": []}}) == ["B: no"]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0312, "percentunit", "3.12 %"),
        (0.0000421, "s", "42.1 µs"),
        (90.0, "s", "1.5 min"),
        (1500.0, "short", "1.5 K"),
        (0.0, "bytes", "0"),
        (3.0, "reqps", "3 req/s"),
        (0.25, "ops", "0.25 ops/s"),
        (1234.0, "reqps", "1.23K req/s"),
        (2500.0, "watt", "2.5 kW"),
        (1010.0, "bytes", "1010 B"),
        (123456.0, "none", "123456"),
        (25.0, "percentunit", "2500 %"),
        (None, "s", ""),
    ],
)
def test_numbers_have_their_unit(value: float | None, unit: str, shown: str) -> None:
    assert frames.text(value, unit) == shown


@pytest.mark.parametrize(("value", "color"), [(4.9, "good"), (5.0, "bad"), (None, "good")])
def test_a_value_has_the_colour_of_the_threshold_that_it_reaches(value: float | None, color: str) -> None:
    assert frames.color_of(value, STEPS) == color


@pytest.mark.parametrize(
    ("name", "shown"), [("short", "short"), ("0123456789", "0123456789"), ("01234567890", "01234…7890")]
)
def test_a_long_name_keeps_its_beginning_and_its_end(name: str, shown: str) -> None:
    assert frames.shortened(name, 10) == shown


def test_a_state_stands_for_its_value() -> None:
    mappings = [{"type": "value", "options": {"0": {"text": "Down"}, "1": {"text": "Up"}}}]
    assert [frames.state_of(value, mappings) for value in (0.0, 1.0, 2.0)] == ["Down", "Up", ""]
