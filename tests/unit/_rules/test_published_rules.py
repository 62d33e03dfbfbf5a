# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lints find in 2,396 published rules, file by file.

The golden file is never regenerated blindly: a changed count is explained in the commit that changes it.
All errors in it have been looked at: each is a bug of the published rule.
"""

from __future__ import annotations

import collections
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import Result, check
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tests.unit.growth import LINEAR, growth

GOLDEN = Path(__file__).parent / "golden" / "published_rules.json"


@pytest.fixture(scope="module")
def result(shared: Path) -> Result:
    with gzip.open(shared / "corpus" / "rulefiles.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return check([Source(row["src"], json.dumps({"groups": row["groups"]})) for row in rows], Profile())


def test_prometheus_would_load_them_all(result: Result) -> None:
    assert sum(len(file.rules) for file in result.files) == 2396
    assert [str(finding) for finding in result.findings if finding.id.startswith("load/")] == []


def test_counts(result: Result) -> None:
    counts = collections.Counter(f"{finding.id} {finding.severity}" for finding in result.findings)
    assert dict(sorted(counts.items())) == json.loads(GOLDEN.read_text(encoding="utf-8"))["counts"]


@pytest.mark.usefixtures("collector_off")
def test_time_grows_with_the_rules() -> None:
    """Every lint on ten times the rules takes at most twelve times as long, and a long group is no worse."""

    def checked(count: int) -> Callable[[], object]:
        rules = [
            {
                "alert": f"A{number}",
                "expr": f'sum by (job) (rate(a{number}_total{{code=~"5.."}}[5m])) / sum by (job) (b:c{number}) > 0.1',
                "labels": {"severity": "warning"},
                "annotations": {"summary": "{{ $labels.job }} fails"},
            }
            for number in range(count)
        ]
        rules += [{"record": f"b:c{number}", "expr": f"sum by (job) (b:c{number - 1})"} for number in range(1, count)]
        text = json.dumps({"groups": [{"name": "g", "rules": rules}]})
        return lambda: check([Source("r", text)], Profile())

    assert growth(checked, 150) <= LINEAR


def test_errors(result: Result) -> None:
    """By file and rule, so that no false positive hides behind an equal count."""
    errors: dict[str, dict[str, list[str]]] = {}
    for finding in result.findings:
        if finding.severity == "error":
            objects = errors.setdefault(finding.id, {}).setdefault(finding.file, [])
            if finding.object not in objects:
                objects.append(finding.object)
    wanted = json.loads(GOLDEN.read_text(encoding="utf-8"))["errors"]
    assert {
        identity: {file: sorted(names) for file, names in files.items()} for identity, files in errors.items()
    } == wanted
