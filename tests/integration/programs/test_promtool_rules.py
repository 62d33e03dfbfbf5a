# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`load/*` against `promtool check rules`, on rules of which one field has been changed."""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tests.unit.modules.test_alert_rules_validate import BAD, GOOD, run
from tests.unit.mutants import mutants
from tests.unit.rendering import program

COUNT = 1500
# promtool accepts these, and what becomes of them is another matter
NOT_PROMTOOL = {"load/expr-type", "load/second-document"}
DURATIONS = ["5m", "1h30m", "0", "0s", "5 m", "1.5h", "-5m", "90s", "1d12h", "30m1h", "", "1y2w", "99999999y", "5M"]
NAMES = ["a", "a:b", "a b", "a-b", "é", "", "1a", "a{b}", "__name__", "__x__", "le", "{{ $labels.x }}"]
ODD: list[Any] = [None, "", 5, 1.5, True, [], ["a"], {}, {"a": "b"}, "text"]


def changed(groups: list[dict[str, Any]], source: random.Random, expressions: list[str]) -> Any:
    """One group with one of its rules, and one thing about them different."""
    group = copy.deepcopy(source.choice(groups))
    rule = source.choice(group["rules"])
    group["rules"] = [rule]

    def text(value: str) -> str:
        return next(iter(mutants([value], 1, source)))

    def label() -> None:
        kind = source.choice(["labels", "annotations"])
        rule.setdefault(kind, {})[source.choice(NAMES)] = source.choice(["x", text("{{ $value | humanize }}"), ""])

    changes: list[Callable[[], object]] = [
        lambda: rule.update(expr=text(rule["expr"])),
        lambda: rule.update(expr=text(source.choice(expressions))),
        lambda: rule.update({source.choice(["for", "keep_firing_for"]): source.choice(DURATIONS)}),
        lambda: group.update({source.choice(["interval", "query_offset"]): source.choice(DURATIONS)}),
        label,
        lambda: rule.update({source.choice(["record", "alert"]): source.choice(NAMES)}),
        lambda: group.update(name=source.choice(NAMES)),
        lambda: rule.update({source.choice(list(rule)): source.choice(ODD)}),
        lambda: rule.update({source.choice(["labels", "annotations", "for", "x", "Expr"]): source.choice(ODD)}),
        lambda: group.update({source.choice(["rules", "limit", "labels", "y", "interval"]): source.choice(ODD)}),
        lambda: rule.pop(source.choice(list(rule))),
    ]
    source.choice(changes)()
    return {"groups": [group]}


def test_agrees_with_promtool(tmp_path: Path, shared: Path) -> None:
    source = random.Random(20261125)
    with gzip.open(shared / "corpus" / "rulefiles.jsonl.gz", "rt", encoding="utf-8") as lines:
        groups = [group for line in lines for group in json.loads(line)["groups"] if group.get("rules")]
    with gzip.open(shared / "corpus" / "promql.jsonl.gz", "rt", encoding="utf-8") as lines:
        expressions = [row["expr"] for row in map(json.loads, lines) if row["kind"] in {"rule", "eval"}]
    promtool = program("promtool")
    # built as a Go module it says v0.316.0, as a release 3.16.0
    version = re.search(r"version (?:v0\.)?(\d)\.?(\d+)", subprocess.check_output([promtool, "--version"], text=True))
    assert version is not None
    profile = Profile.of(f"{version[1]}.{version[2]}")
    texts = [json.dumps(changed(groups, source, expressions), indent=1, ensure_ascii=False) for _ in range(COUNT)]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    names = [f"{number}.yaml" for number in range(COUNT)]
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=none", *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = dict(re.findall(r"Checking (\d+)\.yaml\s+(SUCCESS|FAILED)", done.stdout))
    refused = dict(re.findall(r"(\d+)\.yaml: (.*)", done.stderr))
    wrong: list[tuple[str, str, str]] = []
    accepted = 0
    for number, text in enumerate(texts):
        report = RuleReport()
        parse_rules("r.yaml", text, profile, report)
        errors = [one for one in report.findings if one.severity == "error" and one.id not in NOT_PROMTOOL]
        verdict = verdicts.get(str(number), "FAILED")
        accepted += verdict == "SUCCESS"
        if (verdict == "SUCCESS") == bool(errors):
            wrong.append((text, verdict + refused.get(str(number), ""), "; ".join(map(str, errors))))
    assert COUNT // 4 < accepted < COUNT * 3 // 4
    assert wrong == [], wrong[:3]


def test_the_real_promtool_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = (GOOD, BAD.replace("api", "other"), GOOD.replace("summary: '", "summary: '{{ nothing }}"))
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    result = run(capsys, paths=[str(tmp_path)], promtool=[program("promtool")], prometheus_version="3.16")
    assert result["promtool"]["asked"] is True
    assert not [one for one in result["findings"] if one["id"] == "load/promtool"]
    assert result["summary"]["error"] == 3
