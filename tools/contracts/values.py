# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Helm values against the lists of their charts' keys: what a chart does not read is ignored silently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._findings import did_you_mean
from ansible_collections.ias.observability.plugins.module_utils._values.known import entries
from ansible_collections.ias.observability.plugins.module_utils._yaml import helm
from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import Mapping as Node
from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import YamlError, first_document
from tools import yaml_text

Keys = Mapping[str, Mapping[str, Any]]
"""Dotted path → whether anything may stand below it (`open`), and whether no template reads it (`unread`)."""


def check(contracts: Path, lists: Path, root: Path) -> Iterator[str]:
    """What no chart reads in any values file; `lists` is a folder of `<chart>-<version>.json`."""
    pins = yaml_text.load((contracts / "charts.yaml").read_text())["charts"]
    for component, pin in pins.items():
        chart = f"{pin['chart']}-{pin['version']}"
        file = lists / f"{chart}.json"
        if not file.exists():
            continue
        keys = json.loads(file.read_text())["keys"]
        for path in of_component(contracts, component):
            yield from unread(path.read_text(), str(path.relative_to(root)), chart, keys)


def of_component(contracts: Path, component: str) -> list[Path]:
    folder = contracts / "helm-values"
    laid_upon = sorted([*folder.glob(f"profiles/*/{component}.yaml"), *folder.glob(f"with-*/{component}.yaml")])
    files = (folder / f"{component}.yaml", *laid_upon)
    return [file for file in files if file.exists()]


def unread(content: str, name: str, chart: str, keys: Keys) -> Iterator[str]:
    """`name:line:column: path: what is wrong`; of a whole unknown tree its root alone."""
    try:
        tree = first_document(content)
    except YamlError as error:
        yield f"{name}:{error.line}:{error.column}: not YAML: {error.message}"
        return
    try:
        helm.plain(tree or Node())
    except YamlError as error:
        yield f"{name}:{error.line}:{error.column}: {error.message}"
    wrong: set[tuple[str, ...]] = set()
    for path, key, _value in entries(tree) if isinstance(tree, Node) else ():
        if not any(path[:end] in wrong for end in range(1, len(path))) and not known(keys, dotted(path)):
            wrong.add(path)
            beside = [
                key.rpartition(".")[2]
                for key in keys
                if key.rpartition(".")[0] == dotted(path[:-1]) and known(keys, key)
            ]
            hint = did_you_mean(path[-1], beside)
            message = f"{chart} does not read this" + (f" ({hint})" if hint else "")
            yield f"{name}:{key.line}:{key.column}: {dotted(path)}: {message}"


def known(keys: Keys, path: str) -> bool:
    """Whether the chart reads the path: listed, or below something that takes anything."""
    if path in keys:
        return not keys[path].get("unread", False)
    parts = path.split(".")
    return any(keys.get(".".join(parts[:end]), {}).get("open") for end in range(1, len(parts)))


def dotted(path: Iterable[object]) -> str:
    """A path as the lists write it: a dot inside a key has a backslash before it."""
    return ".".join(str(key).replace("\\", "\\\\").replace(".", "\\.") for key in path)
