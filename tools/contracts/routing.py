# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's configuration: read by our lints and by amtool, which also says where each alert goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._alertmanager import configuration as routing_config
from ansible_collections.ias.observability.plugins.module_utils._alertmanager import lint as lint_routing
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._rules.context import Index
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule, RuleFile
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import first_document
from tools import yaml_text
from tools.contracts import programs
from tools.contracts.schema import place


@dataclass(frozen=True, slots=True)
class Route:
    """Who is to receive the alert with these labels; `where` is reported when somebody else would."""

    where: str
    labels: tuple[tuple[str, str], ...]
    receiver: str


def check(config: Path, alerts: Iterable[Rule], root: Path) -> Iterator[str]:
    """What amtool has against the configuration, and alerts that would go to somebody else."""
    name = str(config.relative_to(root))
    code, output = programs.run("amtool", "check-config", name, cwd=root)
    if code:
        lines = config.read_text().splitlines()
        yield from (f"{name}:{where}: {what}" for where, what in programs.places(output, lines))
        return
    table = config.with_suffix(".tests.yaml")
    content = table.read_text()
    loaded = yaml_text.load(content)
    tree = first_document(content)
    shown = str(table.relative_to(root))
    expected = [
        Route(f"{shown}:{place(tree, ['routes', number])[0]}", _pairs(row["labels"]), row["receiver"])
        for number, row in enumerate(loaded["routes"])
    ]
    expected += [route for rule in alerts if (route := of_rule(rule, loaded["receivers"])) not in expected]
    with ThreadPoolExecutor() as pool:
        yield from (wrong for wrong in pool.map(lambda route: _test_route(route, name, root), expected) if wrong)
    used = {route.receiver for route in expected}
    content = config.read_text()
    tree = first_document(content)
    for number, receiver in enumerate(yaml_text.load(content)["receivers"]):
        if receiver["name"] not in used:
            line = place(tree, ["receivers", number])[0]
            yield f"{name}:{line}: no case of {shown} goes to receiver {receiver['name']}"


def check_routes(config: Path, files: Iterable[RuleFile], root: Path) -> list[Finding]:
    """Routes and inhibitions that match no alert, alerts that reach nobody.

    The alerts are those of the rule files and of the table, which has some of the charts' own;
    so no route is left to other rules.
    """
    report = RuleReport()
    routing = routing_config.load(str(config.relative_to(root)), config.read_text(), report)
    if routing is not None:
        rows = yaml_text.load(config.with_suffix(".tests.yaml").read_text())["routes"]
        alerts = [
            *lint_routing.of_rules(Index.of(files)),
            *(lint_routing.of_labels(dict(_pairs(row["labels"]))) for row in rows),
        ]
        lint_routing.check(routing, alerts, report)
    return report.findings


def of_rule(rule: Rule, receivers: Mapping[str, str]) -> Route:
    """Where an alert of the rule files must go: by its severity, the watchdog to whoever waits for it."""
    labels = rule.group.all_labels(rule)
    receiver = "watchdog" if rule.name == "Watchdog" else receivers.get(labels.get("severity", ""), "")
    return Route(f"{rule.group.file.path}:{rule.line}", _pairs({"alertname": rule.name, **labels}), receiver)


def _pairs(labels: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in labels.items()))


def _test_route(route: Route, config: str, root: Path) -> str:
    labels = [f"{name}={value}" for name, value in route.labels]
    code, output = programs.run("amtool", "config", "routes", "test", f"--config.file={config}", *labels, cwd=root)
    receiver = output.splitlines()[-1] if output else ""
    if code == 0 and receiver == route.receiver:
        return ""
    return (
        f"{route.where}: {' '.join(labels)} goes to {receiver or 'nobody'}, not to {route.receiver or 'anybody known'}"
    )
