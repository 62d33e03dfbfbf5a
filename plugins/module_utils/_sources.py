# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rule files on disk to texts; what cannot be read becomes a finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ._files import UnreadableError, read_text
from ._findings import Finding

_YAML = frozenset({".yaml", ".yml"})
_SUFFIXES = _YAML | {".json"}
_RULES = re.compile(r"^(?:groups:|kind: *PrometheusRule)", re.MULTILINE)


class Source(NamedTuple):
    """A text and the name that findings give it."""

    path: str
    text: str


def read(paths: Iterable[str], suffixes: Collection[str] = _SUFFIXES) -> tuple[list[Source], list[Finding]]:
    """The texts of the files, and of those with such a suffix below the folders, in a stable order."""
    sources: list[Source] = []
    findings: list[Finding] = []
    for path in dict.fromkeys(file for name in paths for file in _files(Path(name), suffixes, findings)):
        try:
            sources.append(Source(str(path), read_text(path)))
        except UnreadableError as error:
            findings.append(Finding(f"load/{error.reason}", "error", error.message, error.hint, file=str(path)))
    return sources, findings


def rules_beside(path: str) -> list[Source]:
    """The texts that are rule files, among the YAML files in the folder of the file; nobody has named them."""
    files = sorted(file for file in Path(path).parent.glob("*") if file.suffix in _YAML and file.is_file())
    sources, _unreadable = read(map(str, files))
    return [source for source in sources if _RULES.search(source.text)]


def _files(path: Path, suffixes: Collection[str], findings: list[Finding]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    try:
        found = sorted(file for file in path.rglob("*") if file.suffix in suffixes and not file.is_dir())
    except OSError as error:
        findings.append(
            Finding("load/unreadable", "error", error.strerror or str(error), "check the path", file=str(path))
        )
        return
    if not found:
        findings.append(
            Finding(
                "load/no-files", "error", f"the folder has no {' or '.join(sorted(suffixes))} files", file=str(path)
            )
        )
    yield from found
