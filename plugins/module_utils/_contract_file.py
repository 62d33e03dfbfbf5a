# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics contract of a file, and which of its services a site runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._contract.load import load
from ._contract.model import Contract
from ._contract.running import Running, UnknownServiceError
from ._findings import Finding, Report
from ._sources import read

UNFIT = "The contract or the list of services cannot be used"
"""How a module says so."""
RUNNING_ARGS: dict[str, Any] = {
    "contract": {"type": "path"},
    "services": {"type": "list", "elements": "str", "default": []},
}


def read_contract(path: str | None) -> tuple[Contract | None, list[Finding]]:
    """The metrics contract, None where none is given or it cannot be read, and what is wrong with it."""
    sources, findings = read([path] if path else [])
    report = Report()
    contract = load(sources[0].path, sources[0].text, report) if sources else None
    return contract, findings + report.findings


def read_running(path: str | None, services: Sequence[str]) -> tuple[Running | None, list[Finding]]:
    """The services of the contract that a site runs, all where the list is empty, and what is wrong with either.

    None where no contract is given, or it cannot be read.
    """
    contract, findings = read_contract(path)
    if contract is None:
        if services and not findings:
            message = "the option services names services of a contract, and there is none"
            findings.append(Finding("contract/unknown-service", "error", message, "give the option contract"))
        return None, findings
    try:
        return Running.of(contract, services), findings
    except UnknownServiceError as error:
        hint = "correct the option services (observability_services), or declare the service"
        findings.append(Finding("contract/unknown-service", "error", str(error), hint, file=path or ""))
        return Running.of(contract, ()), findings
