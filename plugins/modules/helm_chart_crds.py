#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the custom resource definitions of a chart."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_chart_crds
short_description: Install and upgrade the custom resource definitions that a chart brings
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Helm installs the definitions in a chart's C(crds) folders once and never upgrades them. This module keeps them at
    the chart's version, sub-charts included, by server-side apply, and waits until the API serves them.
  - Definitions are never removed; that would delete every object of their kind.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
  - ias.observability._chart
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Names the definitions that change, not their schemas.
  idempotent:
    support: full
options:
  field_manager:
    description: Under which name the fields are owned. Fields that another manager holds are taken over.
    type: str
    default: ias.observability
  timeout:
    description: How many seconds to wait for the API to serve the definitions.
    type: int
    default: 60
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
"""

EXAMPLES = r"""
- name: Keep the Prometheus operator's definitions at the chart's version
  ias.observability.helm_chart_crds:
    chart_ref: oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack
    chart_version: 88.5.3
"""

RETURN = r"""
crds:
  description: The chart's definitions, and what was done to each.
  returned: success
  type: list
  elements: dict
  sample:
    - name: servicemonitors.monitoring.coreos.com
      action: updated
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module
from ..module_utils._release import crds, helm

ARGUMENTS = {
    "chart_ref": {"type": "str", "required": True},
    "chart_version": {"type": "str"},
    "helm_binary": {"type": "str"},
    "field_manager": {"type": "str", "default": "ias.observability"},
    "timeout": {"type": "int", "default": 60},
}


def applied(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    client = connect(params)
    cluster = Cluster(client)
    chart = helm.Chart(params["chart_ref"], params["chart_version"])
    with helm.Helm(module, client) as run:
        wanted = crds.definitions(run.crds(chart))
    definitions = list(crds.apply(cluster, wanted, manager=params["field_manager"], dry_run=module.check_mode))
    done = [change for change, _live in definitions]
    if not module.check_mode:
        young = [change.name for change, live in definitions if not crds.is_established(live)]
        crds.wait_established(cluster, young, timeout=params["timeout"])
    return {
        "changed": any(change.action != "none" for change in done),
        "crds": [change._asdict() for change in done],
        "diff": crds.diff(done),
    }


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    try:
        result = applied(module)
    except KubeError as error:
        module.fail_json(msg=f"definitions of chart {module.params['chart_ref']}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
