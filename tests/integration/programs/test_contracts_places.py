# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever `make contracts` finds, it says with the file and the line of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.rendering import program
from tests.unit.tools.contracts.text_search import CONTRACTS, RULES, lines, token, users

# What is wrong starts with its place; what follows on further lines is indented.
LINE = re.compile(r"contracts/[\w./-]+\.(?:yaml|json|md):[1-9]\d*(?::[1-9]\d*)?(?: [^:]+)?: ")

FORMS = {
    "services.yaml": ("owner: identity", "ovner: identity"),
    "charts.yaml": ("version: 88", "verzion: 88"),
    "alertmanager.tests.yaml": ("receiver: page", "reciever: page"),
    "dashboards/logs.yaml": ("unit: short", "units: short"),
    "dashboards/traces.yaml": ("rows:", "rows: ["),
    "dashboards/own.json": ("^", '{"title": "Own",\n "panels": [}'),
}
CONTENTS = {
    "helm-values/profiles/ha/loki.yaml": ("podDisruptionBudget", "podDisruptionBudged"),
    "dashboards/logs.yaml": ("unit: short", "unit: bytes"),
    "dashboards/database.yaml": (r"rate\(pg_", "rat(pg_"),
    "dashboards/traces.json": ("/d/ias-logs", "/d/ias-lokks"),
    "dashboards/own.json": (
        "^",
        '{"title": "Own", "uid": "own",\n "panels": [{"title": "P", "fieldConfig":\n'
        '{"defaults": {"links": [{"url": "/d/nowhere"}]}}}]}',
    ),
    "alerts.yaml": ("alert: HighLatency", "alert: VeryHighLatency"),
    "alerts.tests.yaml": ("an event waits", "an event does not wait"),
    "alertmanager.tests.yaml": ("receiver: page", "receiver: ticket"),
    "slo-alerts.yaml": ("severity: critical", "severity: warning"),
    "runbooks/NoLogs.md": ("```logql", "```sql"),
}


def where(lines: list[str]) -> list[str]:
    """The files of all lines that say something new; every line has its place."""
    started = [line for line in lines if not line.startswith(" ")]
    assert [line for line in started if not LINE.match(line)] == []
    return [line.removeprefix("contracts/").partition(":")[0] for line in started]


def test_what_has_the_wrong_form(check_copy: Callable[..., list[str]]) -> None:
    assert set(where(check_copy(FORMS))) == FORMS.keys()


def test_what_is_wrong_beyond_forms(check_copy: Callable[..., list[str]], shared: Path) -> None:
    reported = check_copy(CONTENTS, Path(program("promtool")), Path(program("amtool")), shared=shared)
    assert CONTENTS.keys() - set(where(reported)) == {"dashboards/logs.yaml"}  # right, but compiled to something else
    assert any(line.startswith("contracts/dashboards/logs.json:1: stale") for line in reported)


@pytest.mark.parametrize("metric", ["router_tokens_total", "pg_up"])
def test_all_of_them_are_printed_with_file_and_line(check_copy: Callable[..., list[str]], metric: str) -> None:
    """By the key alone: an objective that has the old name is reported too, and hides nothing else."""
    found = "\n".join(check_copy({"services.yaml": (rf"(?m)^      {metric}:", f"      {metric}_renamed:")}))
    reported = re.findall(rf"(?m)^contracts/(.+?):(\d+):\d+ \S*/(.+): no service exposes '{metric}'", found)
    assert {(Path(file).name, who) for file, _line, who in reported} == {
        (file, who if file not in {path.name for path in RULES} else who.partition(" ")[2])
        for file, who in users(metric)
    }
    assert all(token(metric).search(lines(CONTRACTS / file)[int(line) - 1]) for file, line, _who in reported)
    assert ("up is a gauge of the service" in found) == (metric == "pg_up")
