# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules as a site loads them: its own names in the expressions, links that lead to its Grafana and its runbooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._contract.aliases import AliasError, MetricAliases

Plain = dict[str, Any]

_LINK = "dashboard_url"
_RUNBOOK = "runbook_url"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a site's links lead; empty: where the rules say."""

    grafana_url: str = ""
    """Put before links to dashboards that begin with /."""
    runbooks_url: str = ""
    """The folder that holds the contracts' runbooks: what ends with /runbooks/<alert>.md is looked for there."""


def render_rules(groups: Iterable[Mapping[str, Any]], names: MetricAliases, site: Site) -> list[Plain]:
    """The groups of a rule file; what is given stays as it is. Raises AliasError."""
    return [{**group, "rules": [_rule(rule, names, site) for rule in group.get("rules") or []]} for group in groups]


def _rule(rule: Mapping[str, Any], names: MetricAliases, site: Site) -> Plain:
    try:
        rendered = {**rule, "expr": names.apply(str(rule["expr"]))}
    except AliasError as error:
        raise AliasError(f"rule {rule.get('alert') or rule.get('record')}: {error}") from error
    annotations = rule.get("annotations") or {}
    links = {}
    if site.grafana_url and (link := annotations.get(_LINK, "")).startswith("/"):
        links[_LINK] = site.grafana_url.rstrip("/") + link
    page = f"/{rule.get('alert')}.md"
    if site.runbooks_url and annotations.get(_RUNBOOK, "").endswith(f"/runbooks{page}"):
        links[_RUNBOOK] = site.runbooks_url.rstrip("/") + page
    if links:
        rendered["annotations"] = {**annotations, **links}
    return rendered
