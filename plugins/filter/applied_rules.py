# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write rules as a site loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..module_utils._contract.aliases import MetricAliases
from ..module_utils._rules.render import Site, render_rules

DOCUMENTATION = r"""
name: applied_rules
short_description: Write rules in a team's own names, with links to its Grafana and its runbooks
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Takes the groups of a rule file, and writes them as they are to be loaded. Metrics and jobs in the expressions get
    the names that the team uses, links to dashboards lead to the Grafana of the site, links to runbooks to its copies.
options:
  _input:
    description: The groups of a rule file.
    type: list
    elements: dict
    required: true
  names:
    description: The C(names) of the contract, C(metrics) and C(jobs), each a mapping of its names to those of the team.
    type: dict
    default: {}
  grafana_url:
    description: Where people reach Grafana. Without it, links stay relative.
    type: str
    default: ""
  runbooks_url:
    description:
      - The folder in which people read the runbooks of the contracts. A C(runbook_url) that ends with
        C(/runbooks/<alert>.md) leads to C(<alert>.md) in it. Without it, links stay as the rules have them.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show the rules that would be loaded
  ansible.builtin.debug:
    msg: "{{ rules.groups | ias.observability.applied_rules(services.names, 'https://grafana.example.com') }}"
  vars:
    rules: "{{ lookup('ias.observability.merged_yaml', 'contracts/alerts.yaml') }}"
    services: "{{ lookup('ias.observability.merged_yaml', 'contracts/services.yaml') }}"
"""

RETURN = r"""
_value:
  description: The groups.
  type: list
  elements: dict
"""


def applied_rules(
    groups: Sequence[Mapping[str, Any]],
    names: Mapping[str, Mapping[str, str]] | None = None,
    grafana_url: str = "",
    runbooks_url: str = "",
) -> list[dict[str, Any]]:
    """Wiring only."""
    ours = names or {}
    return render_rules(
        groups, MetricAliases(ours.get("metrics") or {}, ours.get("jobs") or {}), Site(grafana_url, runbooks_url)
    )


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"applied_rules": applied_rules}
