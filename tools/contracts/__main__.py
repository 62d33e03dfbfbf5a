# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.contracts check|build|usage`: check contracts/ without a cluster, compile what is compiled in it, or
list the metrics that nobody reads; `usage --live` those of a cluster too, with what leaves them out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check as check_dashboards
from ansible_collections.ias.observability.plugins.module_utils._dashboards.model import read as read_dashboard
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tools.contracts import (
    generated,
    links,
    live,
    notices,
    own,
    programs,
    routing,
    rules,
    runbooks,
    schema,
    usage,
    values,
)

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
DASHBOARDS = CONTRACTS / "dashboards"
SERVICES = CONTRACTS / "services.yaml"
RULES = (CONTRACTS / generated.RECORDS, CONTRACTS / "alerts.yaml", CONTRACTS / generated.RULES)


def specs() -> list[Path]:
    return sorted(DASHBOARDS.glob("*.yaml"))


def check_forms() -> Iterator[str]:
    """Errors in YAML files by their JSON Schemas, and in dashboards that are JSON alone."""
    for source in (CONTRACTS / "charts.yaml", SERVICES, CONTRACTS / "alertmanager.tests.yaml"):
        yield from schema.check(source, source.with_suffix(".schema.json"), shown(source))
    texts = {path: Source(shown(path), path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}
    compiled = {path for path in texts if path.with_suffix(".yaml").exists()}
    alone = [text for path, text in texts.items() if path not in compiled]
    yield from (str(finding) for finding in own.check(alone, (texts[path] for path in sorted(compiled))))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read_contract() -> tuple[Contract, list[str]]:
    """The metrics contract, and what is wrong with it beyond its form."""
    report = RuleReport()
    loaded = load(shown(SERVICES), SERVICES.read_text(), report)
    return loaded, [str(finding) for finding in report.findings]


def compile_specs(contract: Contract) -> tuple[dict[Path, str], list[str]]:
    """The JSON of each dashboard's spec, by its file, and what is wrong with the specs."""
    texts: dict[Path, str] = {}
    wrong: list[str] = []
    for path in specs():
        text, findings = generated.dashboard(Source(shown(path), path.read_text()), contract)
        texts[path.with_suffix(".json")] = text
        wrong += map(str, findings)
    return texts, wrong


def build(texts: Mapping[Path, str], contract: Contract) -> None:
    """Write every dashboard, and the rules that follow from the objectives."""
    for path, text in texts.items():
        path.write_text(text)
    generated.write(contract, SERVICES)


def find_stale(texts: Mapping[Path, str], contract: Contract) -> Iterator[str]:
    """Generated files that are missing, or older than what they are generated from."""
    old = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    for file in (*old, *generated.stale(contract, SERVICES)):
        yield f"{shown(file)}:1: stale; run python -m tools.contracts build"


def check_queries(contract: Contract, checked: rules.Checked) -> Iterator[str]:
    """Queries of dashboards that are wrong or ask for what no service and no rule has; by the lines of their specs."""
    found, _queries = check_dashboards(
        [Source(shown(path), path.read_text()) for path in specs()], Reader(Profile(), contract, checked.files)
    )
    yield from (str(finding) for finding in found if finding.severity != "info")


def check_links(checked: rules.Checked) -> Iterator[str]:
    """Links of panels and alerts to dashboards, variables and runbooks that do not exist."""
    texts = {shown(path): path.read_text() for path in sorted(DASHBOARDS.glob("*.json"))}
    yield from links.of_dashboards(texts)
    yield from links.of_alerts(checked.alerts, links.variables(map(json.loads, texts.values())))


def check_values() -> Iterator[str]:
    """Values that their charts do not read, where lists of the charts' keys are at hand."""
    lists = Path(os.environ.get("IAS_SHARED") or ROOT.parent / "shared") / "charts"
    if lists.is_dir():
        yield from values.check(CONTRACTS, lists, ROOT)
    else:
        print(f"contracts: no lists of the charts' keys at {lists} (set IAS_SHARED): values are not held against them")


def check_alerts(checked: rules.Checked, contract: Contract) -> Iterator[str]:
    """What is wrong with the alerts: rules, tests, coverage, runbooks, routing."""
    coverage, uncovered = rules.check_coverage(checked, RULES, ROOT)
    yield from [*checked.wrong, *uncovered, *notices.check(checked.alerts)]
    records = {rule.name for file in checked.files for rule in file.rules}
    alerts = {rule.name: f"{rule.group.file.path}:{rule.line}" for rule in checked.alerts}
    known = runbooks.knows(contract, records)
    yield from runbooks.check(CONTRACTS / "runbooks", alerts, known, contract.log_fields, ROOT)
    alertmanager = CONTRACTS / "alertmanager.yaml"
    yield from (str(finding) for finding in routing.check_routes(alertmanager, checked.files, ROOT))
    try:
        yield from rules.promtool(RULES, ROOT)
        yield from routing.check(alertmanager, checked.alerts, ROOT)
    except programs.MissingProgramError as error:
        yield str(error)
    complete = sum(alert.is_complete for alert in coverage)
    print(f"contracts: {len(coverage)} alerts, {complete} of them covered in full by their tests")


def check_all(texts: Mapping[Path, str], contract: Contract, is_right: bool) -> list[str]:
    """What is wrong beyond forms; generated files are only compared where the contract is right."""
    try:
        checked = rules.read(RULES, SERVICES, ROOT)
        old = find_stale(texts, contract) if is_right else ()
        return [
            *check_values(),
            *old,
            *check_queries(contract, checked),
            *check_links(checked),
            *check_alerts(checked, contract),
        ]
    except FileNotFoundError as error:
        return [f"{shown(Path(error.filename))}: missing; python -m tools.contracts build writes what is generated"]


def readers(texts: Iterable[str], expressions: Iterable[str]) -> usage.Readers:
    """What the dashboards' JSON, the rules' expressions and the runbooks read."""
    found = usage.Readers()
    for text in texts:
        dashboard = read_dashboard("", json.loads(text))
        for target in (target for panel in dashboard.panels for target in panel.targets):
            if target.language == "promql" and target.query:
                found.add(target.query, dashboard.variables)
        for variable in dashboard.variables.values():
            query = variable.raw.get("query")
            asked = query.get("query") if isinstance(query, dict) else query
            if variable.type == "query" and isinstance(asked, str) and asked.startswith("label_values("):
                found.add(asked, dashboard.variables)
    for expression in expressions:
        found.add(expression)
    for page in (CONTRACTS / "runbooks").glob("*.md"):
        for _line, language, query in runbooks.blocks(page.read_text().splitlines()):
            if language == "promql":
                found.add(query)
    return found


def show_usage(contract: Contract, *, is_live: bool) -> None:
    """Print the metrics that nobody reads: of the contract, and of a live stack those that may be left out."""
    texts = [path.read_text() for path in sorted(DASHBOARDS.glob("*.json"))]
    checked = rules.read(RULES, SERVICES, ROOT)
    # a record is a name of its metric: whoever reads the record reads it
    own = [rule.expr for file in checked.files if Path(file.path).name != generated.RECORDS for rule in file.rules]
    found = readers(texts, own)
    for service, spec in usage.unread(contract, found):
        print(
            f"{shown(SERVICES)}:{spec.line}: {service.name}/{spec.name}: no panel, rule, objective or runbook reads it"
        )
    if not is_live:
        return
    with live.prometheus() as asked:
        loaded = [rule.expr for group in asked.rule_groups() for rule in group.rules]
        found = readers([*texts, *(text for _title, text in live.dashboards())], [*own, *loaded])
        for query in dict.fromkeys(found.unclear):
            print(f"# cannot tell what this reads: {' '.join(query.split())}")
        for service in contract.services.values():
            have = live.series(asked, contract.names.job(service.job)) if service.job else {}
            if unread := usage.droppable(contract, have, found):
                share = f"{sum(unread.values()):,} of {sum(have.values()):,} series"
                print(f"# {service.name}: {len(unread)} metrics, {share}\n{usage.relabelings(unread)}", end="")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.contracts", description=__doc__)
    parser.add_argument("command", choices=["check", "build", "usage"])
    parser.add_argument("--live", action="store_true", help="of usage: ask the cluster of $KUBECONFIG too")
    options = parser.parse_args()
    command = options.command
    contract, problems = read_contract()
    if command == "usage" and not problems:
        show_usage(contract, is_live=options.live)
        return 0
    texts, refused = compile_specs(contract)
    wrong = [*check_forms(), *(refused if contract.services else [])]  # objectives need the contract
    if not wrong:  # what has no form cannot be read any further
        wrong = problems
        if command == "build" and not wrong:
            build(texts, contract)
            return 0
        wrong += check_all(texts, contract, is_right=not wrong)
    wrong = list(dict.fromkeys(wrong))
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"contracts: {len(specs())} dashboards and the rules checked, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
