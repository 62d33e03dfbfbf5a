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

from tests.lab import chart_folder, cluster, images, toolchain, workloads
from tests.lab.mode import mode
from tests.lab.state import LabError


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build what the lab needs, so that nothing has to wait for it")
    commands.add_parser("up", help="start the cluster, unless it is up")
    commands.add_parser("images", help="build the stack's images and publish them in the lab; lay out its charts")
    commands.add_parser("platform", help="run the demo platform and its users in the cluster")
    traffic = commands.add_parser("traffic", help="start or stop the platform's users")
    traffic.add_argument("switch", choices=["on", "off"])
    down = commands.add_parser("down", help="remove the cluster, and the engine if it is the lab's")
    down.add_argument("--purge", action="store_true", help="and the images that are kept for the next time")
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(argv)
    started = time.monotonic()
    try:
        chosen, reason = mode()
        print(reason, flush=True)
        match asked.command:
            case "build":
                toolchain.require(tool.name for tool in toolchain.load().values() if not tool.on_demand)
            case "up":
                cluster.up(chosen)
            case "images":
                real = os.environ.get("CHARTS")
                chart_folder.assemble(Path(real) if real else None)
                images.publish(images.table(), cluster.registry())
            case "platform":
                workloads.start()
            case "traffic":
                workloads.traffic(on=asked.switch == "on")
            case "down":
                cluster.down(chosen, purge=asked.purge)
    except (LabError, toolchain.ToolchainError) as error:
        print(f"lab {asked.command}: {error}", file=sys.stderr)
        return 1
    print(f"lab {asked.command}: done in {time.monotonic() - started:.0f} s", flush=True)
    return 0
