# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules against the metrics contract."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract import load as contract_module
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source

CONTRACT = """\
services:
  api:
    metrics:
      http_requests_total: {type: counter, labels: {method: [GET, POST], status: ['200', '404', '500']}}
      http_request_duration_seconds: {type: histogram, labels: [method]}
      request_size_bytes: {type: summary, labels: []}
      in_flight: {type: gauge, help: Requests being answered}
      user_requests_total: {type: counter, labels: {user: {unbounded: true}}}
      odd_total: {type: gauge}
  worker:
    metrics:
      http_requests_total: {type: counter, labels: {method: [PUT], queue: [a, b]}}
target_labels: [zone]
known_metrics: [kube_*]
"""


SLO = """\
services:
  a:
    metrics: {c: {type: counter}, g: {type: gauge}, h: {type: histogram}}
    slo:
      """


def test_a_metric_may_say_how_often_it_changes() -> None:
    text = CONTRACT.replace("odd_total: {type: gauge}", "odd_total: {type: counter, period: %s}")
    report = RuleReport()
    metrics = contract_module.load("c", text % "1h30m", report).metrics
    assert (report.findings, metrics["odd_total"].period, metrics["in_flight"].period) == ([], 5400.0, 0.0)
    contract_module.load("c", text % "hourly", report)
    assert [(one.id, one.message) for one in report.findings] == [
        ("contract/file", "period of metric 'odd_total' is a duration such as 1h, not 'hourly'")
    ]


def test_the_objectives_of_a_service_are_read() -> None:
    wanted = (
        "{availability: {objective: 99.9, total: c, bad: {code: 5..}}, "
        "latency: {objective: 95, histogram: h, seconds: 0.5}}"
    )
    report = RuleReport()
    service = contract_module.load("c", f"{SLO}{wanted}", report).services["a"]
    assert report.findings == []
    assert [(one.name, one.percent, one.kind, one.metric, one.bad, one.seconds) for one in service.objectives] == [
        ("availability", 99.9, "total", "c", (("code", "5.."),), 0.0),
        ("latency", 95.0, "histogram", "h", (), 0.5),
    ]


def test_what_is_built_in_counts_no_more_where_a_service_declares_it() -> None:
    declared = CONTRACT.replace("  worker:", "  prom: {metrics: {prometheus_ready: {type: gauge}}}\n  worker:")
    assert findings("prometheus_redy == 0", text=declared)[0] == ("contract/metric", "did you mean 'prometheus_ready'?")
    assert findings("prometheus_redy == 0") == []


def findings(*exprs: str, text: str = CONTRACT) -> list[tuple[str, str]]:
    rules = [{"alert": "A", "expr": expr, "for": "5m"} for expr in exprs]
    source = Source("f", json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    result = check([source], Profile(), contract=Source("c", text))
    interesting = {"contract", "rules/counter-raw", "rules/vector-match"}
    return [
        (finding.id, finding.hint)
        for finding in result.findings
        if finding.id in interesting or finding.id.split("/")[0] in interesting
    ]


@pytest.mark.parametrize(
    "expr",
    [
        'rate(http_requests_total{job="api",method="GET",status=~"5.."}[5m]) > 1',
        'sum by (method, zone, pod) (rate(http_requests_total{job=~".+",queue="a"}[5m])) > 1',
        "histogram_quantile(0.9, sum by (le, method) (rate(http_request_duration_seconds_bucket[5m]))) > 1",
        "histogram_quantile(0.9, rate(http_request_duration_seconds[5m])) > 1",
        'request_size_bytes{quantile="0.9"} > 1 and ignoring (quantile) rate(request_size_bytes_sum[5m]) > 1',
        "delta(in_flight[5m]) > 1 and deriv(in_flight[5m]) > 1",
        "up == 0 or kube_pod_info == 0 or go_goroutines > 5 or prometheus_ready == 0",
        "sum(rate(user_requests_total[5m])) > 1",
        "odd_total > 100",
        'http_requests_total{method!="DELETE",status=""} == 0',
        "sum without (nothing) (in_flight) > 1",
        'count by (x) (label_replace(in_flight, "x", "$1", "zone", "(.*)")) > 1',
    ],
)
def test_what_keeps_the_contract(expr: str) -> None:
    assert findings(expr) == []


@pytest.mark.parametrize(
    ("expr", "identity", "hint"),
    [
        ("http_request_total > 0", "contract/metric", "did you mean 'http_requests_total'?"),
        ("rate(http_requests_total{methd='GET'}[5m]) > 1", "contract/label", "did you mean 'method'?"),
        ("sum by (statu) (in_flight) > 1", "contract/label", ""),
        ("sum by (methods) (rate(http_requests_total[5m])) > 1", "contract/label", "did you mean 'method'?"),
        ("rate(http_requests_total{method='DELETE'}[5m]) > 1", "contract/value", "it is one of GET, POST, PUT"),
        ("rate(http_requests_total{status=~'6..|7..'}[5m]) > 1", "contract/value", "it is one of 200, 404, 500"),
        ("in_flight{job='worker'} > 1", "contract/job", "exposed by api"),
        ("in_flight{job='apis'} > 1", "contract/job", "did you mean 'api'?"),
        ("rate(in_flight[5m]) > 1", "contract/type", "use deriv() or delta()"),
        ("delta(http_requests_total[5m]) > 1", "contract/type", "use rate() or increase()"),
        ("histogram_quantile(0.9, in_flight) > 1", "contract/type", ""),
        ("rate(user_requests_total[5m]) > 1", "contract/cardinality", "aggregate it away"),
        ("in_flight / on (queue) http_requests_total > 1", "rules/vector-match", "keep queue on both sides"),
        (
            "http_requests_total > 100",
            "rules/counter-raw",
            "take increase() or rate() of each series, then aggregate and compare",
        ),
    ],
)
def test_what_breaks_it(expr: str, identity: str, hint: str) -> None:
    assert findings(expr)[0] == (identity, hint)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services: [", 2),
        ("- a", 1),
        ("", 0),
        ("servces: {}", 1),
        ("services: [a]", 1),
        ("services: {a: [b]}", 1),
        ("services: {a: {metrics: [b]}}", 1),
        ("services: {a: {metrix: {}}}", 1),
        ("services: {a: {logs: [b]}}", 1),
        ("services: {a: {logs: {feelds: {}}}}", 1),
        ("services: {a: {logs: {fields: [b]}}}", 1),
        ("services: {a: {metrics: {b: {}}}}", 1),
        ("services:\n  a: {metrics: {b: {type: number}}}", 2),
        ("services: {a: {metrics: {b: {type: gauge, labells: []}}}}", 1),
        ("services: {a: {metrics: {b: {type: gauge, labels: [[]]}}}}", 1),
        ("target_labels: a", 1),
        ("names: {metrik: {}}", 1),
        ("names: {jobs: {a: }}", 1),
        ("services:\n  a:\n    job: [b]", 3),
        ("services:\n  a:\n    pushed: perhaps", 3),
        ("services: {a: {metrics: {b: {type: gauge, labels: {c: {max: 0}}}}}}", 1),
        ("services: {a: {metrics: {b: {type: gauge, labels: {c: {most: 3}}}}}}", 1),
        (f"{SLO}availability: []", 5),
        (f"{SLO}availability: {{up: g}}", 5),
        (f"{SLO}availability: {{objective: 100, up: g}}", 5),
        (f"{SLO}availability: {{objective: 99}}", 5),
        (f"{SLO}availability: {{objective: 99, up: g, total: c}}", 5),
        (f"{SLO}availability: {{objective: 99, up: c}}", 5),
        (f"{SLO}availability: {{objective: 99, up: nothing}}", 5),
        (f"{SLO}availability: {{objective: 99, total: c}}", 5),
        (f"{SLO}latency: {{objective: 99, histogram: h, seconds: no}}", 5),
    ],
)
def test_what_is_no_contract(text: str, line: int) -> None:
    report = RuleReport()
    contract_module.load("c", text, report)
    assert [(finding.id, finding.line) for finding in report.findings] == [("contract/file", line)]
