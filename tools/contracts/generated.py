# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are written from services.yaml and from dashboards' specs, and whether they are up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.ias.observability.plugins.module_utils._contract.aliases import MetricAliases
from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.spec import compile_spec
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tools import yaml_text
from tools.contracts import records, slo, slo_tests

RECORDS = "records.yaml"
RULES, TESTS, TICKET_TESTS = "slo-alerts.yaml", "slo-alerts.tests.yaml", "slo-alerts.tickets.tests.yaml"
HEADER = "# Written by `python -m tools.contracts build` from services.yaml: change that, not this.\n"


class _Dumper(yaml.SafeDumper):
    """Lists indented, texts of several lines as such."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dumped(content: Any) -> str:
    return HEADER + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=180, allow_unicode=True)


def texts(contract: Contract, services: Path) -> dict[str, str]:
    """The files' contents, by name."""
    described = slo.describe(contract, yaml_text.load(services.read_text())["services"])
    return {
        RECORDS: dumped(records.rule_file(contract)),
        RULES: dumped(slo.rule_file(described)),
        TESTS: dumped(slo_tests.test_file(described, RULES)),
        TICKET_TESTS: dumped(slo_tests.ticket_test_file(described, RULES)),
    }


def write(contract: Contract, services: Path) -> None:
    for name, text in texts(contract, services).items():
        services.with_name(name).write_text(text)


def stale(contract: Contract, services: Path) -> Iterator[Path]:
    """The files that are missing or have another content."""
    for name, text in texts(contract, services).items():
        file = services.with_name(name)
        if not file.exists() or file.read_text() != text:
            yield file


def dashboard(source: Source, contract: Contract) -> tuple[str, list[Finding]]:
    """The JSON of a spec, in the names of the contract, or what is wrong with it."""
    compiled, findings = compile_spec(source.path, source.text, contract, MetricAliases())
    text = json.dumps(compiled.model, indent=2, ensure_ascii=False) + "\n" if compiled is not None else ""
    return text, findings
