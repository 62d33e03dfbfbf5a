# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a dashboard's spec: read, held against its form, and compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ..._contract.aliases import AliasError, MetricAliases
from ..._contract.model import Contract
from ..._findings import Finding, Report
from ..._yaml.reader import Wrong
from ..._yaml.tree import Mapping as MappingNode
from ..._yaml.tree import Node, Scalar, Sequence, YamlError, duplicates, first_document, plain
from ..json_positions import Path, Position, nearest
from . import form
from .dashboards import compile_dashboard
from .panels import expanded

MAX_CHARACTERS = 200_000
"""Of a spec with what its YAML aliases repeat; nine specs of 30 panels have 15,000 at most."""


class SpecPositions(NamedTuple):
    """Path of a value in the JSON → where in the spec what it was made of is written."""

    known: Mapping[Path, Position]

    def of(self, path: Path) -> Position:
        return nearest(self.known, path, (1, 1))


class CompiledSpec(NamedTuple):
    model: dict[str, Any]
    positions: SpecPositions
    service: str
    """The service that the dashboard is of; "" for one of no single service."""


def compile_spec(
    path: str, content: str, contract: Contract, names: MetricAliases, own: Contract | None = None
) -> tuple[CompiledSpec | None, list[Finding]]:
    """The dashboard in a site's names, and what is wrong with the spec: then there is no dashboard.

    `own` has only the services that a site runs: objectives of others are left out.
    """
    report = Report(path)

    def wrong(message: str, node: Node | None) -> None:
        place = (node.line, node.column) if node is not None else (1, 1)
        known = {(finding.message, finding.line, finding.column) for finding in report.findings[-100:]}
        if (message, *place) not in known:  # an alias repeats what is wrong
            report.add("dashboards/spec", "error", message, hint="contracts/README.md describes specs", place=place)

    try:
        root = first_document(content)
    except YamlError as error:
        place = (error.line, error.column)
        report.add("dashboards/spec", "error", f"not YAML: {error.message}", hint="correct the file", place=place)
        return None, report.findings
    for key in duplicates(root):
        wrong(f"key {key.value!r} is written twice", key)
    if not isinstance(root, MappingNode):
        wrong("a dashboard's spec is a mapping with title, uid, description, variables and rows", root)
        return None, report.findings
    if _characters(root, {}) > MAX_CHARACTERS:
        wrong(f"the spec has more than {MAX_CHARACTERS} characters, with what its aliases repeat", root)
    else:
        form.check(root, wrong)
    if not report.findings:
        _check_objectives(root, contract, wrong)
    if report.findings:
        return None, report.findings
    try:
        spec = plain(root)
        model = compile_dashboard(spec, replace(own or contract, names=names))
    except AliasError as error:
        wrong(str(error), root)
        return None, report.findings
    return CompiledSpec(model, SpecPositions(dict(_positions(root, contract))), spec.get("service", "")), []


def _characters(node: Node, known: dict[int, int]) -> int:
    """How long the text would be with its aliases written out."""
    if isinstance(node, Scalar):
        return len(node.value) + 1
    if id(node) not in known:
        children = node.items if isinstance(node, Sequence) else [child for entry in node.entries for child in entry]
        known[id(node)] = 1 + sum(_characters(child, known) for child in children)
    return known[id(node)]


def _check_objectives(root: MappingNode, contract: Contract, wrong: Wrong) -> None:
    for _at, panel in _panels(root):
        for query in _mappings(panel, "queries"):
            described = plain(query)
            if "slo" in described and not expanded([described], contract):
                service = f"service {described['service']!r}" if "service" in described else "service"
                wrong(f"no {service} of the contract has an objective {described['slo']!r}", query)


def _positions(root: MappingNode, contract: Contract) -> Iterator[tuple[Path, Position]]:
    for key in ("uid", "title"):
        yield (key,), _position(root.get(key))
    variables = root.get("variables")
    for at, variable in enumerate(variables.items if isinstance(variables, Sequence) else ()):
        yield ("templating", "list", at), _position(variable)
    for at, panel in _panels(root):
        yield ("panels", at), _position(panel)
        target = 0
        for query in _mappings(panel, "queries"):
            for _expression in expanded([plain(query)], contract):
                yield ("panels", at, "targets", target), _position(query.get("expr") or query.get("slo"))
                target += 1


def _panels(root: MappingNode) -> Iterator[tuple[int, MappingNode]]:
    """The panels with their indices in the JSON, where each row is a panel too."""
    at = 0
    for row in _mappings(root, "rows"):
        for panel in _mappings(row, "panels"):
            at += 1
            yield at, panel
        at += 1


def _mappings(node: MappingNode, key: str) -> list[MappingNode]:
    listed = node.get(key)
    return [item for item in listed.items if isinstance(item, MappingNode)] if isinstance(listed, Sequence) else []


def _position(node: Node | None) -> Position:
    return (node.line, node.column) if node is not None else (1, 1)
