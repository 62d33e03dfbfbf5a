# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules as a site loads them: its own names in the expressions, links that lead to its Grafana."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .contract_names import Names

Plain = dict[str, Any]

_LINK = "dashboard_url"


def applied(groups: Iterable[Mapping[str, Any]], names: Names, grafana_url: str = "") -> list[Plain]:
    """The groups of a rule file; what is given stays as it is. Links that begin with / are put behind `grafana_url`."""
    return [
        {**group, "rules": [_rule(rule, names, grafana_url) for rule in group.get("rules") or []]} for group in groups
    ]


def _rule(rule: Mapping[str, Any], names: Names, grafana_url: str) -> Plain:
    made = {**rule, "expr": names.apply(str(rule["expr"]))}
    link = (rule.get("annotations") or {}).get(_LINK, "")
    if grafana_url and link.startswith("/"):
        made["annotations"] = {**rule["annotations"], _LINK: grafana_url.rstrip("/") + link}
    return made
