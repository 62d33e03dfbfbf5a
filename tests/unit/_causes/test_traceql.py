# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TraceQL query that finds nothing."""

from __future__ import annotations

from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._causes.traceql import trace_walk
from ansible_collections.ias.observability.plugins.module_utils._causes.walk import Question, Sample

from .scripted import follow, series, vector
from .states import HOME, healthy, objects, pod, said, thing

SOME = {Question("spans", "{ }"): ["a trace"]}


def walked(text: str, given: dict[Question, Any]) -> str:
    return said(follow(trace_walk(text, (HOME, "tempo", 3200)), given))


def test_a_condition_that_no_span_meets() -> None:
    given = SOME | {
        Question("spans", '{ resource.service.name = "web" }'): ["a trace"],
        Question("tag_values", "name"): ["GET /", "POST /v1"],
    }
    text = walked('{ resource.service.name = "web" && name = "POST /v2" } with (most_recent=true)', given)
    assert text == 'no span meets name = "POST /v2": name is GET /, POST /v1'


def test_an_attribute_that_no_span_has() -> None:
    text = walked('{ span.http.sttus = "200" }', SOME | {Question("tags"): ["span.http.status"]})
    assert text == 'no span meets span.http.sttus = "200": no span has the attribute span.http.sttus'


def test_tempo_without_any_trace() -> None:
    kinds = healthy()
    ports = [{"port": port} for port in (3200, 4317, 4318)]
    kinds["services"].append(thing("tempo", spec={"selector": {"app": "tempo"}, "ports": ports}))
    kinds["pods"].append(pod("tempo-0", {"app": "tempo"}))
    kinds["pods"][-1]["spec"]["containers"][0]["ports"] = [{"containerPort": one["port"]} for one in ports]
    cluster = {Question("cluster"): objects(kinds)}
    discarded = vector("sum by (reason) (increase(tempo_discarded_spans_total[15m])) > 0")
    received = vector("sum(increase(tempo_distributor_spans_received_total[15m]))")
    assert walked("{ }", cluster | {received: series({}, value=0)}) == "Tempo receives no spans"
    refused = [Sample({"reason": "rate_limited"}, 5)]
    assert walked("{ }", cluster | {discarded: refused}) == "Tempo discards spans: rate_limited"
    kinds["services"][-1]["spec"]["ports"] = ports[:1]
    assert "Service ias-system/tempo has no port 4317" in walked("{ }", {Question("cluster"): objects(kinds)})


def test_what_is_no_traceql() -> None:
    assert walked("{ a = }", {}).startswith("the query is not TraceQL: ")
