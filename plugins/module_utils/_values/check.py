# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values against a chart: texts in, findings out. A value itself is never part of a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._findings import Finding, Severity, did_you_mean
from .._sources import Source
from .._yaml import tree as yaml_tree
from .._yaml.helm import plain, type_of
from .._yaml.tree import Node, Scalar, YamlError, documents, duplicates
from .chart import Chart
from .known import Known, entries
from .merge import merge
from .secrets import in_clear
from .uses import Path

_MAX_KEYS = 100_000


def check(chart: Chart, files: Iterable[Source]) -> list[Finding]:
    """Every finding, by file and place. Later files are laid upon earlier ones, as Helm does."""
    known = Known.of(chart)
    findings: list[Finding] = []
    merged: dict[str, Any] = {}
    places: dict[Path, tuple[str, int, int]] = {}
    for file in files:
        found = _read(file, findings)
        if found is None:
            continue
        root, values = found
        checker = _Checker(chart, known, file.path)
        for path, key, _value in entries(root):
            places[path] = (file.path, key.line, key.column)
        checker.mapping(root, ())
        checker.secrets(root)
        findings += checker.findings
        merged = merge(merged, values)
    unknown = {finding.object for finding in findings if finding.id == "values/unknown-key"}
    findings += [one for one in _by_schema(chart, known, merged, places) if one.object not in unknown]
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column, finding.id))


def _read(file: Source, findings: list[Finding]) -> tuple[yaml_tree.Mapping, dict[str, Any]] | None:
    """The file with its places, and as Helm reads it."""

    def wrong(message: str, line: int = 0, column: int = 0) -> None:
        hint = "values are a YAML mapping"
        findings.append(Finding("values/file", "error", message, hint, file=file.path, line=line, column=column))

    try:
        found = list(documents(file.text))
    except YamlError as error:
        wrong(f"not YAML: {error.message}", error.line, error.column)
        return None
    root = (found[0] if found else None) or yaml_tree.Mapping()
    if len(found) > 1:
        wrong("more than one YAML document: versions of Helm differ in what they read of it")
    try:  # what is written twice is a finding of its own
        values = plain(root, strict=next(duplicates(root), None) is None)
    except YamlError as error:
        wrong(error.message, error.line, error.column)
        return None
    if not isinstance(root, yaml_tree.Mapping):
        if values is not None:
            wrong(f"not a mapping, but a {type_of(root)}", root.line, root.column)
        return None
    if sum(1 for _entry in zip(range(_MAX_KEYS + 1), entries(root), strict=False)) > _MAX_KEYS:
        wrong(f"more than {_MAX_KEYS} keys")
        return None
    return root, values


class _Checker:
    def __init__(self, chart: Chart, known: Known, file: str) -> None:
        self.chart = chart
        self.known = known
        self.file = file
        self.findings: list[Finding] = []

    def _add(self, identity: str, severity: Severity, message: str, *, at: tuple[Scalar, Path], hint: str = "") -> None:
        key, path = at
        self.findings.append(
            Finding(
                f"values/{identity}",
                severity,
                message,
                hint,
                file=self.file,
                line=key.line,
                column=key.column,
                object=".".join(path),
            )
        )

    def mapping(self, node: yaml_tree.Mapping, prefix: Path) -> None:
        pending = [(node, prefix)]
        while pending:
            mapping, above = pending.pop()
            for key in mapping.duplicates:
                path = (*above, key.value)
                self._add(
                    "duplicate-key",
                    "error",
                    f"key {key.value!r} is written twice",
                    at=(key, path),
                    hint="keep one of them",
                )
            for name, (key, value) in mapping.items().items():
                path = (*above, name)
                if self._key(key, value, path) and isinstance(value, yaml_tree.Mapping):
                    pending.append((value, path))

    def _key(self, key: Scalar, value: Node, path: Path) -> bool:
        """Whether it is worth looking below the key."""
        if not self.known.is_known(path):
            self._unknown(key, path)
            return False
        remark = self.known.remark(path)
        if remark:
            message = f"the chart calls {'.'.join(path)} deprecated"
            self._add("deprecated-key", "warning", message, at=(key, path), hint=remark[:200])
        elif not self.known.is_read(path) and not self.known.passed_on:
            self._add(
                "unread-key",
                "warning",
                f"no template of {self._chart} reads {'.'.join(path)}: it changes nothing",
                at=(key, path),
                hint="leave it out",
            )
            return False
        return self._type(key, value, path)

    @property
    def _chart(self) -> str:
        return f"{self.chart.name} {self.chart.version}"

    def _unknown(self, key: Scalar, path: Path) -> None:
        names = self.known.names(path[:-1])
        hint = did_you_mean(path[-1], names, 0.7) or self._elsewhere(path)
        if not hint:
            hint = f"known here: {', '.join(sorted(names)[:12])}" if names else "leave it out"
        self._add(
            "unknown-key",
            "warning" if self.known.passed_on else "error",
            f"{self._chart} has no value {'.'.join(path)}"
            + (
                ", as far as can be told: the chart passes its values on" if self.known.passed_on else ": it is ignored"
            ),
            at=(key, path),
            hint=hint,
        )

    def _elsewhere(self, path: Path) -> str:
        """The same key at another place."""
        found = sorted((known for known in self.known.defaults if known[-1] == path[-1]), key=len)
        return f"is it {'.'.join(found[0])}?" if found else ""

    def _type(self, key: Scalar, value: Node, path: Path) -> bool:
        default = self.known.defaults.get(path)
        if default is None:
            return True
        wanted, given = type_of(default), type_of(value)
        if "null" in {wanted, given} or wanted == given or (len(path) > 1 and self.known.is_free(path[:-1])):
            return True
        collections = {"mapping", "list"}
        message = f"{'.'.join(path)} is a {wanted} in the chart, and a {given} here"
        if wanted in collections or given in collections:
            self._add("type", "error", message, at=(key, path), hint="see the chart's values.yaml")
            return False
        if wanted == "truth value" and isinstance(value, Scalar) and value.value.lower() in {"false", "no", "off"}:
            hint = "any text counts as true: write it without quotes"
            self._add("type", "error", message, at=(key, path), hint=hint)
        elif wanted in {"number", "truth value"}:
            hint = "write it without quotes" if given == "text" else ""
            self._add("type", "warning", message, at=(key, path), hint=hint)
        return True

    def secrets(self, root: yaml_tree.Mapping) -> None:
        for path, key in in_clear(root):
            self._add(
                "secret",
                "warning",
                f"{'.'.join(path)} holds a secret in clear",
                at=(key, path),
                hint="refer to a Secret of the cluster, or take it from a vault",
            )


def _by_schema(
    chart: Chart, known: Known, merged: dict[str, Any], places: Mapping[Path, tuple[str, int, int]]
) -> list[Finding]:
    """What values.schema.json has against the values laid upon the defaults. Helm refuses it as well."""
    findings: list[Finding] = []
    for prefix, validator in known.schemas.items():
        defaults = chart.default_values if not prefix else {}
        for path, message in validator.check(_at(merge(defaults, merged), prefix)):
            full = prefix + path
            own = next((full[:end] for end in range(len(full), 0, -1) if full[:end] in places), None)
            if own is None and path:
                continue  # the chart's own defaults
            file, line, column = places[own] if own is not None else ("", 0, 0)
            name = ".".join(full) or "the values"
            text = f"{name} {message}"
            findings.append(Finding("values/schema", "error", text, "", file, line, column, object=".".join(full)))
    return findings


def _at(values: Any, path: Path) -> Any:
    for part in path:
        values = values.get(part) if isinstance(values, dict) else None
    return {} if values is None else values
