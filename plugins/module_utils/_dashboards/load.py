# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dashboards from text: Grafana's JSON in the classic schema, or a spec that is compiled to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._contract.aliases import MetricAliases
from .._contract.model import Contract
from .._findings import Finding
from .._grafana_model import files
from .compile.spec import compile_spec
from .json_positions import JsonPositions, Positions

MAX_DEPTH = 100


class Document(NamedTuple):
    """A dashboard in Grafana's JSON, and where its values are written."""

    file: str
    raw: Mapping[str, Any]
    positions: Callable[[], Positions]


def load(path: str, content: str, contract: Contract | None = None) -> tuple[Document | None, list[Finding]]:
    """The dashboard, None where it cannot be read, and what is wrong with the text."""
    if path.endswith((".yaml", ".yml")):
        return _load_spec(path, content, contract or Contract())
    return _load_json(path, content)


def _load_spec(path: str, content: str, contract: Contract) -> tuple[Document | None, list[Finding]]:
    """In the names of the contract, which it is going to be checked against."""
    compiled, findings = compile_spec(path, content, contract, MetricAliases())
    if compiled is None:
        return None, findings
    return Document(path, compiled.model, lambda: compiled.positions), findings


def _load_json(path: str, content: str) -> tuple[Document | None, list[Finding]]:
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(items)
        if len(read) != len(items):
            twice.extend(files.repeated(name for name, _value in items))
        return read

    try:
        raw = json.loads(content, object_pairs_hook=pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        hint = "this is YAML" if content.lstrip()[:1] not in {"{", "["} and ":" in content[:200] else "correct the file"
        return None, [
            Finding(
                "dashboards/unreadable",
                "error",
                f"not JSON: {error.msg}",
                hint,
                file=path,
                line=error.lineno,
                column=error.colno,
            )
        ]
    except (ValueError, RecursionError) as error:
        reason = f"not JSON: {files.why_not(error)}"
        return None, [Finding("dashboards/unreadable", "error", reason, "correct the file", file=path)]
    if not isinstance(raw, dict):
        return None, [Finding("dashboards/unreadable", "error", "not a JSON object", "correct the file", file=path)]
    findings = [
        Finding("dashboards/duplicate-key", "error", f"key {name!r} is written twice", "keep one of them", file=path)
        for name in dict.fromkeys(twice)
    ]
    problem = files.check(path, raw)
    if problem is not None:
        findings.append(problem)
    if problem is not None and problem.id == "dashboards/schema-v2":
        return None, findings
    return Document(path, raw, lambda: JsonPositions(content)), findings


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
