#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List Grafana's data sources and whether they work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_datasources_verify
short_description: List Grafana's data sources and whether they work
description:
  - Lists the data sources without their secrets, and asks Grafana for the health of each.
  - Without O(expected) it only reports. With it, it fails unless these data sources exist and work, and waits for that
    for at most O(timeout) seconds.
options:
  expected:
    description: Uids of data sources that must exist and work.
    type: list
    elements: str
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.grafana
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Wait until Grafana reaches all of its data sources
  ias.observability.grafana_datasources_verify:
    grafana:
      username: "{{ grafana_user }}"
      password: "{{ grafana_password }}"
    expected: [prometheus, alertmanager, loki, tempo]
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: datasources/unhealthy, severity: error, object: Loki, message: Unable to connect with Loki}
summary:
  description: How many data sources were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
datasources:
  description: The data sources.
  type: list
  elements: dict
  returned: when Grafana answered
  sample:
    - {uid: loki, name: Loki, type: loki, is_default: false, healthy: true, message: Data source is working}
"""

from ..module_utils._checks.datasources import check_datasources
from ..module_utils._checks.result import CheckResult
from ..module_utils._grafana.client import Grafana
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    expected = {"type": "list", "elements": "str", "default": []}
    module = kube_module(arguments(grafana=GRAFANA, expected=expected, **WAIT_ARGS), supports_check_mode=True)

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "grafana", deadline) as api:
            grafana = Grafana(api)
            found = [(source, grafana.health(source)) for source in grafana.datasources()]
            return check_datasources(found, module.params["expected"])

    verify(module, "Not every data source works", probe)


if __name__ == "__main__":
    main()
