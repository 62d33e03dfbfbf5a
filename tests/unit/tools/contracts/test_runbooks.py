# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks: what is wrong with one is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.contracts import runbooks

GOOD = """# Slow

## Meaning

It is slow.

## Impact

People wait.

## First queries

```promql
sum(rate(requests_total[5m]))
```
```logql
{namespace="n"} | json | level="error"
```
```traceql
{ duration > 1s }
```

## What to do

1. Wait.
"""


def known(metric: str) -> bool:
    return metric == "requests_total"


def check(folder: Path, text: str, *alerts: str) -> list[str]:
    (folder / "Slow.md").write_text(text)
    return list(runbooks.check(folder, dict.fromkeys(alerts or ("Slow",), "a.yaml:3"), known, {"level"}, folder.parent))


def test_a_good_one(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("# Slow\n", "# Fast\n", 1, "the first line is not `# Slow`"),
        ("## Impact\n", "## Effect\n", 1, "the headings are ## Meaning, ## Effect, "),
        ("1. Wait.\n", "1. Wait.\n" * 30, 41, "54 lines: who is woken up reads at most 40"),
        ("```traceql\n{ duration > 1s }\n```\n", "", 1, "2 queries: the first 3 are "),
        ("rate(requests_total[5m])", "rate(requests_total)", 14, "no promql: "),
        ("requests_total", "request_total", 14, "no service exposes request_total"),
        ('{namespace="n"}', "{}", 17, "no logql: "),
        ('level="error"', 'lvl="error"', 17, "no service logs a field 'lvl' (did you mean 'level'?)"),
        ("duration > 1s", "duration >", 20, "no traceql: "),
        ("```logql", "```sql", 17, "sql is none of promql, logql, traceql"),
    ],
)
def test_what_is_wrong_with_one(tmp_path: Path, before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    (wrong,) = check(tmp_path, GOOD.replace(before, after))
    assert wrong.startswith(f"{tmp_path.name}/Slow.md:{line}: {said}")


def test_an_alert_without_and_a_runbook_without(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD, "Fast") == [
        f"a.yaml:3: Fast has no runbook {tmp_path.name}/Fast.md",
        f"{tmp_path.name}/Slow.md:1: there is no alert Slow",
    ]
