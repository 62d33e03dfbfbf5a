# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A metric gets another name in services.yaml: exactly the panels and rules that ask for it by the old one are named.

What must be named is found by searching the texts, each metric in turn, not by what is tried here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, reduce
from pathlib import Path

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import Source, check
from ansible_collections.ias.observability.plugins.module_utils._rules.contract import load
from ansible_collections.ias.observability.plugins.module_utils._rules.report import Report
from tools.contracts import queries
from tools.contracts.variables import QUERIES

CONTRACTS = Path(__file__).resolve().parents[4] / "contracts"
SERVICES = (CONTRACTS / "services.yaml").read_text()
RULES = tuple(CONTRACTS / name for name in ("alerts.yaml", "slo-alerts.yaml"))
DASHBOARDS = tuple(sorted((CONTRACTS / "dashboards").glob("*.yaml")))
METRICS = sorted({name for service in yaml.safe_load(SERVICES)["services"].values() for name in service["metrics"]})
SOURCES = [Source(path.name, path.read_text()) for path in RULES]
RULE = re.compile(r"^ +- (?:alert|record): ")
MISSING = re.compile(r"no service exposes '([^']+)'")

Broken = tuple[str, str]
"""File, and the panel's title, `variable <name>`, or which of the file's rules it is with its name."""


def token(metric: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w:]){re.escape(metric)}(?:_bucket|_sum|_count)?(?!:?\w)")


@cache
def asked() -> list[tuple[Broken, str]]:
    """Every text that Prometheus is asked with, and by whom; objectives follow services.yaml by themselves."""
    return [*in_rules(), *in_dashboards()]


def in_rules() -> Iterator[tuple[Broken, str]]:
    for path in RULES:
        listed = [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
        for number, rule in enumerate(listed, 1):
            yield (path.name, f"{number} {rule.get('alert') or rule['record']}"), rule["expr"]


def in_dashboards() -> Iterator[tuple[Broken, str]]:
    for path in DASHBOARDS:
        spec = yaml.safe_load(path.read_text())
        for name in spec["variables"]:
            yield (path.name, f"variable {name}"), QUERIES.get(name, ("", ""))[1]
        for row in spec["rows"]:
            for panel in row["panels"]:
                for query in panel["queries"]:
                    if query.get("source", "prometheus") == "prometheus":
                        yield (path.name, panel["title"]), query.get("expr", "")


def users(metric: str) -> set[Broken]:
    return {who for who, text in asked() if metric in text and token(metric).search(text)}


USED = [metric for metric in METRICS if users(metric)]


@cache
def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def named(services: str) -> Iterator[tuple[Broken, Finding]]:
    """Whom the checks name, and with which words."""
    checked = check(SOURCES, Profile(), contract=Source("services.yaml", services))
    for finding in (one for one in checked.findings if one.severity != "info"):
        path = CONTRACTS / finding.file
        starts = [number for number, line in enumerate(lines(path), 1) if RULE.match(line)]
        yield (finding.file, f"{bisect_right(starts, finding.line)} {finding.object.rpartition('/')[2]}"), finding
    promised = load("services.yaml", services, Report())
    for path in DASHBOARDS:
        for finding in queries.check(path, path.name, promised, checked.files):
            yield (path.name, finding.object.rpartition("/")[2] or finding.object), finding


def test_as_it_stands_nothing_breaks() -> None:
    assert list(named(SERVICES)) == []


def test_most_metrics_are_used_by_something() -> None:
    assert len(USED) > 0.8 * len(METRICS)


@cache
def broken() -> dict[str, list[tuple[Broken, Finding]]]:
    """With every metric renamed, so that one look tells of each: metric → what has lost it."""
    told: dict[str, list[tuple[Broken, Finding]]] = {}
    for who, finding in named(reduce(lambda text, name: token(name).sub(f"{name}_renamed", text), METRICS, SERVICES)):
        missing = MISSING.match(finding.message)
        assert missing, finding
        told.setdefault(missing[1], []).append((who, finding))
    return {
        name: [one for gone, found in told.items() if token(name).fullmatch(gone) for one in found] for name in METRICS
    }


@pytest.mark.parametrize("metric", USED)
def test_everything_that_breaks_is_named_and_nothing_else(metric: str) -> None:
    found = broken()[metric]
    assert {who for who, _ in found} == users(metric)
    for (file, who), finding in found:
        (path,) = CONTRACTS.rglob(file)
        place = lines(path)[finding.line - 1]
        assert who.startswith("variable") or token(metric).search(place), finding


@pytest.mark.parametrize("metric", ["router_tokens_total", "pg_up"])
def test_all_of_them_are_printed_with_file_and_line(check_copy: Callable[..., list[str]], metric: str) -> None:
    """By the key alone: an objective that has the old name is told too, and keeps nothing else from it."""
    found = "\n".join(check_copy({"services.yaml": (rf"(?m)^      {metric}:", f"      {metric}_renamed:")}))
    told = re.findall(rf"(?m)^contracts/(.+?):(\d+):\d+ \S*/(.+): no service exposes '{metric}'", found)
    assert {(Path(file).name, who) for file, _line, who in told} == {
        (file, who if file not in {path.name for path in RULES} else who.partition(" ")[2])
        for file, who in users(metric)
    }
    assert all(token(metric).search(lines(CONTRACTS / file)[int(line) - 1]) for file, line, _who in told)
    assert ("up is a gauge of the service" in found) == (metric == "pg_up")
