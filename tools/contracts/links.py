# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where links lead: from panels to dashboards, from alerts to dashboards and runbooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._dashboards.json_positions import JsonPositions, Path
from ansible_collections.ias.observability.plugins.module_utils._dashboards.model import Panel, read
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.json_values import mapping, mappings
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.json_values import text as text_of
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule

Object = dict[str, Any]
Variables = Mapping[str, set[str]]
"""The names of a dashboard's variables, by its uid."""

# A dashboard's uid in a path that no variable completes.
_TARGET = re.compile(r"/d/([\w-]+)(?![\w$-])")


def variables(models: Iterable[Object]) -> Variables:
    """Of every dashboard that has a uid; one that came as JSON may have no variables at all."""
    return {
        model["uid"]: {variable["name"] for variable in (model.get("templating") or {}).get("list") or []}
        for model in models
        if model.get("uid")
    }


def of_dashboards(texts: Mapping[str, str]) -> Iterator[str]:
    """Links of panels that lead to no dashboard; `texts` by their files."""
    models = {name: json.loads(text) for name, text in texts.items()}
    known = variables(models.values())
    for name, model in models.items():
        wrong = [(uid, panel, path) for uid, panel, path in targets(model) if uid not in known]
        places = JsonPositions(texts[name]) if wrong else None
        for uid, panel, path in wrong:
            line, column = places.of(path) if places is not None else (1, 1)
            yield f"{name}:{line}:{column} {panel.name}: a link leads to {uid}, which is no dashboard"


def targets(model: Object) -> Iterator[tuple[str, Panel, Path]]:
    """(uid, panel, where) of each link to a dashboard."""
    for panel in read("", model).panels:
        for at, link in mappings(mapping(mapping(panel.raw.get("fieldConfig")).get("defaults")).get("links")):
            if found := _TARGET.match(text_of(link.get("url"))):
                yield found[1], panel, (*panel.path, "fieldConfig", "defaults", "links", at, "url")


def of_alerts(alerts: Iterable[Rule], known: Variables) -> Iterator[str]:
    """Alerts that lead to no dashboard, set a variable that it does not have, or lead to no runbook of theirs."""
    for rule in alerts:
        yield from _to_dashboard(rule, known)
        if not rule.annotations.get("runbook_url", "").endswith(f"/runbooks/{rule.name}.md"):
            yield f"{_at(rule, 'runbook_url')}: runbook_url does not end with /runbooks/{rule.name}.md"


def _to_dashboard(rule: Rule, known: Variables) -> Iterator[str]:
    where = _at(rule, "dashboard_url")
    url = rule.annotations.get("dashboard_url", "")
    uid = url.removeprefix("/d/").partition("?")[0]
    if not url.startswith("/d/") or uid not in known:
        yield f"{where}: dashboard_url leads to {uid or 'nothing'}, which is no dashboard"
        return
    unknown = set(re.findall(r"var-(\w+)=", url)) - known[uid]
    yield from (f"{where}: dashboard_url sets {name}, which {uid} does not have" for name in sorted(unknown))


def _at(rule: Rule, annotation: str) -> str:
    return f"{rule.group.file.path}:{rule.place(f'annotations.{annotation}')[0]}"
