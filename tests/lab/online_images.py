# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one image that LAB=online does not pull: the demo platform, built by the user's engine and loaded into kind."""

from __future__ import annotations

from tests.lab import workloads
from tests.lab.state import CLUSTER, KUBECONFIG, LAB, ROOT, STATE, run

DOCKERFILE = LAB / "online" / "Dockerfile"


def plan() -> list[list[str]]:
    """The commands, in order."""
    return [
        ["docker", "build", "--quiet", "--tag", workloads.IMAGE, "--file", str(DOCKERFILE), str(ROOT)],
        [str(STATE / "bin" / "kind"), "load", "docker-image", workloads.IMAGE, "--name", CLUSTER],
    ]


def load() -> None:
    for command in plan():
        run(command, env={"KUBECONFIG": str(KUBECONFIG)})


def remove() -> list[str]:
    """The command that takes back what `load` left in the user's engine."""
    return ["docker", "image", "rm", "--force", workloads.IMAGE]
