#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is wrong with dashboards before Grafana shows it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dashboards_validate
short_description: Find what is wrong with Grafana dashboards
description:
  - Reads dashboards as JSON in Grafana's classic schema, or the specs that are compiled to it, and reports everything
    that is wrong with them. Neither Grafana nor a cluster is needed.
  - Queries in PromQL, LogQL and TraceQL are parsed, with variables and macros replaced by what can stand in their
    place; SQL and other languages are passed over.
  - Findings whose id begins with C(dashboards/) are about the dashboard, C(rules/) and C(contract/) about a query, as
    in M(ias.observability.alert_rules_validate).
  - Fails when a finding is an error; O(fail_on) makes it stricter.
options:
  paths:
    description:
      - Dashboards, or folders of them (every C(.json) file below).
      - A file that ends with C(.yaml) or C(.yml) is the spec of a dashboard. What is wrong with the dashboard is
        reported by the lines of the spec.
    type: list
    elements: path
  dashboards:
    description: Dashboards given directly.
    type: list
    elements: dict
  datasources:
    description:
      - The data sources that Grafana has, each with its C(uid), its C(type) and, for old dashboards, its C(name);
        M(ias.observability.grafana_datasources_verify) returns them so. With them each dashboard's own are looked up.
    type: list
    elements: dict
  rules:
    description:
      - Rule files, or folders of them. The series that their recording rules make are known, with their labels, beside
        those of O(contract).
      - By default the rule files that lie in the folder of O(contract); without a contract none.
    type: list
    elements: path
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.alert_rules_validate
  - module: ias.observability.dashboards_verify
  - module: ias.observability.grafana_dashboards
extends_documentation_fragment:
  - ias.observability._validation
  - ias.observability._validation.prometheus
  - ias.observability._validation.contract
  - ias.observability._validation.scrape
"""

EXAMPLES = r"""
- name: Check the dashboards of this repository
  ias.observability.dashboards_validate:
    paths: [contracts/dashboards]

- name: Check them for one Grafana
  ias.observability.dashboards_validate:
    paths: [contracts/dashboards]
    datasources:
      - {uid: prometheus, name: Prometheus, type: prometheus}
      - {uid: loki, name: Loki, type: loki}

- name: Check them against the metrics contract, and the recording rules beside it
  ias.observability.dashboards_validate:
    paths: [contracts/dashboards]
    contract: contracts/services.yaml
"""

RETURN = r"""
findings:
  description: Everything that was found, by file and line. See O(fail_on).
  type: list
  elements: dict
  returned: always
  sample:
    - id: dashboards/legend-label
      severity: warning
      file: contracts/dashboards/api.json
      line: 118
      column: 27
      object: ias-api/Requests
      message: the legend of query A names 'pod', which the query does not keep
      hint: add pod to the aggregation, or leave it out of the legend
waived:
  description: The findings that O(waivers) lets through, in the same form.
  type: list
  elements: dict
  returned: always
  sample: []
summary:
  description: How many findings there are of each severity, and how many dashboards and queries were read.
  type: dict
  returned: always
  sample: {error: 0, warning: 1, info: 3, dashboards: 4, queries: 61}
"""

import gc
import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils._contract_file import read_contract
from ..module_utils._dashboards.check import check
from ..module_utils._dashboards.queries import Reader
from ..module_utils._dashboards.references import Source
from ..module_utils._findings import Finding
from ..module_utils._rules.load import parse_rules
from ..module_utils._rules.report import RuleReport
from ..module_utils._sources import Source as Text
from ..module_utils._sources import read, rules_beside
from ..module_utils._validation import (
    CONTRACT_ARGS,
    PROMETHEUS_ARGS,
    SCRAPE_ARGS,
    VALIDATION_ARGS,
    finish,
    profile,
    scrape_interval,
)


def main() -> None:
    module = AnsibleModule(
        {
            "paths": {"type": "list", "elements": "path"},
            "dashboards": {"type": "list", "elements": "dict"},
            "datasources": {"type": "list", "elements": "dict"},
            "rules": {"type": "list", "elements": "path"},
            **CONTRACT_ARGS,
            **PROMETHEUS_ARGS,
            **SCRAPE_ARGS,
            **VALIDATION_ARGS,
        },
        required_one_of=[("paths", "dashboards")],
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    gc.disable()  # one short run that makes many small objects and no garbage worth collecting
    texts, findings = read(params["paths"] or [], {".json"})
    for number, dashboard in enumerate(params["dashboards"] or []):
        texts.append(Text(f"dashboards[{number}]", json.dumps(dashboard, indent=1)))
    report = RuleReport()
    contract, problems = read_contract(params["contract"])
    rules, more = _rules(params["rules"], params["contract"])
    prometheus, interval = profile(module), scrape_interval(module)
    files = [file for rule in rules for file in parse_rules(rule.path, rule.text, prometheus, report)]
    sources = None if params["datasources"] is None else _sources(module, params["datasources"])
    found, queries = check(texts, Reader(prometheus, contract, files, interval), sources)
    finish(
        module,
        "The dashboards are not fit for use",
        [*findings, *problems, *more, *report.findings, *found],
        {"dashboards": len(texts), "queries": queries},
        {},
    )


def _rules(paths: list[str] | None, contract: str | None) -> tuple[list[Text], list[Finding]]:
    """The rule files that are given, else those beside the contract, and what could not be read."""
    if paths is not None:
        return read(paths)
    return (rules_beside(contract) if contract else []), []


def _sources(module: AnsibleModule, listed: list[dict[str, Any]]) -> list[Source]:
    for number, source in enumerate(listed):
        if not source.get("uid") or not source.get("type"):
            module.fail_json(msg=f"datasources[{number}] needs a uid and a type")
    return [Source(str(source["uid"]), str(source.get("name") or ""), str(source["type"])) for source in listed]


if __name__ == "__main__":
    main()
