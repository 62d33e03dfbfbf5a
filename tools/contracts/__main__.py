# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.contracts check|build`: check contracts/ without a cluster, or compile what is compiled in it."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import Source
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check as check_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.contract import Contract, load
from ansible_collections.ias.observability.plugins.module_utils._rules.report import Report
from tools.contracts import dashboards, queries, schema

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
SERVICES = CONTRACTS / "services.yaml"
ALERTS = CONTRACTS / "alerts.yaml"
BIN = ROOT / ".lab" / "bin"


def sources() -> list[Path]:
    return sorted((CONTRACTS / "dashboards").glob("*.yaml"))


def forms() -> Iterator[str]:
    """What in the YAML files is not as their JSON Schemas want it."""
    for source in (CONTRACTS / "charts.yaml", SERVICES):
        yield from schema.check(source, source.with_suffix(".schema.json"), shown(source))
    for source in sources():
        yield from schema.check(source, CONTRACTS / "dashboard.schema.json", shown(source))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def contract() -> tuple[Contract, list[str]]:
    """The metrics contract, and what is wrong with it beyond its form."""
    report = Report()
    loaded = load(shown(SERVICES), SERVICES.read_text(), report)
    return loaded, [str(finding) for finding in report.findings]


def build(promised: Contract) -> None:
    """Compile every dashboard."""
    for source in sources():
        source.with_suffix(".json").write_text(dashboards.compiled(source, promised))


def stale(promised: Contract) -> Iterator[str]:
    """Dashboards whose JSON is not what their description says."""
    for source in sources():
        compiled = source.with_suffix(".json")
        if not compiled.exists() or compiled.read_text() != dashboards.compiled(source, promised):
            yield f"{shown(compiled)}: stale; run python -m tools.contracts build"


def asked(promised: Contract) -> Iterator[str]:
    """What alerts and dashboards ask that no service tells, or that is no query at all."""
    source = Source(shown(ALERTS), ALERTS.read_text())
    found = check_rules([source], Profile(), contract=Source(shown(SERVICES), SERVICES.read_text()))
    yield from (str(finding) for finding in found.findings if finding.id.startswith("contract/"))
    for path in sources():
        yield from (str(finding) for finding in queries.check(path, shown(path), promised, found.files))


def linked() -> Iterator[str]:
    """Links and alerts that name a dashboard that there is not."""
    models = {path: json.loads(path.read_text()) for path in sorted((CONTRACTS / "dashboards").glob("*.json"))}
    known = {model.get("uid") for model in models.values()}
    for path, model in models.items():
        missing = set(queries.references(model)) - known
        yield from (f"{shown(path)}: a link leads to {uid}, which no dashboard is" for uid in sorted(missing))
    for number, line in enumerate(ALERTS.read_text().splitlines(), 1):
        if (found := re.search(r"dashboard_url:.*?/d/([\w-]+)", line)) and found[1] not in known:
            yield f"{shown(ALERTS)}:{number}: dashboard_url leads to {found[1]}, which no dashboard is"


def rules() -> Iterator[str]:
    """What promtool has against the rules, and which of their tests fail."""
    for argv in (
        ["promtool", "check", "rules", "contracts/alerts.yaml"],
        ["promtool", "test", "rules", "contracts/alerts.tests.yaml"],
    ):
        program = shutil.which(argv[0], path=f"{BIN}:{os.environ.get('PATH', '')}")
        if program is None:
            yield f"{argv[0]} is not there; run python -m tests.lab.toolchain {argv[0]}"
            return
        done = subprocess.run(
            [program, *argv[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            yield f"{' '.join(argv)}:\n{done.stdout}{done.stderr}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.contracts", description=__doc__)
    parser.add_argument("command", choices=["check", "build"])
    command = parser.parse_args().command
    promised, unkept = contract()
    wrong = [*forms(), *unkept]
    if command == "build" and not wrong:
        build(promised)
        return 0
    if not wrong:  # what has no form cannot be read any further
        wrong = [*stale(promised), *asked(promised), *linked()]
    wrong += rules()
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"contracts: {len(sources())} dashboards and the rules checked, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
