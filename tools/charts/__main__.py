# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.charts outdated|mirror`: which pins are behind, or what a mirror must hold."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tools.charts import pins, registry, versions
from tools.contracts import schema

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "contracts" / "charts.yaml"
SCHEMA = ROOT / "contracts" / "charts.schema.json"


def outdated_pins(client: httpx.Client, pin: pins.Pin) -> Iterator[str]:
    """What is newer than the pin, whether its tag has been moved, or why nobody knows."""
    try:
        newer = versions.newer(pin.version, _existing(client, pin))
        if newer.of_all:
            within = "" if newer.of_all == newer.of_major else f"; of this major: {newer.of_major or 'none'}"
            yield f"{pin.where}: {pin.chart} {pin.version}: {newer.of_all} is there{within}"
        if pin.digest and pin.ref.startswith(pins.OCI):
            now = registry.digest(client, pin.ref.removeprefix(pins.OCI), pin.version)
            if now != pin.digest:
                yield f"{pin.where}: {pin.chart} {pin.version} is {now} now, not {pin.digest}: ask its makers why"
    except registry.UnansweredError as why:
        yield f"{pin.where}: {pin.chart} {pin.version}: not known: {why}"


def _existing(client: httpx.Client, pin: pins.Pin) -> list[str]:
    if pin.ref.startswith(pins.OCI):
        return registry.tags(client, pin.ref.removeprefix(pins.OCI))
    return registry.listed(client, pin.index, pin.chart)


def outdated(pinned: list[pins.Pin]) -> int:
    """Print what is behind; 1 when something is, or is not known."""
    with registry.asking() as client, ThreadPoolExecutor() as pool:
        found = [line for lines in pool.map(lambda pin: list(outdated_pins(client, pin)), pinned) for line in lines]
    for line in found:
        print(line)
    print(f"charts: {len(pinned)} asked for, {len(found)} to look at; a chart's images follow its version")
    return 1 if found else 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.charts", description=__doc__)
    parser.add_argument("command", choices=["outdated", "mirror"])
    parser.add_argument("--charts", type=Path, default=CHARTS, help="the pins (default: the contracts')")
    arguments = parser.parse_args(argv)
    name = str(arguments.charts.relative_to(ROOT) if arguments.charts.is_relative_to(ROOT) else arguments.charts)
    try:
        wrong = list(schema.check(arguments.charts, SCHEMA, name))
    except OSError as why:
        wrong = [f"{name}: {why.strerror}"]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 2
    pinned = pins.read(arguments.charts, name)
    if arguments.command == "outdated":
        return outdated(pinned)
    print("\n".join(pins.mirror_lines(pinned)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
