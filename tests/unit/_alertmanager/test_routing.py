# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts that nobody hears of, and routes, receivers and inhibitions that no alert is for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._alertmanager.lint import lint_configuration
from ansible_collections.ias.observability.plugins.module_utils._alertmanager.matchers import parse
from ansible_collections.ias.observability.plugins.module_utils._alertmanager.routing import LabelSet, examples
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding, by_place
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check
from ansible_collections.ias.observability.plugins.module_utils._sources import Source

WEBHOOK = {"webhook_configs": [{"url_file": "/url"}]}
RULES = {
    "groups": [
        {
            "name": "g",
            "rules": [
                {"alert": "Down", "expr": "up == 0", "labels": {"severity": "critical", "team": "db"}},
                {"alert": "Slow", "expr": "sum by (job) (a) > 1", "labels": {"severity": "warning", "team": "web"}},
                {"alert": "Odd", "expr": "a > 1", "labels": {"severity": "{{ $labels.level }}"}},
                {"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}},
            ],
        }
    ]
}


def found(routes: list[dict[str, Any]], **more: Any) -> list[Finding]:
    """The findings about routing, of a tree whose default receiver is `low`."""
    receivers = more.pop("receivers", [{"name": "low", **WEBHOOK}, {"name": "page", **WEBHOOK}])
    text = json.dumps({"route": {"receiver": "low", "routes": routes}, "receivers": receivers, **more}, indent=1)
    rules = more.get("rules", RULES)
    result = check([Source("r.yaml", json.dumps(rules, indent=1))], Profile())
    findings = by_place(lint_configuration(Source("am.yaml", text), result.index))
    return [finding for finding in findings if finding.id.startswith("rules/routing-")]


def route(*matchers: str, receiver: str = "page", **more: Any) -> dict[str, Any]:
    return {"matchers": list(matchers), "receiver": receiver, **more}


def ids(findings: list[Finding]) -> list[str]:
    return [f"{finding.id.removeprefix('rules/routing-')} {finding.object}" for finding in findings]


@pytest.mark.parametrize(
    ("routes", "wanted"),
    [
        ([route("severity=critical")], []),
        ([route("severity=critical", "severity=warning")], ["unreachable route.routes[0]"]),
        (
            [route('severity=~"critical|warning"', "severity!=critical", "severity!=warning")],
            ["unreachable route.routes[0]"],
        ),
        ([route("team=~d.*", "team!~d.*")], ["unreachable route.routes[0]"]),
        ([route(), route("severity=critical")], ["unreachable route.routes[1]"]),
        ([route(**{"continue": True}), route("severity=critical")], []),
        ([route("severity=~crit.*"), route("severity=critical")], ["unreachable route.routes[1]"]),
        ([route("team=~d.*"), route("severity=critical", "team=~d.*")], ["unreachable route.routes[1]"]),
        (
            [route("severity=critical"), route("severity=warning"), route('severity=~"critical|warning"')],
            ["unreachable route.routes[2]"],
        ),
        # what is below an unreachable route is not told as well
        ([route(), route("severity=critical", routes=[route("team=db")])], ["unreachable route.routes[1]"]),
        (
            [route("severity=critical", routes=[route("team=db"), route("severity=warning")])],
            ["unreachable route.routes[0].routes[1]"],
        ),
        # Odd may have any severity, and its expression any team
        ([route("severity=page")], []),
        ([route("alertname=Down", "team=nobody")], ["unreached route.routes[0]"]),
        ([route("alertname=Slow", "instance=a")], ["unreached route.routes[0]"]),
        ([route("alertname=Slow", "job=a")], []),
        ([route("alertname=Down", "instance=a")], []),
    ],
)
def test_routes(routes: list[dict[str, Any]], wanted: list[str]) -> None:
    findings = [one for one in found(routes) if one.id != "rules/routing-unused-receiver"]
    assert ids([one for one in findings if one.file == "am.yaml"]) == wanted


def test_a_slip_is_a_warning() -> None:
    slip = next(one for one in found([route("alertname=Dwn")]) if one.object == "route.routes[0]")
    assert (slip.severity, slip.hint) == ("warning", "did you mean 'Down'?")
    assert slip.message == 'no alert of these rules has alertname="Dwn"'
    other = next(one for one in found([route("alertname=Elsewhere")]) if one.object == "route.routes[0]")
    assert other.severity == "info"


def test_what_takes_the_alerts_away_is_named_with_its_line() -> None:
    (finding,) = found([route("severity=~crit.*"), route("severity=critical")])
    assert finding.message == "no alert can arrive here: route.routes[0] (line 5) comes first, without `continue`"
    assert finding.line == 11


def test_the_default_receiver_though_there_are_routes_for_the_severity() -> None:
    (finding,) = (one for one in found([route("severity=critical", "team=web")]) if one.file == "r.yaml")
    assert (finding.id, finding.object, finding.severity) == ("rules/routing-default", "g/Down", "warning")
    assert finding.line == 10
    # the label may come from Prometheus' external labels; a route to the default receiver means it
    assert not [one for one in found([route("severity=critical", "cluster=a")]) if one.file == "r.yaml"]
    meant = [route("severity=critical", "team=web"), route("severity=critical", receiver="low")]
    assert not [one for one in found(meant) if one.file == "r.yaml"]


def test_nobody_is_told() -> None:
    receivers = [{"name": "low"}, {"name": "page", **WEBHOOK}]
    silent = [one for one in found([route("severity=critical")], receivers=receivers) if one.file == "r.yaml"]
    assert ids(silent) == ["silent g/Slow"]
    # a routing without addresses gets them later
    assert not found([route("severity=critical")], receivers=[{"name": "low"}, {"name": "page"}])


def test_receivers() -> None:
    receivers = [{"name": name, **WEBHOOK} for name in ("low", "page", "idle")]
    assert ids(found([route("severity=critical")], receivers=receivers)) == ["unused-receiver receiver idle"]
    findings = found([route("severity=critical", receiver="pag")])
    assert ids(findings) == ["undefined-receiver route.routes[0]"]
    assert (findings[0].severity, findings[0].hint) == ("error", "did you mean 'page'?")


@pytest.mark.parametrize(
    ("source", "target", "equal", "wanted"),
    [
        ("severity=critical", "severity=warning", ["job"], []),
        ("severity=critical", "severity=warning", ["severity"], ["inhibit-never inhibit_rules[0]"]),
        ("alertname=Down", "alertname=Slow", ["team"], ["inhibit-apart inhibit_rules[0]"]),
        ("alertname=Watchdog", "alertname=Slow", ["cluster"], ["inhibit-equal inhibit_rules[0]"]),
        ("alertname=Nothing", "alertname=Slow", [], ["inhibit-unmatched inhibit_rules[0]"]),
        ("alertname=Down", "alertname=Slwo", [], ["inhibit-unmatched inhibit_rules[0]"]),
        ("alertname=Down", "alertname=Down", [], ["inhibit-never inhibit_rules[0]"]),
    ],
)
def test_inhibition(source: str, target: str, equal: list[str], wanted: list[str]) -> None:
    rules = [{"source_matchers": [source], "target_matchers": [target], "equal": equal}]
    assert ids(found([route("severity=critical")], inhibit_rules=rules)) == wanted


def test_label_sets() -> None:
    """What depends on a label that is not known is neither true nor false."""
    labels = LabelSet({"a": "x", "b": None}, facts=frozenset(parse("b=~y.*")))
    assert labels.matches(parse("a=x,b=~y.*")) is True
    assert labels.matches(parse("b!~y.*")) is False
    assert labels.matches(parse("a=x,b=y")) is None
    assert labels.matches(parse("a=y,b=y")) is False
    assert labels.matches(parse('c=""')) is True
    assert LabelSet({}, others=True).matches(parse('c=""')) is None
    assert len(examples(parse('a=~"1|2|3",b=~"1|2"'))) == 6
    assert examples(parse("a=1,a!=1")) == []


def test_a_dot_is_no_newline_and_patterns_are_anchored() -> None:
    (matcher,) = parse("a=~x.z")
    assert [matcher.accepts(value) for value in ("xyz", "axyz", "x\nz", "xyz\n")] == [True, False, False, False]
