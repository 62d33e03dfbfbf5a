# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A metric gets another name in services.yaml: exactly the panels and rules that ask for it by the old one are named.

What must be named is found by searching the texts, not by what is tried here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import reduce
from itertools import takewhile
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check as check_dashboards
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules.check import check
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tests.unit.tools.contracts.text_search import CONTRACTS, DASHBOARDS, RULES, Broken, lines, token, users
from tools import yaml_text

SERVICES = (CONTRACTS / "services.yaml").read_text()
METRICS = sorted({name for service in yaml_text.load(SERVICES)["services"].values() for name in service["metrics"]})
SOURCES = [Source(path.name, path.read_text()) for path in RULES]
RULE = re.compile(r"^ +- (?:alert|record): ")
MISSING = re.compile(r"no service exposes '([^']+)'")


def named(services: str) -> Iterator[tuple[Broken, Finding]]:
    """Whom the checks name, and with which words."""
    checked = check(SOURCES, Profile(), contract=Source("services.yaml", services))
    for finding in (one for one in checked.findings if one.severity != "info"):
        path = CONTRACTS / finding.file
        starts = [number for number, line in enumerate(lines(path), 1) if RULE.match(line)]
        yield (finding.file, f"{bisect_right(starts, finding.line)} {finding.object.rpartition('/')[2]}"), finding
    promised = load("services.yaml", services, RuleReport())
    specs = [Source(path.name, path.read_text()) for path in DASHBOARDS]
    findings, _queries = check_dashboards(specs, Reader(Profile(), promised, checked.files))
    for finding in (one for one in findings if one.severity != "info"):
        yield (finding.file, finding.object.partition("/")[2]), finding


def text_at(path: Path, line: int) -> str:
    """A line and those that belong to it: they are indented deeper."""
    first, *rest = lines(path)[line - 1 :]
    indent = len(first) - len(first.lstrip())
    return "\n".join([first, *takewhile(lambda more: more[: indent + 1].isspace(), rest)])


def test_as_it_stands_nothing_breaks() -> None:
    assert list(named(SERVICES)) == []


def test_everything_that_breaks_is_named_and_nothing_else() -> None:
    """With every metric renamed, so that one run names the users of each."""
    used = {metric: who for metric in METRICS if (who := users(metric))}
    assert len(used) > 0.8 * len(METRICS)
    users_named: dict[str, set[Broken]] = {}
    for who, finding in named(reduce(lambda text, name: token(name).sub(f"{name}_renamed", text), METRICS, SERVICES)):
        missing = MISSING.match(finding.message)
        assert missing, finding
        (metric,) = [name for name in METRICS if token(name).fullmatch(missing[1])]
        users_named.setdefault(metric, set()).add(who)
        (path,) = CONTRACTS.rglob(who[0])
        assert who[1].startswith("variable") or token(metric).search(text_at(path, finding.line)), finding
    assert users_named == used
