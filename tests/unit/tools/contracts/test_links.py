# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where links lead, and what an alert must tell: what is missing is said with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tools.contracts import links, notices, slo

DASHBOARDS = Path(__file__).resolve().parents[4] / "contracts" / "dashboards"
KNOWN = {"ias-a": {"namespace"}}
GOOD = """groups:
  - name: g
    rules:
      - alert: Slow
        expr: a > 1
        labels: {severity: warning, owner: us}
        annotations:
          summary: It is slow
          description: "It takes {{ $value }} s."
          dashboard_url: /d/ias-a?var-namespace=x
          runbook_url: https://example.org/runbooks/Slow.md
"""


def alerts(text: str) -> list[Rule]:
    return [
        rule
        for file in parse_rules("a.yaml", text, Profile(), RuleReport())
        for group in file.groups
        for rule in group.rules
    ]


def wrong(text: str) -> list[str]:
    return [*links.of_alerts(alerts(text), KNOWN), *notices.check(alerts(text))]


def test_a_good_one() -> None:
    assert wrong(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("/d/ias-a?", "/d/ias-b?", "a.yaml:10: dashboard_url leads to ias-b, which is no dashboard"),
        (
            "/d/ias-a?",
            "https://g/d/ias-a?",
            "a.yaml:10: dashboard_url leads to https://g/d/ias-a, which is no dashboard",
        ),
        ("var-namespace", "var-pod", "a.yaml:10: dashboard_url sets pod, which ias-a does not have"),
        ("runbooks/Slow", "runbooks/Fast", "a.yaml:11: runbook_url does not end with /runbooks/Slow.md"),
        (", owner: us", "", "a.yaml:6: Slow has no label owner"),
        ("severity: warning, ", "", "a.yaml:6: Slow has no label severity"),
        ("summary: It is slow", "x: y", "a.yaml:8: Slow has no annotation summary"),
        ("takes {{ $value }} s", "is slow", "a.yaml:9: Slow: the description has no live value: use $value"),
        ("expr: a > 1", "expr: absent(a)", "a.yaml:9: Slow: the description has no live value: use $value"),
    ],
)
def test_what_an_alert_lacks_is_said(before: str, after: str, said: str) -> None:
    assert before in GOOD
    assert [line for line in wrong(GOOD.replace(before, after)) if line.split(": ")[1:] == said.split(": ")[1:]]


def dashboard(url: str, **rest: Any) -> dict[str, Any]:
    panel = {"type": "stat", "title": "P", "fieldConfig": {"defaults": {"links": [{"url": url}]}}}
    return {"uid": "ias-a", "panels": [{"type": "row", "panels": [panel]}], **rest}


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("/d/ias-a?x=y", []),
        ("/d/ias-b?x=y", ["ias-b"]),
        ("/d/ias-b", ["ias-b"]),
        ("/d/ias-${__field.labels.job}?x", []),
        ("https://example.org/d/other", []),
    ],
)
def test_a_link_that_leads_to_no_dashboard_is_named(url: str, missing: list[str]) -> None:
    found = list(links.of_dashboards({"a.json": json.dumps(dashboard(url), indent=1)}))
    assert found == [f"a.json:14:17 P: a link leads to {uid}, which is no dashboard" for uid in missing]


@pytest.mark.parametrize(
    "raw",
    [
        {"uid": "own"},
        {"uid": "own", "templating": None},
        {"uid": "own", "templating": {}, "panels": [{"type": "text"}, {"type": "row"}]},
        {"uid": "own", "panels": [{"fieldConfig": None}, {"fieldConfig": {"defaults": {"links": [{"title": "t"}]}}}]},
    ],
)
def test_a_dashboard_of_a_user_may_lack_almost_everything(raw: dict[str, Any]) -> None:
    assert list(links.of_dashboards({"own.json": json.dumps(raw)})) == []
    assert links.variables([raw, {"title": "no uid"}]) == {"own": set()}


@pytest.mark.parametrize("path", sorted(DASHBOARDS.glob("*.json")), ids=lambda path: path.stem)
def test_every_dashboard_leads_to_all_others_and_to_logs_or_traces(path: Path) -> None:
    model = json.loads(path.read_text())
    (menu,) = model["links"]
    assert (menu["tags"], menu["includeVars"], menu["keepTime"]) == (model["tags"], True, True)
    assert {uid for uid, _panel, _path in links.targets(model)} & {"ias-logs", "ias-traces"}


def test_the_runbooks_of_all_alerts_lie_at_one_address(root: Path) -> None:
    files = [root / "contracts" / name for name in ("alerts.yaml", "slo-alerts.yaml")]
    urls = [rule.annotations["runbook_url"] for file in files for rule in alerts(file.read_text()) if rule.is_alert]
    assert {url.rpartition("/")[0] for url in urls} == {slo.RUNBOOKS}
