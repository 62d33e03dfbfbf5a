# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests that scaffolds write, run by promtool."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._rule_tests.scaffold import Scaffold, as_yaml
from tests.unit._rule_tests.test_scaffold import RECORDS, SOLVED, index_of, rules_of, scaffolds
from tests.unit.rendering import program


def written(folder: Path, number: int, groups: list[dict[str, Any]], tests: list[Scaffold]) -> str:
    """The name of the test file; the rules are beside it."""
    (folder / f"{number}.rules.yaml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
    (folder / f"{number}.tests.yaml").write_text(as_yaml(tests, [f"{number}.rules.yaml"]), encoding="utf-8")
    return f"{number}.tests.yaml"


def promtool(folder: Path, files: list[str]) -> str:
    """What promtool has against the tests; "" when they pass."""
    done = subprocess.run(
        [program("promtool"), "test", "rules", *files], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_passes_them(tmp_path: Path) -> None:
    """Each rule in a file of its own: promtool evaluates all rules of a file for each of its tests."""
    labels, texts = {"severity": "page"}, {"summary": "{{ $labels.job }} of {{ .Labels.team }} is down"}
    files = []
    for number, (for_, expr) in enumerate(product(["0s", "5m", "90s"], SOLVED)):
        rules = rules_of(expr, for_=for_, labels=labels, annotations=texts)
        groups = [{"name": "g", "rules": [*RECORDS, *rules] if "job:" in expr else rules}]
        files.append(written(tmp_path, number, groups, scaffolds(index_of(groups))))
    assert promtool(tmp_path, files) == ""


def test_published_rules(tmp_path: Path, shared: Path) -> None:
    """How far it gets with 217 rule files; promtool passes what is complete (of every fourth file: it takes a while).

    The one that fails is an alert that never fires, whatever the series: see rules/vector-match.
    """
    counts = {"alerts": 0, "series": 0, "complete": 0}
    files: list[str] = []
    with gzip.open(shared / "corpus" / "rulefiles.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            groups = json.loads(line)["groups"]
            tests = scaffolds(index_of(groups))
            ready = [one for one in tests if not one.todo]
            counts["alerts"] += len(tests)
            counts["series"] += sum(not any("not worked out" in todo for todo in one.todo) for one in tests)
            counts["complete"] += len(ready)
            short = [one for one in ready if one.settled < 3600 and one.interval == 60]
            if short and number % 4 == 3:
                files.append(written(tmp_path, number, groups, short))
    assert counts == {"alerts": 1972, "series": 1621, "complete": 335}
    said = promtool(tmp_path, files)
    assert (re.findall(r"alertname: (\w+)", said), said.count("FAILED")) == (["TempoNoTenantIndexBuilders"], 1)
