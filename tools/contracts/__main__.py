# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.contracts check|build`: check contracts/ without a cluster, or compile what is compiled in it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._rules.contract import Contract, load
from ansible_collections.ias.observability.plugins.module_utils._rules.report import Report
from tools.contracts import dashboards, schema

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
SERVICES = CONTRACTS / "services.yaml"
BIN = ROOT / ".lab" / "bin"


def sources() -> list[Path]:
    return sorted((CONTRACTS / "dashboards").glob("*.yaml"))


def forms() -> Iterator[str]:
    """What in the YAML files is not as their JSON Schemas want it."""
    for source in (CONTRACTS / "charts.yaml", SERVICES):
        yield from schema.check(source, source.with_suffix(".schema.json"), str(source.relative_to(ROOT)))


def contract() -> tuple[Contract, list[str]]:
    """The metrics contract, and what is wrong with it beyond its form."""
    report = Report()
    loaded = load(str(SERVICES.relative_to(ROOT)), SERVICES.read_text(), report)
    return loaded, [str(finding) for finding in report.findings]


def build() -> None:
    """Compile every dashboard."""
    for source in sources():
        source.with_suffix(".json").write_text(dashboards.compiled(source))


def stale() -> Iterator[str]:
    """Dashboards whose JSON is not what their description says."""
    for source in sources():
        compiled = source.with_suffix(".json")
        if not compiled.exists() or compiled.read_text() != dashboards.compiled(source):
            yield f"{compiled.relative_to(ROOT)}: stale; run python -m tools.contracts build"


def rules() -> Iterator[str]:
    """What promtool has against the rules, and which of their tests fail."""
    for argv in (
        ["promtool", "check", "rules", "contracts/alerts.yaml"],
        ["promtool", "test", "rules", "contracts/alerts.tests.yaml"],
    ):
        program = BIN / argv[0]
        done = subprocess.run(
            [str(program if program.exists() else argv[0]), *argv[1:]],
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
    try:
        if command == "build":
            build()
            return 0
        wrong = [*forms(), *contract()[1], *stale(), *rules()]
    except (dashboards.SpecError, FileNotFoundError) as error:
        wrong = [str(error)]
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"contracts: {len(sources())} dashboards and the rules checked, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
