# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All benchmarks: `python -m tests.bench [NAME ...] [--table]`. Prints JSON, or the table of docs/performance.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.bench import alert_rules, dashboards, grafana_sync, imports, pod_logs, preflight
from tests.bench.measure import Figure, UnmeasurableError

BENCHMARKS = {
    "alert_rules": alert_rules.figures,
    "pint": alert_rules.against_pint,
    "dashboards": dashboards.figures,
    "grafana_sync": grafana_sync.figures,
    "imports": imports.figures,
    "pod_logs": pod_logs.figures,
    "preflight": preflight.figures,
}
HEAD = "| what | against | ours | theirs | ratio | goal | memory | bounded by |\n|---|---|---|---|---|---|---|---|"


def main() -> int:
    """Fails when a goal is missed, or when nothing could be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all without")
    parser.add_argument("--table", action="store_true", help="print the table instead of JSON")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    skipped: dict[str, str] = {}
    for name in options.names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                figures += BENCHMARKS[name](Path(folder))
            except UnmeasurableError as error:
                skipped[name] = str(error)
                print(f"{name} was not measured: {error}", file=sys.stderr)
    if options.table:
        print("\n".join([HEAD, *(figure.as_row() for figure in figures)]))
    else:
        machine = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "python": platform.python_version()}
        told = {"machine": machine, "figures": [figure.as_dict() for figure in figures], "not_measured": skipped}
        print(json.dumps(told, indent=2))
    return 0 if figures and all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
