# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.lab`: start, look at and remove the lab."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab import (
    chart_folder,
    chart_images,
    cluster,
    images,
    object_storage,
    online_images,
    releases,
    status,
    toolchain,
    workloads,
)
from tests.lab.mode import Mode, mode
from tests.lab.state import LabError


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build what the lab needs, so that nothing has to wait for it")
    commands.add_parser("up", help="start the cluster, unless it is up")
    commands.add_parser("status", help="say what runs, and which version is behind each image's tag")
    commands.add_parser("logs", help="collect what nodes and pods have said into .lab/logs")
    commands.add_parser("images", help="build the stack's images and publish them in the lab; lay out its charts")
    commands.add_parser("platform", help="run the demo platform and its users in the cluster")
    commands.add_parser(
        "mimir", help="run what role mimir needs: an S3 server with buckets and keys; publish its image"
    )
    traffic = commands.add_parser("traffic", help="start or stop the platform's users")
    traffic.add_argument("switch", choices=["on", "off"])
    down = commands.add_parser("down", help="remove the cluster, and the engine if it is the lab's")
    down.add_argument("--purge", action="store_true", help="and the images that are kept for the next time")
    return whole


def build(chosen: Mode) -> None:
    if chosen == "online":
        releases.require(releases.load())
    else:
        toolchain.require(tool.name for tool in toolchain.load().values() if not tool.on_demand)


def publish(chosen: Mode, real_charts: Path | None) -> None:
    """Lay out the charts and make the images be there. Online both are pulled, unless the charts are given."""
    chart_folder.assemble(chosen, real_charts)
    if chosen == "online":
        online_images.load()
    else:
        chart_images.require_known(chart_folder.PLACE)
        images.publish(images.stack_images(), cluster.registry())


def mimir(chosen: Mode) -> None:
    """What role mimir needs beside the stack: its image, and object storage."""
    if chosen == "offline":
        images.publish(images.on_demand_images(), cluster.registry())
    object_storage.start()


def do(asked: argparse.Namespace, chosen: Mode) -> None:
    match asked.command:
        case "build":
            build(chosen)
        case "up":
            cluster.up(chosen)
        case "status":
            print("\n".join(status.lines(chosen)), flush=True)
        case "logs":
            print(f"logs are in {cluster.logs(chosen)}", flush=True)
        case "images":
            real = os.environ.get("CHARTS")
            publish(chosen, Path(real) if real else None)
        case "platform":
            workloads.start()
        case "mimir":
            mimir(chosen)
        case "traffic":
            workloads.traffic(on=asked.switch == "on")
        case "down":
            cluster.down(chosen, purge=asked.purge)


def main(argv: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(argv)
    started = time.monotonic()
    try:
        chosen, reason = mode()
        print(reason, flush=True)
        do(asked, chosen)
    except (LabError, toolchain.ToolchainError) as error:
        print(f"lab {asked.command}: {error}", file=sys.stderr)
        return 1
    print(f"lab {asked.command}: done in {time.monotonic() - started:.0f} s", flush=True)
    return 0
