# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dashboards_validate takes for a dashboard, and whether 10,000 take no longer each than 345.

    python -m tests.bench.dashboards [--count N]

prints seconds for each of N dashboards and the peak of the process' memory. CPU time of every check, without the
interpreter's start. The dashboards are made one by one of what published ones have: expressions of the corpus, 21
queries in 18 panels with four variables each, and as many removed panel types, repeated refIds and unused variables.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tests.bench.measure import SHARED, Figure, own_peak_memory, run

FEW, SOME, MANY = 345, 1_000, 10_000
GOAL_SECONDS = 0.010
GOAL_LINEAR = 1.2
PANELS, QUERIES = 18, 21
VARIABLES = ("cluster", "namespace", "job", "instance")
ANGULAR, SAME_REF, UNUSED = 643 / (345 * PANELS), 309 / 7392, 116 / 345
"""Shares of panels, queries and dashboards: counted in 345 published dashboards with 7,392 queries."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
BOUND = "parsing and looking at 21 queries, and finding the places of findings in the text"


def figures(_folder: Path) -> Iterator[Figure]:
    """A process for each count. Their memory is that of the findings: a run holds all of them until its end."""
    few, some, many = (measured(count) for count in (FEW, SOME, MANY))
    yield Figure(
        f"one of {FEW} dashboards",
        f"the goal of {1000 * GOAL_SECONDS:g} ms",
        few["seconds_each"],
        GOAL_SECONDS,
        1.0,
        BOUND,
        memory_mib=few["memory_mib"],
        details={"kilobytes_each": few["kilobytes_each"]},
    )
    for count, ran in ((SOME, some), (MANY, many)):
        yield Figure(
            f"one of {count:,} dashboards",
            f"one of {FEW}",
            ran["seconds_each"],
            few["seconds_each"],
            GOAL_LINEAR,
            BOUND,
            details={"memory_of_all_mib": ran["memory_mib"]},
        )


def measured(count: int) -> dict[str, float]:
    ran = run([sys.executable, "-m", "tests.bench.dashboards", "--count", str(count)])
    told: dict[str, float] = json.loads(ran.said)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=FEW)
    options = parser.parse_args()
    corpus = SHARED / "corpus" / "promql.jsonl.gz"
    if not corpus.exists():
        raise SystemExit(f"{corpus} is not there: set IAS_SHARED")
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        expressions = [row["expr"] for row in map(json.loads, lines) if row["kind"] == "dash"]
    made = Made(dashboards(expressions, options.count, random.Random(1)))
    gc.collect()
    gc.disable()
    start = time.process_time()
    check(made, Reader(Profile()))
    spent = time.process_time() - start - made.seconds
    print(
        json.dumps(
            {
                "dashboards": options.count,
                "kilobytes_each": round(made.characters / options.count / 1000),
                "seconds_each": spent / options.count,
                "memory_mib": own_peak_memory(),
            }
        )
    )


@dataclass(slots=True)
class Made:
    """Hands dashboards on one by one, and says how long it took to make them."""

    texts: Iterator[Source]
    seconds: float = 0.0
    characters: int = 0

    def __iter__(self) -> Iterator[Source]:
        while True:
            start = time.process_time()
            one = next(self.texts, None)
            self.seconds += time.process_time() - start
            if one is None:
                return
            self.characters += len(one.text)
            yield one


def dashboards(expressions: Sequence[str], count: int, source: random.Random) -> Iterator[Source]:
    for number in range(count):
        queries = [source.choice(expressions) for _ in range(QUERIES)]
        panels = [_panel(at, queries[at::PANELS], source) for at in range(PANELS)]
        variables: list[dict[str, Any]] = [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        names = [*VARIABLES, "unused"] if source.random() < UNUSED else VARIABLES
        variables += [
            {"name": name, "type": "query", "query": f"label_values(up, {name})", "multi": True, "datasource": SOURCE}
            for name in names
        ]
        raw = {"uid": f"d{number}", "title": "T", "schemaVersion": 41, "panels": panels}
        yield Source(f"{number}.json", json.dumps({**raw, "templating": {"list": variables}}, indent=2))


def _panel(at: int, queries: Sequence[str], source: random.Random) -> dict[str, Any]:
    return {
        "id": at,
        "type": "graph" if source.random() < ANGULAR else "timeseries",
        "title": f"Panel {at}",
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": "short", "custom": {"lineWidth": 1, "fillOpacity": 10}}, "overrides": []},
        "gridPos": {"x": at % 3 * 8, "y": at // 3 * 8, "w": 8, "h": 8},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": "A" if source.random() < SAME_REF else chr(65 + number),
                "expr": f'{query} and on () up{{{name}=~"${name}"}}',
                "legendFormat": "{{instance}}",
            }
            for number, query in enumerate(queries)
            for name in [VARIABLES[at % len(VARIABLES)]]
        ],
    }


if __name__ == "__main__":
    main()
