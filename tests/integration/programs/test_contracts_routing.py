# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where alerts go, as amtool sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tools.contracts import routing, schema

RULES = """groups:
  - name: g
    rules:
      - alert: Loud
        expr: vector(1)
        labels: {severity: critical}
      - alert: Odd
        expr: vector(1)
        labels: {severity: sev1}
"""


@pytest.fixture
def check(root: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """What is wrong when a text of the configuration, or of its table, is replaced by another."""

    def run(before: str = "", after: str = "", rules: str = "") -> list[str]:
        for name in ("alertmanager.yaml", "alertmanager.tests.yaml"):
            (tmp_path / name).write_text((root / "contracts" / name).read_text().replace(before, after, 1))
        files = parse_rules("alerts.yaml", rules, Profile(), RuleReport()) if rules else []
        alerts = [rule for file in files for rule in file.rules]
        return list(routing.check(tmp_path / "alertmanager.yaml", alerts, tmp_path))

    return run


def test_the_contracts_routing(check: Callable[..., list[str]]) -> None:
    assert check() == []


def test_routes_that_no_alert_is_for(root: Path, tmp_path: Path) -> None:
    def unheard(before: str, after: str) -> list[str]:
        for name in ("alertmanager.yaml", "alertmanager.tests.yaml"):
            (tmp_path / name).write_text((root / "contracts" / name).read_text().replace(before, after, 1))
        paths = (root / "contracts" / name for name in ("alerts.yaml", "slo-alerts.yaml"))
        files = [file for path in paths for file in parse_rules(path.name, path.read_text(), Profile(), RuleReport())]
        return [str(finding) for finding in routing.check_routes(tmp_path / "alertmanager.yaml", files, tmp_path)]

    assert unheard("", "") == []
    (shadowed, *_) = unheard('[severity = "none"]', '[severity =~ ".+"]')
    assert shadowed.startswith(
        "alertmanager.yaml:18:7 route.routes[2]: no alert can arrive here: route.routes[1] (line 16)"
    )
    (slip,) = unheard('- matchers: [severity = "critical"]', '- matchers: [severity = "critcal"]')
    assert "no alert of these rules has severity=\"critcal\" (did you mean 'critical'?)" in slip


def test_a_route_that_shadows_another(check: Callable[..., list[str]]) -> None:
    wrong = check('[severity = "none"]', '[severity =~ ".+"]')
    assert "alertmanager.tests.yaml:4: alertname=HighErrorRate" in wrong[0]
    assert wrong[0].endswith("severity=critical goes to none, not to page")


def test_an_alert_of_the_rules_that_nobody_expects(check: Callable[..., list[str]]) -> None:
    (wrong,) = check(rules=RULES)
    assert wrong == "alerts.yaml:7: alertname=Odd severity=sev1 goes to ticket, not to anybody known"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("receiver: ticket", "receiver: nobody", "nobody"),
        ("route:", "rout:", "rout not found"),
        ("route:", "route: [", "did not find"),
    ],
)
def test_a_configuration_that_alertmanager_refuses(
    check: Callable[..., list[str]], tmp_path: Path, before: str, after: str, said: str
) -> None:
    (wrong,) = check(before, after)
    lines = (tmp_path / "alertmanager.yaml").read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if after in line)
    name, line, what = wrong.split(":", 2)
    assert name == "alertmanager.yaml"
    assert number <= int(line) <= number + 1  # YAML notices a bracket that is not closed where the next thing starts
    assert said in what


def test_a_receiver_that_no_case_reaches(check: Callable[..., list[str]], tmp_path: Path) -> None:
    (wrong,) = check("receivers:\n  - name: page", "receivers:\n  - name: idle\n  - name: page")
    line = (tmp_path / "alertmanager.yaml").read_text().splitlines().index("  - name: idle") + 1
    assert wrong == f"alertmanager.yaml:{line}: no case of alertmanager.tests.yaml goes to receiver idle"


def test_a_table_without_the_right_form(root: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.yaml"
    table.write_text("receivers: {critical: page}\nroutes:\n  - {label: {a: b}, receiver: page}\n")
    found = list(schema.check(table, root / "contracts/alertmanager.tests.schema.json", "t.yaml"))
    assert sorted(found) == [
        "t.yaml:3:5: routes.0: 'labels' is a required property",
        "t.yaml:3:6: routes.0: unknown key 'label'; known are labels, receiver",
    ]
