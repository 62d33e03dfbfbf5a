# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dashboards from text: JSON, classic schema, nothing written twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._findings import Finding
from .._grafana_model import files

MAX_DEPTH = 100


def load(path: str, content: str) -> tuple[Mapping[str, Any] | None, list[Finding]]:
    """The dashboard, None where there is none to look at, and what is wrong with the text."""
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(items)
        if len(read) != len(items):
            names = [name for name, _value in items]
            twice.extend(dict.fromkeys(name for name in names if names.count(name) > 1))
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
    return (None if problem is not None and problem.id == "dashboards/schema-v2" else raw), findings


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
