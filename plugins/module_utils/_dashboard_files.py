# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards of a folder as a site applies them: Grafana's JSON, and specs compiled with the site's contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ._contract.load import load
from ._contract.model import Contract
from ._dashboards.compile.spec import compile_spec
from ._findings import Finding, Report
from ._grafana_model.files import find_files, load_folder
from ._grafana_model.model import Json
from ._sources import read

_SPECS = {".yaml", ".yml"}


def read_contract(path: str | None) -> tuple[Contract | None, list[Finding]]:
    """The metrics contract, None where none is given or it cannot be read, and what is wrong with it."""
    sources, findings = read([path] if path else [])
    report = Report()
    contract = load(sources[0].path, sources[0].text, report) if sources else None
    return contract, findings + report.findings


def load_dashboards(root: Path, contract: Contract | None) -> Iterator[tuple[str, tuple[str, ...], Json | Finding]]:
    """Each dashboard below a folder, with its sub-folder, or what is wrong with its file.

    The JSON beside a spec of the same name was compiled of it: it counts where there is no contract to compile it with.
    """
    files, _reported_below = find_files(root)
    specs = [path for path in files if path.suffix in _SPECS]
    compiled = {path.with_suffix(".json") for path in specs}
    for source, below, dashboard in load_folder(root):
        if contract is None or Path(source) not in compiled:
            yield source, below, dashboard
    for path in specs:
        if contract is not None or path.with_suffix(".json") not in files:
            for result in _compile(path, contract or Contract()):
                yield str(path), path.relative_to(root).parent.parts, result


def _compile(path: Path, contract: Contract) -> Sequence[Json | Finding]:
    """The dashboard in the names of the contract's team, or everything that is wrong with the spec."""
    sources, findings = read([str(path)])
    if findings:
        return findings
    compiled, findings = compile_spec(sources[0].path, sources[0].text, contract, contract.names)
    return findings if compiled is None else [compiled.model]
