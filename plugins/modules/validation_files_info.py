#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what can be validated in a folder."""

from __future__ import annotations

DOCUMENTATION = r"""
module: validation_files_info
short_description: Find rule files, dashboards and Helm values in a folder
description:
  - Goes through a folder and tells rule files, dashboards, values of charts and the metrics contract by what they are,
    whatever they are called. C(ias.observability.validate), the playbook, validates what it finds.
  - Folders whose name begins with a dot, C(node_modules), C(venv) and C(__pycache__) are passed over, and of a chart
    its templates and sub-charts.
options:
  src:
    description: The folder, or one file.
    type: path
    required: true
  exclude:
    description: Patterns of files and folders to pass over, relative to O(src). V(*) stands for any text.
    type: list
    elements: str
    default: []
  contract:
    description: The metrics contract, where O(src) does not hold it, or holds more than one.
    type: path
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.alert_rules_validate
  - module: ias.observability.dashboards_validate
  - module: ias.observability.helm_values_validate
  - module: ias.observability.findings_report
extends_documentation_fragment:
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Find what can be validated
  ias.observability.validation_files_info:
    src: .
    exclude: [tests, "*.generated.json"]
  register: found

- name: Validate the rules
  ias.observability.alert_rules_validate:
    paths: "{{ found.rules }}"
"""

RETURN = r"""
rules:
  description: Rule files and PrometheusRule manifests.
  type: list
  elements: str
  returned: always
  sample: [rules/api.yaml]
dashboards:
  description:
    - Dashboards in Grafana's JSON, and specs of dashboards. Of a spec and the JSON beside it that was compiled of it,
      the spec is listed where there is a contract, else the JSON.
  type: list
  elements: str
  returned: always
  sample: [dashboards/api.json]
helm_values:
  description: Files of Helm values, C(file), each with the folder of its C(chart).
  type: list
  elements: dict
  returned: always
  sample: [{file: charts/api/values.yaml, chart: charts/api}]
contract:
  description: The metrics contract. Empty where there is none, or more than one.
  type: str
  returned: always
  sample: services.yaml
unchecked:
  description: Each C(file) that looks like one of these and cannot be validated, with the C(reason).
  type: list
  elements: dict
  returned: always
  sample: [{file: loki/rules.yaml, reason: "rules in LogQL, for Loki's ruler"}]
lines:
  description: How many of each there are, and the first of what cannot be validated.
  type: list
  elements: str
  returned: always
  sample: ["rule files: 1", "dashboards: 1", "Helm values: 1", "metrics contract: services.yaml"]
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils._discovery.files import discover
from ..module_utils._printable import printable_tree


def main() -> None:
    module = AnsibleModule(
        {
            "src": {"type": "path", "required": True},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "contract": {"type": "path"},
        },
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    try:
        found = discover(Path(params["src"]), params["exclude"], params["contract"] or "")
    except OSError as error:
        module.fail_json(msg=f"{error.filename or params['src']} cannot be read: {error.strerror or error}")
    except ValueError as error:
        module.fail_json(msg=f"{params['src']} is not searched: {error}; name a folder below it, or exclude some")
    module.exit_json(
        changed=False,
        rules=found.rules,
        dashboards=found.dashboards,
        helm_values=[values._asdict() for values in found.values],
        contract=found.contract,
        unchecked=printable_tree([unchecked._asdict() for unchecked in found.unchecked]),
        lines=printable_tree(found.lines(Path(params["src"]))),
    )


if __name__ == "__main__":
    main()
