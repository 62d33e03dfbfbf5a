#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is wrong with alerting and recording rules before Prometheus does."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_rules_validate
short_description: Find what is wrong with alerting and recording rules
description:
  - Reads rule files and PrometheusRule manifests and reports everything that is wrong with them. Neither a cluster
    nor C(promtool) is needed.
  - Findings whose id begins with C(load/) say what Prometheus or the operator would refuse, C(rules/) what loads but
    does not do what it looks like, C(metadata/) what a person who is woken up would miss.
  - Fails when a finding is an error.
options:
  paths:
    description: Rule files, PrometheusRule manifests, or folders of them.
    type: list
    elements: path
  rules:
    description: Rules given directly, as the content of a rule file or of a PrometheusRule manifest.
    type: dict
  prometheus_version:
    description: The version of Prometheus that is to load the rules, from 3.5 on.
    type: str
    default: "3.14"
  prometheus_features:
    description: What the server has in C(--enable-feature), as far as it concerns PromQL.
    type: list
    elements: str
    choices:
      - promql-experimental-functions
      - promql-duration-expr
      - promql-extended-range-selectors
      - promql-binop-fill-modifiers
    default: []
  contract:
    description:
      - A file that says which metrics there are. With it the names, labels, values and types in the rules are
        checked too; such findings begin with C(contract/).
      - C(services) maps each service to its C(job) (by default its name) and its C(metrics), and each metric to its
        C(type) (C(counter), C(gauge), C(histogram) or C(summary)) and its C(labels), a list of names, or a mapping of
        names to what they may hold - a list of values, how many at most (C(max)), or any number (C(unbounded)).
        C(target_labels) lists labels that the scrape adds, C(known_metrics) patterns of metrics from elsewhere, such
        as V(kube_*).
    type: path
  alertmanager_config:
    description:
      - Alertmanager's configuration, as the path of its file or as a mapping. With it each alert of the rules is
        routed, with the labels of its rule and those that its expression can have; such findings begin with
        C(rules/routing-).
      - An error is only what Alertmanager would not load. What integrations, templates and time intervals hold is not
        looked at.
    type: raw
  tests:
    description:
      - Test files for C(promtool test rules), or folders of them. With them each alert needs a case in which it fires
        and one in which it stays silent, as M(ias.observability.alert_rules_coverage) says in detail; such findings
        begin with C(coverage/).
    type: list
    elements: path
  waivers:
    description:
      - A file with a list C(waivers) of findings to let through. Each has C(id), C(reason), C(until) (a date) and
        optionally C(object) and C(file); C(id), C(object) and C(file) may hold C(*).
      - A waiver that has expired is an error, and one without a finding a warning.
    type: path
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.alert_rules_coverage
extends_documentation_fragment:
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Check the rules of this repository
  ias.observability.alert_rules_validate:
    paths: [contracts/alerts.yaml]

- name: Check that somebody is told of each alert
  ias.observability.alert_rules_validate:
    paths: [contracts/alerts.yaml]
    alertmanager_config: contracts/alertmanager.yaml

- name: Check one rule for an older server
  ias.observability.alert_rules_validate:
    prometheus_version: "3.5"
    rules:
      groups:
        - name: api
          rules:
            - alert: ApiDown
              expr: up{job="api"} == 0 or absent(up{job="api"})
              for: 5m
              labels: {severity: critical}
"""

RETURN = r"""
findings:
  description: Everything that was found, by file and line. The module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: rules/template-label
      severity: error
      file: contracts/alerts.yaml
      line: 12
      column: 9
      object: api/HighErrorRate
      message: annotation 'summary' uses $labels.pod, which the expression does not keep
      hint: add pod to the aggregation or the matching, or leave it out of the text
      evidence: {}
waived:
  description: The findings that O(waivers) lets through, in the same form.
  type: list
  elements: dict
  returned: always
  sample: []
summary:
  description: How many findings there are of each severity, and how many files and rules were read.
  type: dict
  returned: always
  sample: {error: 1, warning: 0, info: 3, files: 1, rules: 24}
rules:
  description: The rules as Prometheus understands them; durations are seconds, group labels are merged in.
  type: list
  elements: dict
  returned: always
  sample:
    - file: contracts/alerts.yaml
      group: api
      kind: alert
      name: ApiDown
      expr: up{job="api"} == 0 or absent(up{job="api"})
      for: 300.0
      keep_firing_for: 0.0
      labels: {severity: critical}
      annotations: {}
      line: 4
"""

import gc
import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.validation import check_type_path
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils import _rules
from ..module_utils._findings import Finding, failed, failure_message, summary
from ..module_utils._promql import Profile
from ..module_utils._promql.profile import FEATURES
from ..module_utils._rules.check import Source, check, normalised
from ..module_utils._rules.context import Index
from ..module_utils._rules.files import read
from ..module_utils._rules.report import Report
from ..module_utils._rules.waivers import waive


def main() -> None:
    module = AnsibleModule(
        {
            "paths": {"type": "list", "elements": "path"},
            "rules": {"type": "dict"},
            "prometheus_version": {"type": "str", "default": "3.14"},
            "prometheus_features": {
                "type": "list",
                "elements": "str",
                "choices": sorted(FEATURES),
                "default": [],
            },
            "contract": {"type": "path"},
            "alertmanager_config": {"type": "raw"},
            "tests": {"type": "list", "elements": "path"},
            "waivers": {"type": "path"},
        },
        required_one_of=[("paths", "rules")],
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    gc.disable()  # one short run that makes many small objects and no garbage worth collecting
    try:
        profile = Profile.of(params["prometheus_version"], params["prometheus_features"])
    except ValueError as error:
        module.fail_json(msg=f"prometheus_version: {error}")
    sources, findings = read(params["paths"] or [])
    if params["rules"] is not None:
        sources.append(Source("rules", json.dumps(params["rules"], indent=1)))
    contracts, problems = read([params["contract"]] if params["contract"] else [])
    alertmanager, unread = alertmanager_source(module, params["alertmanager_config"])
    problems += unread
    result = check(sources, profile, contract=contracts[0] if contracts else None, alertmanager=alertmanager)
    if params["tests"] is not None:
        tests, unread = read(params["tests"])
        problems += unread
        report = Report()
        cases = [test for source in tests for test in _rules.unit_tests.load(source.path, source.text, report)]
        _rules.coverage.cover(Index.of(result.files), cases, report)
        problems += report.findings
    findings, waived = waive([*findings, *problems, *result.findings], params["waivers"])
    rules = normalised(result.files)
    gc.freeze()  # nor does the interpreter look through all of them once more when it ends
    outcome = {
        "findings": [finding.as_dict() for finding in findings],
        "waived": [finding.as_dict() for finding in waived],
        "summary": {**summary(findings), "files": len(sources), "rules": len(rules)},
        "rules": rules,
    }
    if failed(findings):
        errors = [finding for finding in findings if finding.severity == "error"]
        module.fail_json(msg=failure_message("The rules are not fit for use", errors), **outcome)
    module.exit_json(changed=False, **outcome)


def alertmanager_source(module: AnsibleModule, given: object) -> tuple[Source | None, list[Finding]]:
    """The configuration's text, and why it could not be read."""
    if given is None:
        return None, []
    if isinstance(given, dict):
        return Source("alertmanager_config", json.dumps(given, indent=1)), []
    if not isinstance(given, str) or not given:
        module.fail_json(msg=f"alertmanager_config must be the path of a file or a mapping, not {given!r}")
    path = check_type_path(given)
    if Path(path).is_dir():
        module.fail_json(msg=f"alertmanager_config: {path} is a folder; give the file in it")
    sources, unread = read([path])
    return (sources[0] if sources else None), unread


if __name__ == "__main__":
    main()
