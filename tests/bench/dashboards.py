# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dashboards_validate takes for a dashboard, and whether ten times as many take ten times as long.

    PYTHONPATH=collections python -m tests.bench.dashboards [--shared PATH] [--count N]

The dashboards are made of expressions of published ones (from the corpus), 21 queries in 18 panels with four variables
each, as published ones have on average. CPU time of every check, without the interpreter's start. Prints JSON.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import Source

ROOT = Path(__file__).resolve().parents[2]
GOAL_MS = 10
PANELS, QUERIES = 18, 21
VARIABLES = ("cluster", "namespace", "job", "instance")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("IAS_SHARED") or ROOT.parent / "shared"))
    parser.add_argument("--count", type=int, default=345)
    options = parser.parse_args()
    with gzip.open(options.shared / "corpus" / "promql.jsonl.gz", "rt", encoding="utf-8") as lines:
        expressions = [row["expr"] for row in map(json.loads, lines) if row["kind"] == "dash"]
    texts = list(dashboards(expressions, options.count * 10, random.Random(1)))
    few, many = seconds(texts[: options.count]), seconds(texts)
    print(
        json.dumps(
            {
                "dashboards": options.count,
                "kilobytes_each": round(sum(len(one.text) for one in texts) / len(texts) / 1000),
                "ms_each": round(1000 * few / options.count, 2),
                "ms_each_of_ten_times_as_many": round(1000 * many / len(texts), 2),
                "goal_ms": GOAL_MS,
            }
        )
    )


def dashboards(expressions: Sequence[str], count: int, source: random.Random) -> Iterator[Source]:
    for number in range(count):
        queries = [source.choice(expressions) for _ in range(QUERIES)]
        panels = [_panel(at, queries[at::PANELS]) for at in range(PANELS)]
        variables: list[dict[str, Any]] = [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        variables += [
            {"name": name, "type": "query", "query": f"label_values(up, {name})", "multi": True, "datasource": SOURCE}
            for name in VARIABLES
        ]
        raw = {"uid": f"d{number}", "title": "T", "schemaVersion": 41, "panels": panels}
        yield Source(f"{number}.json", json.dumps({**raw, "templating": {"list": variables}}, indent=2))


def _panel(at: int, queries: Sequence[str]) -> dict[str, Any]:
    return {
        "id": at,
        "type": "timeseries",
        "title": f"Panel {at}",
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": "short", "custom": {"lineWidth": 1, "fillOpacity": 10}}, "overrides": []},
        "gridPos": {"x": at % 3 * 8, "y": at // 3 * 8, "w": 8, "h": 8},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(65 + number), "expr": f'{query} and on () up{{job=~"$job"}}', "legendFormat": "{{instance}}"}
            for number, query in enumerate(queries)
        ],
    }


def seconds(texts: Sequence[Source]) -> float:
    gc.collect()
    gc.disable()
    start = time.process_time()
    check(texts, Reader(Profile()))
    spent = time.process_time() - start
    gc.enable()
    return spent


if __name__ == "__main__":
    main()
