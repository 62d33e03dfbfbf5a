# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every lint: one rule it finds, and near ones it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check, normalised
from ansible_collections.ias.observability.plugins.module_utils._sources import Source


def ids(*rules: dict[str, Any], prefix: str = "rules/", **group: Any) -> list[str]:
    """The ids of the findings about these rules, without what the tests are not about."""
    groups = [{"name": "g", **group, "rules": list(rules)}]
    result = check([Source("f", json.dumps({"groups": groups}))], Profile())
    noise = {"rules/missing-for", "rules/record-name", "rules/low-traffic", "rules/range-vs-scrape"}
    return [f.id.removeprefix(prefix) for f in result.findings if f.id.startswith(prefix) and f.id not in noise]


def alert(expr: str, name: str = "A", **fields: Any) -> dict[str, Any]:
    return {"alert": name, "expr": expr, "for": "5m", **fields}


def record(name: str, expr: str, **fields: Any) -> dict[str, Any]:
    return {"record": name, "expr": expr, **fields}


@pytest.mark.parametrize(
    ("expr", "identity"),
    [
        ("up", "always-fires"),
        ("vector(1)", "always-fires"),
        ("5", "always-fires"),
        ("up == bool 0", "always-fires"),
        ("up == 0 or absent_thing", "always-fires"),
        ("sum(a) > bool 5", "always-fires"),
        ("topk(5, a) > 1", "topk-in-alert"),
        ("irate(a_total[5m]) > 1", "irate-in-alert"),
        ("absent(sum by (job) (up))", "absent-labels"),
        ("increase(a_total[5m]) == 1", "increase-equality"),
        ("count(a) < 0", "impossible-value"),
        ("count(a) == 0", "impossible-value"),
        ("count(a) < 1", "impossible-value"),
        ("sum(rate(a_total[5m])) < 0", "impossible-value"),
        ("up{instance='a'} > 1", "impossible-value"),
        ('up{job="a"} == 0', "target-may-vanish"),
        ("requests_total > 100", "counter-raw"),
        ("sum by (a) (requests_total) > 100", "counter-raw"),
        ("delta(a_total[5m]) > 1", "delta-on-counter"),
        ("rate(sum(a_total)[5m:]) > 1", "rate-of-aggregate"),
        ("histogram_quantile(95, rate(a_bucket[5m])) > 1", "quantile-range"),
        ("quantile(2, a) > 1", "quantile-range"),
        ("quantile_over_time(-1, a[5m]) > 1", "quantile-range"),
        ("histogram_quantile(0.9, a_duration_seconds) > 1", "hq-input"),
        ("histogram_quantile(0.9, a_bucket) > 1", "hq-no-rate"),
        ("histogram_quantile(0.9, sum by (job) (rate(a_bucket[5m]))) > 1", "hq-drops-le"),
        ("histogram_quantile(0.9, sum without (le) (rate(a_bucket[5m]))) > 1", "hq-drops-le"),
        ("avg(histogram_quantile(0.9, rate(a_bucket[5m]))) > 1", "aggregate-of-quantile"),
        ('avg(a{quantile="0.9"}) > 1', "aggregate-of-quantile"),
        ("max_over_time(a[5m:4m]) > 1", "subquery-step"),
        ("rate(a_total[5m]) / rate(a_total[5m]) > 0.5", "ratio-self"),
        ('a{b="c", b="d"} > 1', "contradictory-matchers"),
        ('a{b="c", b!="c"} > 1', "contradictory-matchers"),
        ('a{code="5.."} > 1', "eq-looks-like-regex"),
        ('a{pod="api-.*"} > 1', "eq-looks-like-regex"),
        ("sum by (a) (x) / sum by (b) (y) > 1", "vector-match"),
        ("sum by (a) (x) and on (b) y > 1", "vector-match"),
        ("sum by (a) (x) / ignoring (c) sum by (a, b, c) (y) > 1", "vector-match"),
    ],
)
def test_finds(expr: str, identity: str) -> None:
    assert ids(alert(expr)) == [identity]


@pytest.mark.parametrize(
    "expr",
    [
        'up{job="a"} == 0 or absent(up{job="a"})',
        'up{job=~"a|b"} == 0',
        "time() - backup_timestamp_seconds > 3600",
        "backup_timestamp_seconds > 1.7e9",
        "cache_hit_ratio < 0.8",
        "100 * queue_bytes / limit_bytes > 50",
        "queue_bytes == 5",
        "slo:errors:ratio_rate1h > 0.144 and slo:errors:ratio_rate5m > 0.144",
        "slo:errors:ratio_rate1h > 2 and slo:errors:ratio_rate5m > 0",
        "slo:errors:ratio_rate1h > 2 and slo:others:ratio_rate5m > 3",
        "(x:e:rate1h > 2 and x:e:rate5m > 2) or (x:e:rate6h > 1 and x:e:rate30m > 1)",
        "absent(up{job='a'})",
        "a and b",
        "a unless on (x) b",
        'ALERTS{alertstate="firing"}',
        "count(a) < 2",
        "increase(a_total[5m]) == 0",
        "increase(requests_total[5m]) > 100",
        "requests_total == 0",
        "created_total unless created_total offset 1h",
        "delta(temperature[5m]) > 1",
        "histogram_quantile(0.9, sum by (le, job) (rate(a_bucket[5m]))) > 1",
        "histogram_quantile(0.9, sum without (pod) (rate(a_bucket[5m]))) > 1",
        "histogram_quantile(0.9, job:a_bucket:rate5m) > 1",
        "histogram_quantile(0.9, sum(rate(native[5m]))) > 1",
        "max(histogram_quantile(0.9, rate(a_bucket[5m]))) > 1",
        "max_over_time(a[1h:5m]) > 1",
        "rate(a[5m]) / rate(a[1h]) > 2",
        'a{code="5xx", path="/api/v1", version="1.2.3"} > 1',
        "sum by (a) (x) / on (a) sum by (a, b) (y) > 1",
        "sum by (a) (x) / on (a) group_right () sum by (a, b) (y) > 1",
        "sum by (a, b) (x) / ignoring (b) sum by (a) (y) > 1",
        "sum by (a) (x) > 5 or sum by (b) (y) > 5",
        "label_replace(sum by (a) (x), 'b', '$1', 'a', '(.*)') / on (b) y > 1",
    ],
)
def test_leaves_alone(expr: str) -> None:
    assert ids(alert(expr)) == []


@pytest.mark.parametrize("name", ["Watchdog", "DeadMansSwitch"])
def test_some_alerts_are_meant_to_fire_always(name: str) -> None:
    assert ids(alert("vector(1)", name)) == []


@pytest.mark.parametrize(
    ("expr", "label", "found"),
    [
        ("sum by (job) (up) == 0", "pod", True),
        ("sum by (job) (up) == 0", "job", False),
        ("sum without (pod) (up) == 0", "pod", True),
        ("sum without (pod) (up) == 0", "anything", False),
        ("up == 0", "anything", False),
        ('up{pod=""} == 0', "pod", True),
        ("absent(up{job='a'})", "job", False),
        ("absent(up{job=~'a'})", "job", True),
        ("absent(up{job='a', job!='b'})", "job", True),
        ("absent_over_time(up{job='a'}[5m])", "job", False),
        ("absent(sum(up))", "job", True),
        ("vector(1) > 0", "job", True),
        ("a > on (x) b", "y", True),
        ("a > on (x) b", "x", False),
        ("a > ignoring (x) b", "x", True),
        ("a * on (x) group_left (y) b > 1", "z", False),
        ("sum by (x) (a) * on (x) group_left (y) b > 1", "y", False),
        ("sum by (x) (a) * on (x) group_left (y) sum by (x) (b) > 1", "y", True),
        ("sum by (x) (a) * on (x) group_right (y) b > 1", "z", False),
        ("sum(a) and on () b", "z", True),
        ("topk(1, a) > 1", "z", False),
        ("count_values('version', a) > 1", "version", False),
        ("label_replace(sum(a), 'x', 'y', '', '') > 1", "x", False),
        ("label_join(sum(a), 'x', ',', 'y') > 1", "x", False),
        ("histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > 1", "le", True),
        ("5 < sum by (a) (b)", "a", False),
        ("-sum by (a) (b) < 1", "a", False),
        ("max_over_time(sum by (a) (b)[1h:1m]) > 1", "c", True),
        ("scalar(a) + sum by (b) (c) > 1", "b", False),
    ],
)
def test_follows_labels(expr: str, label: str, found: bool) -> None:
    rule = alert(expr, annotations={"summary": f"{{{{ $labels.{label} }}}}"})
    assert ("template-label" in ids(rule)) is found


def test_follows_labels_through_recording_rules() -> None:
    rules = [record("job:a:sum", "sum by (job) (a)", labels={"team": "x"}), record("b:c", "job:a:sum")]
    for label, found in (("job", False), ("team", False), ("pod", True)):
        rule = alert("b:c > 1", annotations={"summary": f"{{{{ $labels.{label} }}}}"})
        assert ("template-label" in ids(*rules, rule)) is found


def test_recording_rules_that_are_a_circle_end() -> None:
    rules = [record("a:b", "c:d"), record("c:d", "a:b + e:f"), record("e:f", "a:b")]
    rule = alert("a:b > 1", annotations={"summary": "{{ $labels.x }}"})
    assert "record-cycle" in ids(*rules, rule)


def test_label_of_one_side_of_or() -> None:
    rule = alert("sum by (a) (b) > 1 or absent(c{d='e'})", annotations={"summary": "{{ $labels.a }}"})
    assert ids(rule) == ["or-vector-labels"]


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"annotations": {"summary": "{{ .Annotations.x }}"}}, "template-field"),
        ({"labels": {"value": "{{ $value }}"}}, "template-value-in-label"),
        ({"annotations": {"summary": '{{ "{{" }} $labels.x {{ "}}" }}'}}, "template-escaping"),
        ({"annotations": {"summary": "{{ $value | humanizePercentage }}"}}, "template-unit"),
    ],
)
def test_templates(fields: dict[str, Any], identity: str) -> None:
    assert ids(alert("100 * a / b > 5", **fields)) == [identity]


@pytest.mark.parametrize(
    ("expr", "name", "found"),
    [
        ("rate(errors_total[5m]) > 0.05", "HighErrorRate", True),
        ("sum by (job) (rate(errors_total[5m])) > 0.05", "ManyErrors", True),
        ("rate(errors_total[5m]) > 5", "HighErrorRate", False),
        ("rate(errors_total[5m]) / rate(requests_total[5m]) > 0.05", "HighErrorRate", False),
        ("rate(process_cpu_seconds_total[5m]) > 0.9", "CpuPercent", False),
        ("rate(errors_total[5m]) > 0.05", "Restarts", False),
    ],
)
def test_rate_is_no_ratio(expr: str, name: str, found: bool) -> None:
    assert ("rate-not-ratio" in ids(alert(expr, name))) is found


def test_rate_that_says_per_second_is_meant() -> None:
    rule = alert("rate(a_total[5m]) > 0.05", "HighErrorRate", annotations={"summary": "{{ $value }} errors per second"})
    assert ids(rule) == []


def test_target_of_another_rule_is_guarded() -> None:
    assert ids(alert('up{job="a"} == 0'), alert('absent(up{job="a"})', "B")) == []


@pytest.mark.parametrize(
    ("rules", "identity"),
    [
        ([record("a:b", "c"), record("a:b", "d")], ["duplicate"]),
        ([record("a:b", "c"), record("a:b", "d", labels={"x": "y"})], []),
        ([alert("a > 1"), alert("a  > 1")], ["duplicate"]),
        ([alert("a > 1"), alert("a > 2")], []),
        ([alert("a > 1"), alert("a > 1", labels={"severity": "b"})], []),
        ([record("a:b", "c:d"), record("c:d", "x")], ["record-order"]),
        ([record("c:d", "x"), record("a:b", "c:d")], []),
        ([record("a:b", "x"), record("a:c", "x:y")], ["undefined-record"]),
        ([record("a:b:rate5m", "rate(x[10m])")], ["record-window"]),
        ([record("a:b:rate5m", "rate(x[5m])"), record("a:b:rate1h", "rate(x[60m])")], []),
        ([record("a:b:rate5m", "rate(x[5m])"), alert("rate(a:b:rate5m[5m]) > 1")], ["rate-on-gauge"]),
        ([record("a:b:sum", "sum(x)"), alert("rate(a:b:sum[5m]) > 1")], ["rate-of-aggregate"]),
    ],
)
def test_rules_against_each_other(rules: list[dict[str, Any]], identity: list[str]) -> None:
    assert ids(*rules) == identity


def test_names_and_durations_that_are_left_out_elsewhere() -> None:
    def found(rule: dict[str, Any], **group: Any) -> list[tuple[str, str]]:
        text = json.dumps({"groups": [{"name": "g", **group, "rules": [rule]}]})
        return [(f.id, f.severity) for f in check([Source("f", text)], Profile()).findings if f.id[:5] == "rules"]

    assert found(record("plain_name", "a")) == [("rules/record-name", "info")]
    assert found({"alert": "A", "expr": "a > 1"}) == [("rules/missing-for", "info")]
    critical = {"alert": "A", "expr": "a > 1", "labels": {"severity": "critical"}}
    assert found(critical) == [("rules/missing-for", "warning")]
    assert found({**critical, "for": "0m"}) == []
    assert found(alert("a > 1"), interval="3m") == [("rules/short-for", "info")]
    assert found(alert("rate(a[1m]) > 1")) == [("rules/range-vs-scrape", "warning")]
    assert found(alert("rate(a[1m]) > 1 or rate(b[1m]) > 1")) == [("rules/range-vs-scrape", "warning")]
    assert found(alert("rate(a[5m]) / rate(b[5m]) > 0.1")) == [("rules/low-traffic", "info")]
    assert found(alert("rate(a[5m]) / rate(b[5m]) > 0.1 and rate(b[5m]) > 1")) == []
    assert found({"alert": "A", "expr": "absent(up)"}) == [("rules/missing-for", "info"), ("rules/absent-for", "info")]


def test_ranges_are_judged_by_the_scrape_interval() -> None:
    text = json.dumps({"groups": [{"name": "g", "rules": [alert("rate(a_total[1m]) > 1 and rate(a_total[3m]) > 1")]}]})

    def short(seconds: float) -> list[str]:
        findings = check([Source("f", text)], Profile(), scrape_interval=seconds).findings
        return [finding.message[:16] for finding in findings if finding.id == "rules/range-vs-scrape"]

    assert short(15) == []
    assert short(30) == ["a range of 1m ho"]
    assert short(60) == ["a range of 1m ho", "a range of 3m ho"]


def test_long_sums_and_factors_are_no_problem() -> None:
    chain = " + ".join(f"a{n}_total" for n in range(3000))
    assert "counter-raw" in ids(alert(f"{chain} > 1"))
    ids(alert("a_bytes" + " * 2" * 3000 + " / b_bytes > 1"), record("job:a:b", " or ".join(["a / b"] * 3000)))
    ids(alert("a_bytes > " + "1 + " * 3000 + "1"))


def test_names_with_a_colon_that_the_contract_declares_are_no_records() -> None:
    rules = [record("job:x:sum", "sum by (job) (x)"), alert("vllm:num_requests_waiting > job:y:sum")]
    text = json.dumps({"groups": [{"name": "g", "rules": rules}]})
    contract = Source("c", "services: {vllm: {metrics: {'vllm:num_requests_waiting': {type: gauge}}}}")
    findings = check([Source("f", text)], Profile(), contract=contract).findings
    assert [one.message for one in findings if one.id == "rules/undefined-record"] == [
        "no rule here records 'job:y:sum'"
    ]


def test_metadata() -> None:
    good = {"summary": "a", "description": "b", "runbook_url": "https://example.org/a"}
    assert ids(alert("a > 1", labels={"severity": "critical"}, annotations=good), prefix="metadata/") == []
    assert ids(alert("a > 1"), prefix="metadata/") == ["description", "runbook", "severity", "summary"]
    bad = {**good, "runbook_url": "see wiki"}
    rule = alert("a > 1", labels={"severity": "urgent"}, annotations=bad)
    assert sorted(ids(rule, prefix="metadata/")) == ["runbook", "severity"]
    assert ids(
        alert("a > 1", labels={"severity": "x"}, annotations={**good, "runbook_url": "http://["}), prefix="metadata/"
    )


def test_normalised_rules() -> None:
    text = json.dumps({"groups": [{"name": "g", "labels": {"a": "b"}, "rules": [alert(" a > 1\n")]}]})
    assert normalised(check([Source("f", text)], Profile()).files) == [
        {
            "file": "f",
            "group": "g",
            "kind": "alert",
            "name": "A",
            "expr": "a > 1",
            "for": 300.0,
            "keep_firing_for": 0.0,
            "labels": {"a": "b"},
            "annotations": {},
            "line": 1,
        }
    ]


def test_long_chains_of_operators_are_no_problem() -> None:
    expr = " or ".join(f'up{{job="j{n}"}} == 0' for n in range(3000))
    assert "target-may-vanish" in ids(alert(expr, annotations={"summary": "{{ $labels.job }}"}))
