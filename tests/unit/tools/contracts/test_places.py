# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever `make contracts` finds, it says with the file and the line of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.unit.rendering import program

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
    """The files of all lines that tell something new; every line has its place."""
    started = [line for line in lines if not line.startswith(" ")]
    assert [line for line in started if not LINE.match(line)] == []
    return [line.removeprefix("contracts/").partition(":")[0] for line in started]


def test_what_has_the_wrong_form(check_copy: Callable[..., list[str]]) -> None:
    assert set(where(check_copy(FORMS))) == FORMS.keys()


def test_what_is_wrong_beyond_forms(check_copy: Callable[..., list[str]], shared: Path) -> None:
    lines = check_copy(CONTENTS, Path(program("promtool")), Path(program("amtool")), shared=shared)
    assert CONTENTS.keys() - set(where(lines)) == {"dashboards/logs.yaml"}  # right, but compiled to something else
    assert any(line.startswith("contracts/dashboards/logs.json:1: stale") for line in lines)
