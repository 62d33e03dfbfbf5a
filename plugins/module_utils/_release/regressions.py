# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an upgrade broke: the errors of proofs after it that they did not have before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
"""What a module returned: its `findings`, or no more than `msg` where it could not look."""
_MOST = 10


def new_errors(before: Sequence[Result], after: Sequence[Result]) -> list[str]:
    """A line for each error of `after` that is not one of `before`, told apart by id and object; ten at most."""
    known = _errors(before).keys()
    lines = [line for key, line in _errors(after).items() if key not in known]
    rest = len(lines) - _MOST
    return [*lines[:_MOST], *([f"and {rest} more"] if rest > 0 else [])]


def _errors(results: Iterable[Result]) -> dict[tuple[str, ...], str]:
    errors: dict[tuple[str, ...], str] = {}
    for number, result in enumerate(results):
        if "findings" in result:
            errors |= {
                _key(finding): _line(finding) for finding in result["findings"] if finding["severity"] == "error"
            }
        elif result.get("msg"):
            errors[str(number),] = str(result["msg"])
    return errors


def _key(finding: Mapping[str, Any]) -> tuple[str, ...]:
    return (finding["id"], finding.get("file") or "", finding.get("object") or "")


def _line(finding: Mapping[str, Any]) -> str:
    where = finding.get("object") or finding.get("file")
    hint = f" ({finding['hint']})" if finding.get("hint") else ""
    return f"{where}: {finding['message']}{hint}" if where else f"{finding['message']}{hint}"
