# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open every dashboard of a folder as a browser would, and ask what its panels ask."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from .._checks.dashboards import (
    empty_folder,
    empty_panels,
    judge_panel,
    missing_dashboard,
    unhealthy,
    unresolved,
)
from .._checks.panel_data import LOOK_BACK, Facts, Starved, answering, bounded, explain, sources_of, starved
from .._checks.result import CheckResult
from .._contract.running import EVERYTHING, Running
from .._dashboards.running import excused, is_variable_fed
from .._findings import Finding
from .._grafana import folders
from .._grafana.client import Grafana
from .._grafana.variables import NOT_VARIABLES, values_of
from .._grafana_model.files import Dashboard
from .._grafana_model.json_values import mapping, mappings, text
from .._grafana_model.model import DataSource, Json
from .._grafana_model.panels import Panel, read_panels
from .._grafana_model.variables import (
    Chosen,
    UnsupportedError,
)
from .._http import HttpError
from .panel_data import SampleAges, targets_up

START = f"now-{LOOK_BACK}"
END = "now"
WORKERS = 8


@dataclass
class DashboardProbe:
    """Remembers which panels showed something, so that every further check asks only the rest."""

    folder: str
    wanted: Sequence[Dashboard]
    running: Running
    shown: set[tuple[str, int, str]] = field(default_factory=set)
    ages: SampleAges = field(default_factory=SampleAges)
    answering: set[str] = field(default_factory=set)

    def verify(self, grafana: Grafana) -> CheckResult:
        sources = grafana.datasources()
        with ThreadPoolExecutor(WORKERS) as pool:
            health = dict(zip((source.uid for source in sources), pool.map(grafana.health, sources), strict=True))
            findings = [
                unhealthy(source.name, health[source.uid].message)
                for source in sources
                if not health[source.uid].healthy
            ]
            uids = self._present(grafana)
            findings += [
                missing_dashboard(dashboard.uid, dashboard.title, self.folder)
                for dashboard in self.wanted
                if dashboard.uid not in uids
            ]
            if not uids and not self.wanted:
                findings.append(empty_folder(self.folder))
            opened = list(pool.map(lambda uid: self._open(grafana, sources, uid), uids))
            findings += [finding for _panels, problems in opened for finding in problems]
            panels = [(uid, panel) for uid, (found, _problems) in zip(uids, opened, strict=True) for panel in found]
            pending = [(uid, panel) for uid, panel in panels if _key(uid, panel) not in self.shown]
            broken = len({(finding.id, finding.object) for finding in findings})
            judged = self._judge(grafana, pending, pool)
        findings += judged.findings
        broken += judged.checked - judged.passed
        checked = len(sources) + len(panels) + len(self.wanted)
        facts = {
            "dashboards": len(uids),
            "panels": len(panels),
            "may_be_empty": empty_panels([panel for _title, panel in panels if panel.may_be_empty]),
            "datasources": {source.uid: health[source.uid].healthy for source in sources},
        }
        return CheckResult(checked, max(checked - broken, 0), findings, facts)

    def _judge(self, grafana: Grafana, panels: Sequence[tuple[str, Panel]], pool: Executor) -> CheckResult:
        """Ask panels that have shown nothing yet."""
        findings: list[Finding] = []
        answered = []
        answers = pool.map(lambda entry: query_panel(grafana, entry[1]), panels)
        for (uid, panel), results in zip(panels, answers, strict=True):
            wrong = judge_panel(panel, results)
            findings += wrong
            self.answering |= answering(panel, results)
            if panel.may_be_empty and not wrong:
                self.shown.add(_key(uid, panel))
            elif not wrong:
                answered.append((uid, panel, results))
        read = (source for _uid, panel, _results in answered for query in panel.queries for source in sources_of(query))
        fresh = self.ages.fresh(grafana, read, pool)
        without: list[Starved] = []
        for uid, panel, results in answered:
            if lack := starved(panel, results, fresh.__contains__):
                without.append(lack)
            else:
                self.shown.add(_key(uid, panel))
        sources = [source for panel in without for source in panel.sources]
        seen = self.ages.look_back(grafana, sources, pool)
        up = targets_up(grafana, {source.uid for source in sources})
        findings += explain(without, Facts(seen, up, self.answering))
        passed = sum(_key(uid, panel) in self.shown for uid, panel in panels)
        return CheckResult(len(panels), passed, findings)

    def _present(self, grafana: Grafana) -> list[str]:
        tree = folders.read_folders(grafana.search("dash-folder"))
        uid = folders.find(tree, folders.parts(self.folder))
        if uid is None:
            return []
        return sorted(hit["uid"] for hit in grafana.search("dash-db", sorted(folders.below(tree, uid))))

    def _open(self, grafana: Grafana, sources: Sequence[DataSource], uid: str) -> tuple[list[Panel], list[Finding]]:
        dashboard = grafana.dashboard(uid)["dashboard"]
        title = text(dashboard.get("title")) or uid
        variables = mapping(dashboard.get("templating")).get("list")
        chosen, findings = resolve(grafana, sources, title, variables, self.running)
        panels = read_panels(title, dashboard, sources, chosen)
        return [excused(panel, self.running) for panel in panels], findings


def _key(dashboard: str, panel: Panel) -> tuple[str, int, str]:
    return dashboard, panel.id, panel.title


def query_panel(grafana: Grafana, panel: Panel) -> dict[str, Json]:
    """The answer to each query of a panel. One panel's failure is no reason to leave out the others."""
    if not panel.queries:
        return {}
    try:
        return grafana.query([bounded(query) for query in panel.queries], start=START, end=END)
    except HttpError as error:
        if error.permanent and error.status in {401, 403}:
            raise
        return {query["refId"]: {"error": str(error)} for query in panel.queries}


def resolve(
    grafana: Grafana, sources: Sequence[DataSource], title: str, variables: object, running: Running = EVERYTHING
) -> tuple[dict[str, Chosen], list[Finding]]:
    """The values of a dashboard's variables, in their order: a later one may use an earlier one."""
    chosen: dict[str, Chosen] = {}
    findings: list[Finding] = []
    for _at, variable in mappings(variables):
        name, kind = text(variable.get("name")), text(variable.get("type"))
        if kind in NOT_VARIABLES:
            continue
        problem = ""
        try:
            chosen[name] = values_of(grafana, sources, variable, chosen)
        except (UnsupportedError, HttpError) as error:
            problem = str(error)
        else:
            if not chosen[name].values and not chosen[name].pattern and is_variable_fed(variable, running):
                problem = "its query finds nothing"
        if problem:
            findings.append(unresolved(title, name, problem))
    return chosen, findings
