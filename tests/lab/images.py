# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's images: the table in images.yaml, built from the toolchain's programs and sent to the lab's registry."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.lab import base, oci, toolchain
from tests.lab.registry import Registry, split
from tests.lab.state import LAB, ROOT, cache, digest, run

TABLE = LAB / "images.yaml"
PACKAGES = ROOT / "requirements" / "lab.txt"
PYTHON = "3.11"  # of the base's Debian
PLATFORM = "manylinux2014_x86_64"
HOME = "/opt/lab"


@dataclass(frozen=True)
class Row:
    """One image of the table."""

    names: tuple[str, ...]
    program: str = ""
    path: str = ""
    links: dict[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    user: str = "0"
    python: str = ""
    cluster: bool = False
    on_demand: bool = False


def table(path: Path = TABLE) -> list[Row]:
    """The table, with the Kubernetes version filled in."""
    text = path.read_text().replace("KUBERNETES", toolchain.load()["kubernetes"].version)
    return [_row(entry) for entry in yaml.safe_load(text)]


def _row(entry: dict[str, Any]) -> Row:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    row = Row(**fields)
    for name in row.names:
        split(name)
    return row


def cluster_images() -> list[Row]:
    return [row for row in table() if row.cluster]


def stack_images() -> list[Row]:
    return [row for row in table() if not row.on_demand]


def on_demand_images() -> list[Row]:
    return [row for row in table() if row.on_demand]


def publish(rows: Iterable[Row], registry: Registry) -> None:
    """Build what these rows describe and make the registry answer to their names."""
    for row in rows:
        started = time.monotonic()
        image = build(row)
        if sum(registry.publish(name, image) for name in row.names):
            print(f"published {row.names[0]} in {time.monotonic() - started:.0f} s", flush=True)


def build(row: Row) -> oci.Image:
    layers = [oci.layer(base.image())]
    env = []
    entrypoint = list(row.entrypoint) or [f"/usr/local/bin/{row.program}"]
    if row.program:
        binary = toolchain.require([row.program])[row.program].resolve()
        place = where(row)
        entries = [oci.Entry(place, source=binary)]
        entries += [oci.Entry(link, link=target) for link, target in row.links.items()]
        layers.append(_layer(entries, binary.name, place, *row.links))
    if row.python:
        folder = ROOT / row.python
        layers.append(_packages())
        sources = sorted(path for path in folder.rglob("*.py"))
        lab = [LAB / "__init__.py", *sources]
        entries = [oci.Entry(f"{HOME}/{source.relative_to(ROOT)}", source=source) for source in lab]
        layers.append(_layer(entries, *(path.read_bytes() for path in lab), *(entry.path for entry in entries)))
        env = [f"PYTHONPATH={HOME}:{HOME}/site-packages", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"]
    return oci.image(layers, entrypoint=entrypoint, user=row.user, env=env)


def where(row: Row) -> str:
    """The program's path. The base's /bin is a link: a folder of that name in a layer would hide it, and the shell."""
    return re.sub("^/bin/", "/usr/bin/", row.path) or f"/usr/local/bin/{row.program}"


def _layer(entries: list[oci.Entry], *inputs: str | bytes) -> oci.Blob:
    archive = cache() / "layers" / f"{digest(*inputs)}.tar"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        oci.pack(entries, archive)
    return oci.layer(archive)


def _packages() -> oci.Blob:
    """The locked Python packages, as wheels for the image's Python, whatever Python runs here."""
    folder = cache() / "layers" / f"site-packages-{digest(PYTHON, PACKAGES.read_bytes())}"
    if not folder.exists():
        print("fetching the images' Python packages ...", flush=True)
        new = folder.with_suffix(".new")
        target: list[str | Path] = ["--target", new, "--python-version", PYTHON, "--platform", PLATFORM]
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
        ]
        run([*pip, "--only-binary=:all:", "--require-hashes", *target, "-r", PACKAGES])
        new.rename(folder)
    return _layer([oci.Entry(f"{HOME}/site-packages", source=folder)], folder.name)
