# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links between data sources, as our own values configure them, followed through a scripted Grafana."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.modules import correlation_verify
from tests.fakes.http import Reply, Request, Server, running_server
from tests.fakes.module import run_module

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOW = 1_790_000_000
PROXY = "/api/datasources/proxy/uid"
LABELS = ["namespace", "service_name"]
ATTRIBUTES = {"service.name": "vllm", "k8s.namespace.name": "ias-system"}
Run = Callable[[], dict[str, Any]]


def ours(root: Path) -> dict[str, Any]:
    """The data sources of contracts/helm-values by uid, as Grafana's API lists them."""
    values = yaml.safe_load((root / "contracts/helm-values/prometheus.yaml").read_text("utf-8"))
    files = yaml.safe_load(yaml.safe_dump(values["grafana"]["datasources"]).replace("$$", "$"))
    return {source["uid"]: source for file in files.values() for source in file["datasources"]}


class Grafana:
    """Loki has one line with a trace id, Tempo that trace, Prometheus its metrics and an exemplar."""

    def __init__(self, server: Server, sources: dict[str, Any]) -> None:
        self.server, self.sources = server, sources
        self.line = f'{{"msg":"answered","trace_id":"{TRACE}"}}'
        self.line_labels = {"service_name": "vllm", "namespace": "ias-system", "trace_id": TRACE}
        self.known_labels = LABELS
        self.has_metrics = self.has_graph = True
        self.exemplar = {"trace_id": TRACE}
        server.on("GET", "/api/datasources", lambda request: Reply(200, list(self.sources.values())))
        self.on("loki", "/loki/api/v1/query", lambda request: data([{"metric": {}, "value": [NOW, "1"]}]))
        self.on("loki", "/loki/api/v1/labels", lambda request: Reply(200, {"data": self.known_labels}))
        self.on("loki", "/loki/api/v1/query_range", self.logs)
        self.on("tempo", f"/api/traces/{TRACE}", lambda request: Reply(200, trace()))
        hit = {"traceID": TRACE, "startTimeUnixNano": str((NOW - 60) * 10**9)}
        self.on("tempo", "/api/search", lambda request: Reply(200, {"traces": [hit]}))
        self.on("prometheus", "/api/v1/query_range", self.metrics)
        self.on("prometheus", "/api/v1/labels", lambda request: Reply(200, {"data": ["job", "service"]}))
        self.on("prometheus", "/api/v1/query", self.graph)
        self.on("prometheus", "/api/v1/query_exemplars", self.exemplars)

    def on(self, uid: str, path: str, answer: Callable[[Request], Reply]) -> None:
        for method in ("GET", "POST"):
            self.server.on(method, f"{PROXY}/{uid}{path}", answer)

    def logs(self, request: Request) -> Reply:
        """Like Loki, as far as the matchers of a stream, of a label and of text go."""
        (query,) = request.body["query"]
        if "(?<" in query or "{}" in query or query.count("(") != query.count(")"):
            return Reply(400, {"message": "parse error"})
        matchers = re.findall(r'([\w.]+)\s*(=~|=|!=)\s*"([^"]*)"', query.split("|~")[0])
        text = re.findall(r"\|~ [\"`](.*)[\"`]$", query)
        found = all(self.matches(*matcher) for matcher in matchers) and all(
            re.search(pattern, self.line) for pattern in text
        )
        values = [[str((NOW - 60) * 10**9), self.line]]
        return data([{"stream": self.line_labels, "values": values}] if found else [])

    def matches(self, name: str, operator: str, wanted: str) -> bool:
        value = self.line_labels.get(name, "")
        return {"=": value == wanted, "!=": value != wanted, "=~": re.fullmatch(wanted, value) is not None}[operator]

    def metrics(self, request: Request) -> Reply:
        (query,) = request.body["query"]
        found = 'service="vllm"' in query and (self.has_metrics or "traces_" not in query)
        return data([{"metric": {}, "values": [[NOW, "0.5"]]}] if found else [])

    def graph(self, _request: Request) -> Reply:
        series = {"metric": {"client": "router", "server": "vllm"}, "value": [NOW, "1"]}
        return data([series] if self.has_graph else [])

    def exemplars(self, request: Request) -> Reply:
        entry = {"labels": self.exemplar, "value": "1", "timestamp": NOW - 30}
        series = {"seriesLabels": {"__name__": "traces_spanmetrics_latency_bucket"}, "exemplars": [entry]}
        return Reply(200, {"data": [series] if self.exemplar else []})

    def settings(self, uid: str) -> Any:
        return self.sources[uid]["jsonData"]


def data(result: list[Any]) -> Reply:
    return Reply(200, {"status": "success", "data": {"result": result}})


def trace() -> dict[str, Any]:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in ATTRIBUTES.items()]
    began = (NOW - 60) * 10**9
    span = {"spanId": "APBnqgupArc=", "name": "POST", "startTimeUnixNano": began, "endTimeUnixNano": began + 10**9}
    return {"batches": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": [span]}]}]}


@pytest.fixture
def grafana(root: Path) -> Iterator[Grafana]:
    with running_server() as server:
        yield Grafana(server, copy.deepcopy(ours(root)))


@pytest.fixture
def run(grafana: Grafana) -> Run:
    return lambda: run_module(correlation_verify, grafana={"url": grafana.server.url}, timeout=0)


def only(result: dict[str, Any]) -> tuple[str, str, str]:
    (finding,) = result["findings"]
    return finding["id"], finding["object"], finding["message"]


def test_all_links_of_our_values(run: Run) -> None:
    result = run()
    assert result["findings"] == []
    gave = {hop["from"]: hop["gave"] for hop in result["hops"]}
    assert gave["Loki: derivedFields, trace_id"] == gave["Loki: derivedFields, trace_id_in_line"] == f"trace {TRACE}"
    logs_query = f'{{service_name="vllm", namespace="ias-system"}} | trace_id = "{TRACE}"'
    assert sorted(gave["Tempo: tracesToLogsV2"]) == sorted(logs_query)
    rate = 'sum(rate(traces_spanmetrics_calls_total{service="vllm"}[5m]))'
    assert gave["Tempo: tracesToMetrics, query 'Request rate'"] == rate
    assert gave["Tempo: serviceMap"] == "router to vllm"
    assert gave["Prometheus: exemplarTraceIdDestinations, trace_id"] == f"trace {TRACE}"
    assert result["summary"] == {"checked": 7, "passed": 7}


@pytest.mark.parametrize(
    ("uid", "setting", "where"),
    [
        ("tempo", "tracesToLogsV2", "data source Tempo: tracesToLogsV2"),
        ("tempo", "serviceMap", "data source Tempo: serviceMap"),
    ],
)
def test_a_uid_that_no_data_source_has(grafana: Grafana, run: Run, uid: str, setting: str, where: str) -> None:
    grafana.settings(uid)[setting]["datasourceUid"] = "lokii" if setting == "tracesToLogsV2" else "prom"
    result = run()
    identity, found_where, message = only(result)
    assert (identity, found_where) == ("correlation/data-source", where)
    assert "which no data source of Grafana has" in message


def test_a_data_source_of_another_type(grafana: Grafana, run: Run) -> None:
    grafana.settings("prometheus")["exemplarTraceIdDestinations"][0]["datasourceUid"] = "loki"
    assert only(run()) == (
        "correlation/data-source",
        "data source Prometheus: exemplarTraceIdDestinations, trace_id",
        "it leads to data source Loki, which is of type loki, not tempo",
    )


def test_a_regular_expression_that_finds_nothing(grafana: Grafana, run: Run) -> None:
    grafana.settings("loki")["derivedFields"][1]["matcherRegex"] = "traceID=(\\w+)"
    identity, where, message = only(run())
    assert (identity, where) == ("correlation/derived-field", "data source Loki: derivedFields, trace_id_in_line")
    assert "finds nothing, though lines hold trace ids: " in message
    assert f'"trace_id":"{TRACE}' in message


def test_a_label_that_no_line_has(grafana: Grafana, run: Run) -> None:
    grafana.settings("loki")["derivedFields"][0]["matcherRegex"] = "traceid"
    identity, _where, message = only(run())
    assert identity == "correlation/derived-field"
    assert message == "no label of a log line matches 'traceid', though label trace_id holds the id of a trace"


def test_a_field_that_has_nothing_to_find_is_no_error(grafana: Grafana, run: Run) -> None:
    grafana.line = "answered"
    result = run()
    assert result["findings"] == []
    assert {"from": "Loki: derivedFields, trace_id_in_line", "gave": ""} in result["hops"]


def test_no_line_with_a_trace_id(grafana: Grafana, run: Run) -> None:
    grafana.line = "answered"
    del grafana.line_labels["trace_id"]
    found = {finding["id"] for finding in run()["findings"]}
    assert "correlation/no-line" in found


def test_a_part_of_the_id(grafana: Grafana, run: Run) -> None:
    grafana.settings("loki")["derivedFields"][1]["matcherRegex"] = '"trace_id":"([0-9a-f]{16})'
    grafana.on("tempo", f"/api/traces/{TRACE[:16]}", lambda request: Reply(404, {}))
    identity, _where, message = only(run())
    assert identity == "correlation/no-trace"
    assert message == f"the log lines gave {TRACE[:16]}; data source Tempo has no trace of that id"


def test_what_is_no_trace_id(grafana: Grafana, run: Run) -> None:
    grafana.settings("loki")["derivedFields"][1]["matcherRegex"] = '("trace_id":"[0-9a-f]+)'
    assert "which is no trace id" in only(run())[2]


def test_a_named_group_of_javascript(grafana: Grafana, run: Run) -> None:
    grafana.settings("loki")["derivedFields"][1]["matcherRegex"] = '"trace_id":"(?<id>[0-9a-f]+)'
    assert run()["findings"] == []


def test_a_pattern_that_is_none(grafana: Grafana, run: Run) -> None:
    grafana.settings("loki")["derivedFields"][1]["matcherRegex"] = "(trace"
    assert only(run())[0] == "correlation/query"


def test_a_tag_of_a_label_that_is_not_there(grafana: Grafana, run: Run) -> None:
    grafana.settings("tempo")["tracesToLogsV2"]["tags"][1]["value"] = "service"
    result = run()
    identity, where, message = only(result)
    assert (identity, where) == ("correlation/tags", "data source Tempo: tracesToLogsV2")
    assert message == "tag service.name is mapped to label service, which Loki does not have"


def test_a_tag_with_another_value(grafana: Grafana, run: Run) -> None:
    grafana.line_labels["namespace"] = "another"
    assert only(run())[2] == 'tag k8s.namespace.name becomes namespace="ias-system", which Loki has nothing of'


def test_tags_that_no_span_has(grafana: Grafana, run: Run) -> None:
    grafana.settings("tempo")["tracesToLogsV2"]["tags"] = [{"key": "pod", "value": "pod"}]
    identity, _where, message = only(run())
    assert identity == "correlation/tags"
    assert message.startswith("Grafana makes no link: spans have none of its tags (pod); they have ")


def test_a_query_that_finds_nothing(grafana: Grafana, run: Run) -> None:
    grafana.settings("tempo")["tracesToLogsV2"]["query"] = '{${__tags}} | traceid = "${__trace.traceId}"'
    identity, _where, message = only(run())
    assert identity == "correlation/query"
    assert message.startswith("the query that it makes finds nothing in Loki, though each of its tags does: {")


def test_a_query_that_is_refused(grafana: Grafana, run: Run) -> None:
    grafana.settings("tempo")["tracesToLogsV2"]["query"] = "{}"
    assert only(run())[2] == "Loki refuses the query that it makes, {}: parse error"


def test_no_span_metrics(grafana: Grafana, run: Run) -> None:
    grafana.has_metrics = False
    result = run()
    assert [finding["id"] for finding in result["findings"]] == ["correlation/query"] * 2
    assert "traces_spanmetrics_calls_total" in result["msg"]


def test_no_service_graph(grafana: Grafana, run: Run) -> None:
    grafana.has_graph = False
    assert only(run())[0] == "correlation/service-map"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"traceID": TRACE}, "exemplars have no label trace_id; they have traceID"),
        ({}, "Prometheus has no exemplar of the last minutes"),
    ],
)
def test_exemplars_without_the_id(grafana: Grafana, run: Run, labels: dict[str, str], message: str) -> None:
    grafana.exemplar = labels
    assert only(run())[2] == message


def test_links_that_are_not_set(grafana: Grafana, run: Run) -> None:
    del grafana.settings("loki")["derivedFields"], grafana.settings("tempo")["tracesToLogsV2"]
    result = run()
    found = [(finding["id"], finding["severity"]) for finding in result["findings"]]
    assert found == [("correlation/not-configured", "warning")] * 2
    assert "failed" not in result


def test_without_tempo_there_is_nothing_to_prove(grafana: Grafana, run: Run) -> None:
    del grafana.sources["tempo"]
    assert run()["summary"] == {"checked": 0, "passed": 0}
