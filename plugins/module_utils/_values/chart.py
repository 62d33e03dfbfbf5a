# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A chart as it was read: its defaults, its schema, its templates, the charts below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from .._json import read_json
from .._yaml import helm
from .._yaml import tree as yaml_tree
from .._yaml.tree import YamlError, first_document


class ChartError(Exception):
    """The chart cannot be used; the message names it and says why."""


@dataclass(slots=True)
class Chart:
    name: str
    version: str
    defaults: yaml_tree.Mapping
    default_values: Mapping[str, Any]
    defaults_text: str
    schema: Mapping[str, Any] | None
    templates: dict[str, str]
    is_library: bool = False
    below: dict[str, Chart | None] = field(default_factory=dict)
    """Sub-charts by the key that their values stand under; None where the chart is not there to look at."""
    conditions: list[tuple[str, ...]] = field(default_factory=list)
    """Values that switch sub-charts on and off."""

    def has_schema(self) -> bool:
        """Its own, or one of a chart below it."""
        return self.schema is not None or any(sub.has_schema() for sub in self.below.values() if sub)


def read(files: Mapping[str, str], where: str) -> Chart:
    """A chart from its files by path, relative to the folder that Chart.yaml is in."""
    if "Chart.yaml" not in files:
        raise ChartError(f"{where} is no chart: it has no Chart.yaml")
    about = _mapping(files["Chart.yaml"], f"{where}: Chart.yaml")
    values = files.get("values.yaml", "")
    defaults = _mapping(values, f"{where}: values.yaml")
    chart = Chart(
        _text(about, "name"),
        _text(about, "version"),
        defaults,
        _values(defaults, f"{where}: values.yaml"),
        values,
        _schema(files, where),
        {path: text for path, text in files.items() if path.startswith("templates/")},
        is_library=_text(about, "type") == "library",
    )
    unpacked = _unpacked(files, where)
    dependencies = about.get("dependencies")
    for item in dependencies.items if isinstance(dependencies, yaml_tree.Sequence) else []:
        if isinstance(item, yaml_tree.Mapping):
            name = _text(item, "name")
            chart.below[_text(item, "alias") or name] = unpacked.get(name)
            for path in _text(item, "condition").split(","):
                if path.strip():
                    chart.conditions.append(tuple(path.strip().split(".")))
    for name, sub in unpacked.items():  # a chart that lies there needs no entry
        if sub not in chart.below.values():
            chart.below.setdefault(name, sub)
    return chart


def _unpacked(files: Mapping[str, str], where: str) -> dict[str, Chart]:
    folders: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        parts = path.split("/", 2)
        if len(parts) == 3 and parts[0] == "charts":
            folders.setdefault(parts[1], {})[parts[2]] = text
    charts = [read(inner, f"{where}/charts/{name}") for name, inner in folders.items() if "Chart.yaml" in inner]
    return {chart.name: chart for chart in charts}


def _schema(files: Mapping[str, str], where: str) -> Mapping[str, Any] | None:
    if "values.schema.json" not in files:
        return None
    try:
        schema = read_json(files["values.schema.json"].encode())
    except ValueError as error:
        raise ChartError(f"{where}: values.schema.json is not JSON: {error}") from error
    return schema if isinstance(schema, dict) else None


def _mapping(text: str, where: str) -> yaml_tree.Mapping:
    try:
        node = first_document(text)
    except YamlError as error:
        raise ChartError(f"{where} is not YAML: {error.message} in line {error.line}") from error
    if node is None or (isinstance(node, yaml_tree.Scalar) and node.is_null):
        return yaml_tree.Mapping()
    if not isinstance(node, yaml_tree.Mapping):
        raise ChartError(f"{where} is not a mapping")
    return node


def _values(defaults: yaml_tree.Mapping, where: str) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", helm.plain(defaults, strict=False))
    except YamlError as error:
        raise ChartError(f"{where} cannot be used: {error.message} in line {error.line}") from error


def _text(node: yaml_tree.Mapping, key: str) -> str:
    value = node.get(key)
    return value.value if isinstance(value, yaml_tree.Scalar) else ""
