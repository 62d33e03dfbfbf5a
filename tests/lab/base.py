# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root file systems from Debian's packages, made once by mmdebstrap and kept in the user's cache."""

from __future__ import annotations

import time
from pathlib import Path

from tests.lab.state import cache, digest, run

SUITE = "bookworm"
NODE = [
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "dbus",
    "dnsmasq-base",
    "docker-registry",
    "ethtool",
    "hostname",
    "ipset",
    "iproute2",
    "iptables",
    "kmod",
    "libseccomp2",
    "mount",
    "nftables",
    "procps",
    "psmisc",
    "runc",
    "socat",
    "systemd",
    "systemd-sysv",
    "util-linux",
]
IMAGE = ["ca-certificates", "iproute2", "iptables", "python3"]


def root_file_system(name: str, packages: list[str]) -> Path:
    """A tar archive with Debian's minimal system and these packages; deterministic enough to be kept by its inputs."""
    path = cache() / "base" / f"{name}-{digest(SUITE, *packages)}.tar"
    if not path.exists():
        started = time.monotonic()
        print(f"making the {name} root file system from Debian's packages ...", flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        run(["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", "--format=tar", SUITE, new])
        new.rename(path)
        print(f"made the {name} root file system in {time.monotonic() - started:.0f} s", flush=True)
    return path


def node() -> Path:
    return root_file_system("node", NODE)


def image() -> Path:
    return root_file_system("image", IMAGE)
