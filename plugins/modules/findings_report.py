#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the findings of several validators into one result."""

from __future__ import annotations

DOCUMENTATION = r"""
module: findings_report
short_description: Put the findings of several validators into one result
description:
  - Takes the registered results of modules that return RV(ignore:findings), applies waivers to all of them together,
    and writes them into one file for each CI system.
  - A result that failed for another reason than its findings is a finding, C(validate/not-run).
  - Fails when a finding is an error; O(fail_on) makes it stricter.
options:
  results:
    description: The registered results. One of a loop counts as many; those that were skipped are left out.
    type: list
    elements: dict
    required: true
  root:
    description: The folder to whose files findings and waivers give relative names. By default the working directory.
    type: path
  shown:
    description: How many findings RV(lines) has at most.
    type: int
    default: 10
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.validation_files_info
  - module: ias.observability.verify_report
extends_documentation_fragment:
  - ias.observability._validation
"""

EXAMPLES = r"""
- name: Validate the rules
  ias.observability.alert_rules_validate:
    paths: [rules]
  register: rules
  failed_when: false

- name: Validate the dashboards
  ias.observability.dashboards_validate:
    paths: [dashboards]
  register: dashboards
  failed_when: false

- name: Fail for all of it, and write one file for code scanning
  ias.observability.findings_report:
    results: ["{{ rules }}", "{{ dashboards }}"]
    fail_on: warning
    outputs:
      sarif: reports/observability.sarif
"""

RETURN = r"""
findings:
  description: The findings of all results, each once, in the order of the results. See O(fail_on).
  type: list
  elements: dict
  returned: always
  sample: []
waived:
  description: The findings that O(waivers) lets through, in the same form.
  type: list
  elements: dict
  returned: always
  sample: []
lines:
  description: What makes the module fail, errors first, in short lines; then how many findings there are in all.
  type: list
  elements: str
  returned: always
  sample: ["findings: nothing found"]
summary:
  description: How many findings there are of each severity.
  type: dict
  returned: always
  sample: {error: 0, warning: 1, info: 0}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils._printable import printable_tree
from ..module_utils._report.findings import read_results, worst
from ..module_utils._validation import VALIDATION_ARGS, conclude, judge, relative


def main() -> None:
    module = AnsibleModule(
        {
            "results": {"type": "list", "elements": "dict", "required": True},
            "root": {"type": "path"},
            "shown": {"type": "int", "default": 10},
            **VALIDATION_ARGS,
        },
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    root = Path(params["root"] or Path.cwd())
    judged = judge(module, [relative(finding, root) for finding in read_results(printable_tree(params["results"]))])
    judged = judged._replace(left=[relative(finding, root) for finding in judged.left])  # what waivers have added
    lines = worst(judged.left, params["fail_on"], params["shown"])
    conclude(module, "The files are not fit for use", judged, {}, {"lines": lines})


if __name__ == "__main__":
    main()
