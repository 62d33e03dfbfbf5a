# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder's files, sorted by what can be done with them."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, get_args

from .._files import UnreadableError, read_text
from .kinds import Kind, kind_of_json, kind_of_yaml

MAX_FILES = 50_000
"""YAML and JSON files below a folder."""
_MOST_TOLD = 5
_YAML = frozenset({".yaml", ".yml"})
_CHART = "Chart.yaml"
_OTHERS = frozenset({"node_modules", "venv", "__pycache__"})
"""Folders of other people's files; those whose name begins with a dot are passed over, too."""
_OF_A_CHART = frozenset({"charts", "templates"})
"""Below a chart: other people's charts, and texts that are no YAML before Helm has rendered them."""
_VALUES = re.compile(r"(?:.*[-_.])?values(?:[-_.].*)?\.ya?ml")
_UNCHECKED: dict[Kind, str] = {
    "loki-rules": "rules in LogQL, for Loki's ruler",
    "wrapped-dashboard": "an answer of Grafana's API: save what is below `dashboard`",
}
_NO_CHART = "Helm values without a chart beside them: say which (helm_values)"


class Values(NamedTuple):
    """A file of Helm values, and the folder of the chart that it is for."""

    file: str
    chart: str


class Unchecked(NamedTuple):
    file: str
    reason: str


@dataclass(slots=True)
class Found:
    rules: list[str] = field(default_factory=list)
    dashboards: list[str] = field(default_factory=list)
    """JSON, and specs that are compiled to it."""
    contract: str = ""
    """The one metrics contract; "" where there is none, or more than one."""
    values: list[Values] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)

    def lines(self, src: Path) -> list[str]:
        """How many of each, and the first of what cannot be validated, by its name below `src`."""
        more = len(self.unchecked) - _MOST_TOLD
        return [
            f"rule files: {len(self.rules)}",
            f"dashboards: {len(self.dashboards)}",
            f"Helm values: {len(self.values)}",
            f"metrics contract: {_below(src, self.contract) if self.contract else 'none'}",
            *(f"not validated: {_below(src, file)} ({reason})" for file, reason in self.unchecked[:_MOST_TOLD]),
            *([f"not validated: {more} more"] if more > 0 else []),
        ]


def discover(src: Path, exclude: Sequence[str] = (), contract: str = "") -> Found:
    """What is in the folder (or the file) `src`, beside a contract from elsewhere; OSError, or ValueError where there
    is too much."""
    files: dict[Kind, list[Path]] = {kind: [] for kind in get_args(Kind)}
    found = Found()
    for number, path in enumerate([src] if src.is_file() else _files(src, exclude)):
        if number >= MAX_FILES:
            raise ValueError(f"more than {MAX_FILES} YAML and JSON files lie below it")
        if (chart := _chart_of(path)) is not None:
            found.values.append(Values(str(path), str(chart)))
            continue
        try:
            text = read_text(path)
        except UnreadableError as error:
            found.unchecked.append(Unchecked(str(path), error.message))
            continue
        kind = kind_of_yaml(text) if path.suffix in _YAML else kind_of_json(text)
        files[kind].append(path)
    found.rules = [str(path) for path in files["rules"]]
    found.contract = contract or (str(files["contract"][0]) if len(files["contract"]) == 1 else "")
    found.dashboards = _dashboards(files["dashboard"], files["spec"], with_contract=bool(found.contract))
    found.unchecked += [Unchecked(str(path), reason) for kind, reason in _UNCHECKED.items() for path in files[kind]]
    found.unchecked += [Unchecked(str(path), _NO_CHART) for path in files["other"] if _VALUES.fullmatch(path.name)]
    return found


def _below(folder: Path, file: str) -> str:
    return str(Path(file).relative_to(folder)) if Path(file).is_relative_to(folder) else file


def _files(folder: Path, exclude: Sequence[str]) -> Iterator[Path]:
    """YAML and JSON files in a stable order."""

    def is_left_out(path: Path) -> bool:
        name = path.relative_to(folder).as_posix()
        return any(fnmatch.fnmatchcase(name, pattern.removesuffix("/")) for pattern in exclude)

    def fail(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, onerror=fail):
        below = _OTHERS | _OF_A_CHART if _CHART in files else _OTHERS
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name not in below and not is_left_out(Path(root, name))
        )
        for name in sorted(files):
            path = Path(root, name)
            if path.suffix in _YAML | {".json"} and name != _CHART and not is_left_out(path):
                yield path


def _chart_of(path: Path) -> Path | None:
    """The chart that a file of values lies in, or in whose folder `ci` it does, as chart-testing has it."""
    if not _VALUES.fullmatch(path.name):
        return None
    folder = path.parent.parent if path.parent.name == "ci" else path.parent
    return folder if (folder / _CHART).is_file() else None


def _dashboards(written: list[Path], specs: list[Path], *, with_contract: bool) -> list[str]:
    """A spec and the JSON that was compiled of it are one dashboard: with a contract the spec, else the JSON."""
    compiled = {spec.with_suffix(".json"): spec for spec in specs}
    if with_contract:
        return sorted(str(path) for path in {*written, *specs} - compiled.keys())
    return sorted(str(path) for path in {*written, *(spec for path, spec in compiled.items() if path not in written)})
