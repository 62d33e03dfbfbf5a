# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An expression that gives nothing is taken apart until one part is empty by itself."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._causes.chain import cause
from ansible_collections.ias.observability.plugins.module_utils._causes.metrics import Known, drops
from ansible_collections.ias.observability.plugins.module_utils._causes.promql import NOT_CROSSED, expression_walk
from ansible_collections.ias.observability.plugins.module_utils._causes.walk import Question, Sample
from ansible_collections.ias.observability.plugins.module_utils._prometheus import LoadedRule, Target

from .scripted import follow, series, vector
from .states import HOME, healthy, objects, said

JOBS = {"requests_total": ["web"]}


def walked(expr: str, given: dict[Question, Any], variables: dict[str, str] | None = None) -> str:
    return said(follow(expression_walk(expr, Known(HOME, JOBS), variables), given))


def test_an_expression_that_has_data() -> None:
    assert walked("up", {vector("up"): series({"job": "a"})}) == ""


def test_what_is_no_promql() -> None:
    assert walked("sum(", {}).startswith("the query is not PromQL: ")


def test_a_label_that_no_series_has() -> None:
    given = {vector("group(up)"): series({}), Question("labels", "up"): ["__name__", "job", "model"]}
    steps = follow(expression_walk('sum by (job) (up{modle="x"})', Known()), given)
    found = cause(steps)
    assert found is not None
    assert found.text == 'no series of up has modle="x": it has no label modle'
    assert found.hint == "Did you mean 'model'?"


def test_a_value_that_no_series_has_and_the_variable_that_it_came_from() -> None:
    given = {
        vector("group(up)"): series({}),
        vector('group(up{job="b"})'): series({}),
        vector("group by (model) (up)"): series({"model": "llama"}, {"model": "qwen"}),
        Question("labels", "up"): ["model"],
    }
    text = walked('up{job="b", model=~"lama"}', given, {"lama": "model"})
    assert text == 'no series of up has model=~"lama" (from variable model): model is llama, qwen'


def test_matchers_that_only_fail_together() -> None:
    given = {vector(f"group(up{part})"): series({}) for part in ("", '{a="1"}', '{b="2"}')}
    assert walked('up{a="1", b="2"}', given) == 'no series of up has all of a="1" and b="2"; each alone has some'


def test_a_window_that_is_shorter_than_two_samples() -> None:
    given = {
        vector("count_over_time(up[20s])"): series({}),
        vector("max(count_over_time(up[10m]))"): series({}, value=20),
    }
    text = "the window [20s] of rate() is too short: its series have a sample every 30 s"
    assert walked("sum(rate(up[20s]))", given) == text


def test_a_window_that_holds_no_sample() -> None:
    given = {vector("group(up)"): series({}), vector("max(count_over_time(up[10m]))"): series({}, value=10)}
    assert walked("rate(up[10s])", given) == "the window [10s] holds no sample: its series have a sample every 60 s"


def test_an_offset_before_the_oldest_sample() -> None:
    given = {
        vector("group(up)"): series({}),
        vector("min(prometheus_tsdb_lowest_timestamp_seconds)"): series({}, value=0),
    }
    text = "(offset 30d); the oldest sample that Prometheus keeps is of 1970-01-01"
    assert text in walked("up offset 30d", given)


def test_two_sides_without_equal_labels() -> None:
    given = {vector("a"): series({"x": "1"}), vector("b"): series({"x": "1", "y": "2"})}
    assert "only the right one has y" in walked("a / b", given)
    given = {vector("a"): series({"x": "1"}), vector("b"): series({"x": "2"})}
    assert "have no value of label x in common: 1 and 2" in walked("a / b", given)


def test_a_comparison_that_nothing_crosses_is_marked() -> None:
    given = {vector("a"): series({"x": "1"}, value=3)}
    found = cause(follow(expression_walk("a > 5", Known()), given))
    assert found is not None
    assert (found.text, found.hint) == ("no series is > 5: a is 3", NOT_CROSSED)


def test_a_quotient_of_nothing() -> None:
    given = {vector("a / b"): [Sample({}, math.nan)], vector("a"): series({}), vector("b"): series({}, value=0)}
    assert walked("a / b", given) == "b is 0, so the quotient is no number (NaN)"


def test_only_the_side_that_is_empty_is_followed() -> None:
    given = {vector("a"): series({"x": "1"})}
    assert "does not expose requests_total" in walked("a and requests_total", given | base())
    assert walked("a unless requests_total", {}).startswith("Prometheus has no metric a")


def test_absent_is_empty_because_all_is_well() -> None:
    assert walked("absent(up)", {vector("up"): series({})}) == ""


def test_an_error_is_the_cause() -> None:
    steps = follow(
        expression_walk("a * b", Known()),
        {vector("a"): series({})},
        {vector("a * b"): "many-to-many", vector("b"): "boom"},
    )
    assert said(steps) == "b cannot be evaluated: boom"


def base(health: str = "up", **more: Any) -> dict[Question, Any]:
    """A cluster with a target of job web."""
    pool = f"serviceMonitor/{HOME}/web/0"
    labels = {"namespace": HOME, "pod": "web-1"}
    target = Target("web", "http://10.0.0.1:8080/metrics", health, "connection refused", pool, labels=labels)
    return {
        Question("cluster"): objects(more.get("kinds") or healthy()),
        Question("targets"): more.get("targets", [target]),
        Question("pools"): {pool: 0},
        Question("metric_names"): ["request_count", "requests_all_total", "up"],
    }


def scaled() -> dict[str, list[dict[str, Any]]]:
    kinds = healthy()
    kinds["pods"] = kinds["pods"][1:]
    kinds["deployments"][0]["spec"]["replicas"] = 0
    return kinds


def dropping(rule: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    kinds = healthy()
    kinds["servicemonitors"][0]["spec"]["endpoints"][0]["metricRelabelings"] = [rule]
    return kinds


RULE = {"action": "drop", "sourceLabels": ["__name__"], "regex": "requests_.*"}
EXPOSED = {Question("metadata", "requests_total"): [{"job": "web"}]}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (base(), "job web is up, but does not expose requests_total: it was renamed or taken out"),
        (
            base() | EXPOSED,
            "job web declares requests_total, but no series of it is there: "
            "nothing was counted yet, or relabelling drops it",
        ),
        (
            base(kinds=dropping(RULE)) | EXPOSED,
            "metricRelabelings of ServiceMonitor ias-system/web drop requests_total: drop requests_.*",
        ),
        (base("down"), "nothing listens on port 8080 of pod ias-system/web-1"),
        (base(targets=[], kinds=scaled()), "Deployment ias-system/web is scaled to 0"),
    ],
)
def test_a_metric_without_series(given: dict[Question, Any], text: str) -> None:
    assert walked("sum(rate(requests_total[5m]))", given) == text


def test_where_the_targets_cannot_be_asked_nothing_is_said_of_them() -> None:
    """Samples may be kept by something that scrapes nothing itself."""
    steps = follow(expression_walk("requests_total", Known(HOME, JOBS)), {}, {Question("targets"): "404"})
    assert said(steps) == "Prometheus has no series of requests_total now"


def test_a_colon_alone_makes_no_recording_rule() -> None:
    """vLLM's metrics have one."""
    given = base(targets=[], kinds=scaled())
    steps = follow(expression_walk("vllm:running", Known(HOME, {"vllm:running": ["web"]})), given)
    assert said(steps) == "Deployment ias-system/web is scaled to 0"


def test_metrics_that_tempo_makes() -> None:
    assert walked("traces_spanmetrics_calls_total", base(targets=[])) == "Service ias-system/tempo does not exist"


def test_a_metric_that_nobody_knows() -> None:
    found = cause(follow(expression_walk("requests_al_total", Known()), base(targets=[])))
    assert found is not None
    assert found.text == "Prometheus has no metric requests_al_total, and had none within 6h"
    assert found.hint == "Did you mean 'requests_all_total'?"


def test_a_recording_rule() -> None:
    rule = LoadedRule("g", "recording", "a:b", "x / y", 0, "err", "many-to-many")
    given = base() | {Question("rules"): [rule]}
    assert walked("a:b", given) == "recording rule a:b cannot be evaluated: many-to-many"
    assert walked("a:c", base(targets=[])) == "no PrometheusRule has a rule a:c"


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        (RULE, True),
        (RULE | {"action": "keep"}, False),
        (RULE | {"regex": "other"}, False),
        (RULE | {"action": "Keep", "regex": "other"}, True),
        ({"action": "labeldrop", "regex": "requests_total"}, False),
    ],
)
def test_which_relabelling_drops_a_metric(rule: dict[str, Any], dropped: bool) -> None:
    assert drops(rule, "requests_total") is dropped
