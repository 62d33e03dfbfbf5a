# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse charts that ask for an image which the lab does not have, before a pod waits for it in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from tests.lab import images
from tests.lab.state import LAB, ROOT, STATE, LabError, run

COMPONENTS = {"prometheus": "kube-prometheus-stack", "loki": "loki", "tempo": "tempo", "alloy": "alloy"}
ON_DEMAND = {"mimir": "mimir-distributed"}
ALL = COMPONENTS | ON_DEMAND
VALUES = ROOT / "contracts" / "helm-values"
RELOADER = "--prometheus-config-reloader="  # what the operator adds to the pods that it makes


def render(chart: Path, component: str) -> str:
    """The objects that Helm makes of a chart with the values that the lab's inventory gives it."""
    files = [VALUES / f"{component}.yaml", VALUES / "profiles" / "small" / f"{component}.yaml"]
    files.append(LAB / "values" / f"{component}.yaml")
    values = [argument for file in files for argument in ("--values", str(file))]
    return run([STATE / "bin" / "helm", "template", component, chart, "--namespace", "ias-system", *values])


def requested_images(objects: Iterable[object]) -> set[str]:
    """The images of all containers, custom resources and arguments."""
    return {image for value in objects for image in _images(value)}


def _images(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)
    elif isinstance(value, str) and value.startswith(RELOADER):
        yield value.removeprefix(RELOADER)


def require_known(charts: Path) -> None:
    """Render every chart of a folder; raises LabError with the images that are not in the lab's table."""
    known = {name for row in images.table() for name in row.names}
    missing = []
    for component, name in ALL.items():
        objects = yaml.load_all(render(charts / name, component), Loader=yaml.CSafeLoader)
        missing += [f"{image} (chart {name})" for image in sorted(requested_images(objects) - known)]
    if missing:
        raise LabError(
            f"the lab has no image {', '.join(missing)}: add it to {images.TABLE.relative_to(ROOT)}, "
            "or switch off what asks for it in tests/lab/values"
        )
