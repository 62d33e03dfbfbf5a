# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kind's node image of our own build: Debian with systemd and containerd, and Kubernetes in one binary."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.lab import base, engine, toolchain
from tests.lab.state import LAB, digest, run, succeeds

FOLDER = LAB / "node"
# On a host that lacks nothing, the node's runc is the distribution's.
PLAIN_RUNC = '#!/bin/sh\nexec /usr/sbin/runc "$@"\n'


def kubernetes_version() -> str:
    return toolchain.load()["kubernetes"].version


def build() -> str:
    """The image's name; built if the engine does not have it. The name tells what it was built from."""
    programs = toolchain.require(["kubernetes", "runc-without-resources"])
    root = base.node()
    relaxed = engine.lacks_resource_capability()
    sources = sorted(path for path in FOLDER.iterdir() if path.is_file())
    key = digest(
        root.name,
        str(relaxed),
        *(str(path.resolve().name) for path in programs.values()),
        *(path.read_bytes() for path in sources),
    )
    name = f"ias-lab/node:{key}"
    if succeeds(["docker", "-H", engine.HOST, "image", "inspect", name]):
        return name
    print("building the node image ...", flush=True)
    run(["docker", "-H", engine.HOST, "import", root, "ias-lab/node-base"])
    with tempfile.TemporaryDirectory(dir=engine.DATA) as context:
        place = Path(context)
        for source in sources:
            text = source.read_text().replace("KUBERNETES", kubernetes_version())
            (place / source.name).write_text(text)
            (place / source.name).chmod(source.stat().st_mode)
        shutil.copy(programs["kubernetes"], place / "kubernetes")
        if relaxed:
            shutil.copy(programs["runc-without-resources"], place / "runc")
        else:
            (place / "runc").write_text(PLAIN_RUNC)
            (place / "runc").chmod(0o755)
        (place / "version").write_text(kubernetes_version())
        # The classic builder asks nothing of the network.
        run(["docker", "-H", engine.HOST, "build", "-q", "-t", name, place], env={"DOCKER_BUILDKIT": "0"})
    return name
