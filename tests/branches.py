# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many branches of plugins/ the unit tests take; `make coverage` fails below the floor.

The `fail_under` of coverage itself counts lines and branches together, which flatters.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FLOOR_IN_PERCENT = 95.0
MOST_NAMED = 10
REPORT = Path(__file__).resolve().parents[1] / ".lab" / "coverage.json"


def summary(report: dict[str, Any]) -> str:
    """The figure, and the files that miss most; `report` is coverage's JSON."""
    totals = report["totals"]
    missing = sorted(
        ((len(file["missing_branches"]), name) for name, file in report["files"].items() if file["missing_branches"]),
        key=lambda one: (-one[0], one[1]),
    )
    lines = [f"{count:5} branches not taken in {name}" for count, name in missing[:MOST_NAMED]]
    figure = f"{totals['percent_branches_covered']:.2f} % of {totals['num_branches']} branches"
    return "\n".join([*lines, f"{figure} (at least {FLOOR_IN_PERCENT:.0f} %)"])


def main() -> int:
    report = json.loads(REPORT.read_text())
    print(summary(report))
    return int(report["totals"]["percent_branches_covered"] < FLOOR_IN_PERCENT)


if __name__ == "__main__":
    sys.exit(main())
