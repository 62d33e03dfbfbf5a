# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a metric to a trace, to its logs and back: each end of each link is where the other one looks for it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._logql import parse as parse_logql
from ansible_collections.ias.observability.plugins.module_utils._logql.nodes import LogQuery
from ansible_collections.ias.observability.plugins.module_utils._promql import parse as parse_promql
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import VectorSelector, walk
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tests.unit.rendering import CONTRACTS, Object, merged, objects, render, values_files

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "with-mimir"])
def sources(request: pytest.FixtureRequest) -> dict[str, Object]:
    """Grafana's data sources, as it reads them: `$$` is a dollar sign."""
    files = merged(values_files("prometheus", mimir=request.param))["grafana"]["datasources"].values()
    text = yaml.safe_dump([source for file in files for source in file["datasources"]]).replace("$$", "$")
    return {source["uid"]: source for source in yaml.safe_load(text)}


@pytest.fixture(scope="module")
def collector() -> str:
    text: str = merged(values_files("alloy"))["alloy"]["configMap"]["content"]
    return text


def test_every_link_leads_to_a_data_source_of_its_kind(sources: dict[str, Object]) -> None:
    loki, tempo, prometheus = (sources[uid]["jsonData"] for uid in ("loki", "tempo", "prometheus"))
    wanted = {
        "tempo": [*(field["datasourceUid"] for field in loki["derivedFields"]),
                  *(one["datasourceUid"] for one in prometheus["exemplarTraceIdDestinations"])],
        "loki": [tempo["tracesToLogsV2"]["datasourceUid"], tempo["lokiSearch"]["datasourceUid"]],
        "prometheus": [tempo["tracesToMetrics"]["datasourceUid"], tempo["serviceMap"]["datasourceUid"]],
    }  # fmt: skip
    for kind, uids in wanted.items():
        assert {sources[uid]["type"] for uid in uids} == {kind}
    assert [uid for uid, source in sources.items() if source.get("isDefault")] == ["prometheus"]


def test_a_line_leads_to_its_trace(sources: dict[str, Object], collector: str) -> None:
    """By structured metadata; by the text of a line that the collector has not read as JSON."""
    by_label, by_text = sources["loki"]["jsonData"]["derivedFields"]
    (listed,) = re.findall(r"stage\.structured_metadata \{\s+values = \{(.+)\}", collector)
    metadata = set(re.findall(r'(\w+) = ""', listed))
    assert (by_label["matcherType"], by_label["matcherRegex"]) == ("label", "trace_id")
    assert {"trace_id", "span_id", "pod", "level", "request_id", "user_id"} <= metadata
    limits = merged(values_files("loki"))["loki"]
    assert limits["limits_config"]["allow_structured_metadata"] is True
    assert {one["schema"] for one in limits["schemaConfig"]["configs"]} == {"v13"}
    for line in (f'{{"msg":"x","trace_id":"{TRACE}"}}', f'{{"traceId": "{TRACE}"}}'):
        assert re.findall(by_text["matcherRegex"], line) == [TRACE]
    assert all(field["url"] == "${__value.raw}" for field in (by_label, by_text))


def test_a_trace_leads_to_its_lines(sources: dict[str, Object], collector: str) -> None:
    logs = sources["tempo"]["jsonData"]["tracesToLogsV2"]
    tags = ", ".join(f'{tag["value"]}="x"' for tag in logs["tags"])
    query = logs["query"].replace("${__tags}", tags).replace("${__trace.traceId}", TRACE)
    found = parse_logql(query)
    assert isinstance(found, LogQuery)
    labels = set(re.findall(r'target_label\s+= "(\w+)"', collector))
    assert {matcher.name for matcher in found.matchers} == {"namespace", "service_name"}
    assert {matcher.name for matcher in found.matchers} <= labels
    assert [stage.labels for stage in found.stages] == [("trace_id",)]
    assert {tag["key"] for tag in logs["tags"]} == {"k8s.namespace.name", "service.name"}


def test_a_trace_leads_to_metrics_that_the_generator_makes(sources: dict[str, Object]) -> None:
    promised = load("s", (CONTRACTS / "services.yaml").read_text(), RuleReport())
    made = promised.services["trace-metrics"].metrics
    metrics = sources["tempo"]["jsonData"]["tracesToMetrics"]
    tags = ", ".join(f'{tag["value"]}="x"' for tag in metrics["tags"])
    for query in metrics["queries"]:
        selectors = [node for node in walk(parse_promql(query["query"].replace("$__tags", tags)))
                     if isinstance(node, VectorSelector)]  # fmt: skip
        assert {one.metric.removesuffix("_bucket") for one in selectors} <= made.keys()
        for one in selectors:
            described = made[one.metric.removesuffix("_bucket")]
            assert {matcher.name for matcher in one.matchers if matcher.name != "__name__"} <= described.labels.keys()


@pytest.mark.parametrize("profile", ["small", "ha"])
def test_spans_become_metrics_with_exemplars(profile: str, sources: dict[str, Object]) -> None:
    tempo: Any = merged(values_files("tempo", profile))["tempo"]
    prometheus = merged(values_files("prometheus", profile))["prometheus"]["prometheusSpec"]
    generator = tempo["overrides"]["defaults"]["metrics_generator"]
    assert tempo["metricsGenerator"]["enabled"] is True
    assert {"service-graphs", "span-metrics"} <= set(generator["processors"])
    written = tempo["metricsGenerator"]["storage"]["remote_write"]
    assert written
    for target in written:
        assert target["send_exemplars"] is True
        assert target["url"].endswith(":9090/api/v1/write")
    assert prometheus["enableRemoteWriteReceiver"] is True
    assert "exemplar-storage" in prometheus["enableFeatures"]
    assert prometheus["exemplars"]["maxSize"] > 0
    (destination,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert generator["trace_id_label_name"] == destination["name"] == "trace_id"


def test_tempo_writes_where_prometheus_listens() -> None:
    (target,) = merged(values_files("tempo"))["tempo"]["metricsGenerator"]["storage"]["remote_write"]
    host, port = re.fullmatch(r"http://([^:]+):(\d+)/api/v1/write", target["url"]).groups()
    made = objects(render("prometheus", merged(values_files("prometheus"))))
    services = {
        one["metadata"]["name"]: {entry["port"] for entry in one["spec"]["ports"]}
        for one in made
        if one["kind"] == "Service"
    }
    assert int(port) in services[host]
