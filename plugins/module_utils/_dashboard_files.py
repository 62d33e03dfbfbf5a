# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards of a folder as a site applies them: Grafana's JSON, and specs compiled with the site's contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ._contract.running import EVERYTHING, Running
from ._dashboards.compile.spec import compile_spec
from ._findings import Finding
from ._grafana_model.files import find_files, load_folder
from ._grafana_model.model import Json
from ._sources import read

_SPECS = {".yaml", ".yml"}


def load_dashboards(root: Path, running: Running | None) -> Iterator[tuple[str, tuple[str, ...], Json | Finding]]:
    """Each dashboard below a folder, with its sub-folder, or what is wrong with its file.

    The JSON beside a spec of the same name was compiled of it: it counts where there is no contract to compile it with.
    The spec of a service that does not run makes no dashboard.
    """
    files, _reported_below = find_files(root)
    specs = [path for path in files if path.suffix in _SPECS]
    compiled = {path.with_suffix(".json") for path in specs}
    for source, below, dashboard in load_folder(root):
        if running is None or Path(source) not in compiled:
            yield source, below, dashboard
    for path in specs:
        if running is not None or path.with_suffix(".json") not in files:
            for result in _compile(path, running or EVERYTHING):
                yield str(path), path.relative_to(root).parent.parts, result


def _compile(path: Path, running: Running) -> Sequence[Json | Finding]:
    """The dashboard in the names of the contract's team, or everything that is wrong with the spec.

    Nothing where its service does not run; what is wrong with it is said all the same.
    """
    sources, findings = read([str(path)])
    if findings:
        return findings
    source, contract = sources[0], running.contract
    compiled, findings = compile_spec(source.path, source.text, contract, contract.names, running.own_contract)
    if compiled is None:
        return findings
    return [compiled.model] if running.runs(compiled.service) else []
