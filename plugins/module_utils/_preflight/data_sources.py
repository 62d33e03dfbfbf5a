# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data sources that Grafana's sidecar gathers: with two defaults Grafana does not start."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .._causes.objects import Object, full_name, labels_of
from .._findings import Finding, Report
from .._yaml.reader import Reader
from .workloads import Workload

_SUFFIXES = (".yaml", ".yml")


class Sidecar(NamedTuple):
    """The label of the objects that it reads; any value counts where `value` is empty."""

    label: str
    value: str

    @property
    def selector(self) -> str:
        return f"{self.label}={self.value}" if self.value else self.label

    def reads(self, item: Object) -> bool:
        have = labels_of(item).get(self.label)
        return have is not None and self.value in {"", have}


def sidecar(workloads: Iterable[Workload]) -> Sidecar | None:
    """The container that gathers data sources; without one, Grafana reads nothing but its own file."""
    for workload in workloads:
        for pod in workload.pods[:1]:
            for part in ("initContainers", "containers"):
                for container in pod.spec.get(part) or ():
                    given = {one["name"]: str(one.get("value") or "") for one in container.get("env") or ()}
                    if given.get("LABEL") and "datasources" in given.get("FOLDER", ""):
                        return Sidecar(given["LABEL"], given.get("LABEL_VALUE", ""))
    return None


def findings(objects: Iterable[Object]) -> list[Finding]:
    """Of all ConfigMaps and Secrets that Grafana gets its data sources from: ours and those of others."""
    defaults = {f"{name} of {item['kind']} {full_name(item)}": None for item in objects for name in _defaults(item)}
    if len(defaults) < 2:
        return []
    message = f"{len(defaults)} data sources are the default, and Grafana does not start with more than one: "
    hint = "Set isDefault: false in all but one, or remove the label that the sidecar looks for"
    return [Finding("cluster/default-data-source", "error", message + ", ".join(defaults), hint)]


def _defaults(item: Object) -> Iterator[str]:
    """The names of its data sources that want to be the default; what is no YAML is for Grafana to refuse."""
    for file, text in _texts(item):
        if file.endswith(_SUFFIXES) and "isDefault" in text:
            reader = Reader(Report(), "", "")
            root = reader.root(text, "")
            for source in reader.mappings(root, "datasources") if root else ():
                if reader.flag(source, "isDefault"):
                    yield reader.text(source, "name", file)


def _texts(item: Object) -> Iterator[tuple[str, str]]:
    secret = item.get("kind") == "Secret"
    for name, value in (item.get("data") or {}).items():
        try:
            yield name, base64.b64decode(value).decode() if secret else str(value)
        except (binascii.Error, ValueError):
            continue
    yield from ((name, str(value)) for name, value in (item.get("stringData") or {}).items())
