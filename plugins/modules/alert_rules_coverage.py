#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which alerts promtool's test files do not try, and write first tests for them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_rules_coverage
short_description: Say which alerts the rule tests do not try
description:
  - Compares alerting rules with test files for C(promtool test rules). Each alert needs a case in which it fires and
    one in which it stays silent, and so does each branch of an C(or) in its expression.
  - Nothing is evaluated and neither C(promtool) nor a cluster is needed; whether the tests pass is for C(promtool) to
    say. A firing case counts for each branch that can be what fires there, as far as the series at that moment and
    plain comparisons tell; a silent one for each branch that finds the series it looks at.
  - For alerts that are not covered it writes tests from the rule's own threshold and C(for).
  - Fails when something is not covered.
options:
  paths:
    description: Rule files, PrometheusRule manifests, or folders of them.
    type: list
    elements: path
    required: true
  tests:
    description: Test files, or folders of them. Without any, nothing is covered.
    type: list
    elements: path
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.alert_rules_validate
extends_documentation_fragment:
  - ias.observability._validation
  - ias.observability._validation.prometheus
"""

EXAMPLES = r"""
- name: Every alert is tried
  ias.observability.alert_rules_coverage:
    paths: [contracts/alerts.yaml]
    tests: [contracts/alerts.tests.yaml]

- name: Look for what is not tried
  ias.observability.alert_rules_coverage:
    paths: [contracts/alerts.yaml]
    tests: [contracts/alerts.tests.yaml]
  register: coverage
  failed_when: false

- name: Write first tests for it
  ansible.builtin.copy:
    content: "{{ coverage.skeleton }}"
    dest: contracts/more.tests.yaml
    mode: "0644"
"""

RETURN = r"""
findings:
  description: Everything that is missing. See O(fail_on).
  type: list
  elements: dict
  returned: always
  sample:
    - id: coverage/branch
      severity: error
      file: contracts/alerts.yaml
      line: 40
      column: 9
      object: database/DatabaseDown
      message: no test makes the alert fire by `absent(pg_up)`
      hint: add input_series that this branch selects, present at eval_time
waived:
  description: The findings that O(waivers) lets through, in the same form.
  type: list
  elements: dict
  returned: always
  sample: []
coverage:
  description: The cases of each alert, as file and line, and of each branch of its expression.
  type: list
  elements: dict
  returned: always
  sample:
    - file: contracts/alerts.yaml
      line: 40
      group: database
      alert: DatabaseDown
      complete: false
      firing: ["contracts/alerts.tests.yaml:65"]
      silent: ["contracts/alerts.tests.yaml:64"]
      branches:
        - expr: pg_up == 0
          firing: ["contracts/alerts.tests.yaml:65"]
          silent: ["contracts/alerts.tests.yaml:64"]
        - expr: absent(pg_up)
          firing: []
          silent: ["contracts/alerts.tests.yaml:64"]
summary:
  description: How many alerts there are, how many of them are covered, and the findings of each severity.
  type: dict
  returned: always
  sample: {alerts: 3, covered: 2, error: 1, warning: 0, info: 0}
skeleton:
  description:
    - A test file for the alerts that are not covered; empty when all are. What could not be worked out from a rule is
      marked with C(TODO) and named in comments at the top.
    - The paths below C(rule_files) are those of O(paths); C(promtool) takes them from where the test file is.
  type: str
  returned: always
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils._rule_tests.coverage import Coverage, cover
from ..module_utils._rule_tests.load import load as load_tests
from ..module_utils._rule_tests.scaffold import as_yaml, scaffold
from ..module_utils._rules.context import Index
from ..module_utils._rules.load import parse_rules
from ..module_utils._rules.report import RuleReport
from ..module_utils._sources import read
from ..module_utils._validation import PROMETHEUS_ARGS, VALIDATION_ARGS, finish, profile


def main() -> None:
    module = AnsibleModule(
        {
            "paths": {"type": "list", "elements": "path", "required": True},
            "tests": {"type": "list", "elements": "path", "default": []},
            **PROMETHEUS_ARGS,
            **VALIDATION_ARGS,
        },
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    server = profile(module)
    report = RuleReport()
    rules, unread_rules = read(params["paths"])
    tests, unread_tests = read(params["tests"])
    index = Index.of([file for source in rules for file in parse_rules(source.path, source.text, server, report)])
    cases = [test for source in tests for test in load_tests(source.path, source.text, report)]
    covered = cover(index, cases, report)
    finish(
        module,
        "Not all alerts are tried",
        [*unread_rules, *unread_tests, *report.findings],
        {"alerts": len(covered), "covered": sum(one.is_complete for one in covered)},
        {"coverage": [one.as_dict() for one in covered], "skeleton": _scaffold(covered, index)},
    )


def _scaffold(covered: list[Coverage], index: Index) -> str:
    missing = [one.rule for one in covered if not one.is_complete]
    files = dict.fromkeys(rule.group.file.path for rule in missing)
    return as_yaml((scaffold(rule, index) for rule in missing), files) if missing else ""


if __name__ == "__main__":
    main()
