# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pins as data: charts.yaml in, one value for each chart and image out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import first_document
from tools import yaml_text
from tools.contracts.schema import place

OCI = "oci://"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that a chart starts."""

    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}{f'@{self.digest}' if self.digest else ''}"


@dataclass(frozen=True, slots=True)
class Pin:
    """A chart as it is pinned; `where` is the file and line of its version."""

    component: str
    chart: str
    ref: str
    version: str
    digest: str
    index: str
    """The index of a Helm repository, where no registry has the chart."""
    images: tuple[Image, ...]
    where: str

    def __str__(self) -> str:
        tagged = f"{self.ref}:{self.version}" if self.ref.startswith(OCI) else self.ref
        return f"{tagged}{f'@{self.digest}' if self.digest else ''}"


def read(file: Path, name: str) -> list[Pin]:
    """The pins of a charts.yaml that keeps its schema; `name` is how messages call the file."""
    content = file.read_text()
    tree = first_document(content)
    return [
        Pin(
            component,
            pin["chart"],
            pin["ref"],
            pin["version"],
            pin["digest"],
            pin.get("index", ""),
            tuple(Image(**image) for image in pin["images"]),
            f"{name}:{place(tree, ['charts', component, 'version'])[0]}",
        )
        for component, pin in yaml_text.load(content)["charts"].items()
    ]


def mirror_lines(pins: list[Pin]) -> Iterator[str]:
    """Every chart, then every image once: what a mirror for clusters without the internet must hold."""
    yield from (str(pin) for pin in pins)
    yield from sorted({str(image) for pin in pins for image in pin.images})
