# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A LogQL query that finds nothing."""

from __future__ import annotations

from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._causes.logql import log_walk
from ansible_collections.ias.observability.plugins.module_utils._causes.walk import Question

from .scripted import follow, series
from .states import HOME, healthy, objects, pod, said

ALLOY = {"app": "alloy"}


def lines(pipeline: str, window: str = "24h") -> Question:
    return Question("lines", f"sum(count_over_time({pipeline} [{window}]))")


def walked(text: str, given: dict[Question, Any], errors: dict[Question, str] | None = None) -> str:
    return said(follow(log_walk(text, ALLOY, (HOME, "loki", 3100), {"wbe": "service"}), given, errors))


WEB = '{app="web"}'


def test_a_value_that_no_stream_has() -> None:
    given = {Question("stream_values", "app"): ["web", "api"], Question("stream_labels"): ["app"]}
    assert walked('{app="wbe"}', given) == 'no log stream has app="wbe" (from variable service): app is api, web'


def test_a_label_that_is_none_of_streams() -> None:
    text = walked(
        '{app="web", level="error"}', {lines(WEB): series({}), Question("stream_labels"): ["app", "namespace"]}
    )
    assert text == 'no log stream has level="error": level is no label of streams'


def test_a_stage_that_lets_no_line_through() -> None:
    recent = {lines(WEB): series({}), lines(WEB, "5m"): series({}), lines(f"{WEB} | json", "5m"): series({})}
    text = 'sum(rate({app="web"} | json | levle="error" [5m]))'
    assert walked(text, recent) == 'no line of {app="web"} passes the stage levle="error"'
    assert walked('{app="web"} |= "nothing"', recent) == 'no line of {app="web"} passes the stage |= "nothing"'


def test_an_offset_before_the_oldest_line() -> None:
    given = {lines(WEB): series({}), lines(WEB, "5m"): series({})}
    assert "looks 720 h back" in walked('rate({app="web"}[5m] offset 30d)', given)


def test_who_writes_no_lines_any_more() -> None:
    given: dict[Question, Any] = {lines(WEB): series({})}
    kinds = healthy()
    kinds["pods"][0] = pod("web-1", {"app": "web"}, ready=False)
    assert "pod ias-system/web-1 runs, but container main is not ready" in walked(
        WEB, given | {Question("cluster"): objects(kinds)}
    )
    kinds["pods"] = kinds["pods"][1:]
    kinds["deployments"][0]["spec"]["replicas"] = 0
    assert walked(WEB, given | {Question("cluster"): objects(kinds)}) == "Deployment ias-system/web is scaled to 0"


def test_what_loki_refuses() -> None:
    assert walked(WEB, {}, {lines(WEB, "5m"): "no org id"}) == 'Loki refuses {app="web"}: no org id'
    assert walked("{", {}).startswith("the query is not LogQL: ")
