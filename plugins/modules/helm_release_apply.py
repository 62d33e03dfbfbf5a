#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Helm for a release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_apply
short_description: Install or upgrade a Helm release
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Runs Helm once, and makes a revision each time. M(ias.observability.helm_release_plan) says whether it has to run.
  - The values reach Helm as JSON through its standard input. They mean the same to Helm as to the caller, and are never
    written to a file, put on a command line, logged or returned. Where an error of Helm repeats a value, it is masked.
  - Custom resource definitions are left to M(ias.observability.helm_chart_crds), and the workloads to
    M(ias.observability.rollout_verify). Only hooks are waited for.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
  - ias.observability._chart
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The plan shows what changes.
  idempotent:
    support: none
    details: Each run makes a revision of the release.
options:
  name:
    description: The release.
    type: str
    required: true
  namespace:
    description: The namespace of the release. It is created when it does not exist.
    type: str
    required: true
  values:
    description: The chart's values, merged.
    type: dict
    default: {}
  timeout:
    description:
      - How many seconds each hook of the chart may take. Helm is stopped a minute later.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
seealso:
  - module: ias.observability.helm_release_plan
"""

EXAMPLES = r"""
- name: Plan release loki
  ias.observability.helm_release_plan: &loki
    name: loki
    namespace: ias-system
    chart_ref: oci://ghcr.io/grafana/helm-charts/loki
    chart_version: 18.11.0
    values: "{{ loki_values }}"
  register: plan

- name: Deploy release loki
  ias.observability.helm_release_apply: *loki
  when: plan.action != 'none'
"""

RETURN = r"""
release:
  description: The newest revision, as M(ias.observability.helm_release_plan) describes it.
  returned: success
  type: dict
  sample:
    name: loki
    namespace: ias-system
    revision: 4
    status: deployed
    chart: loki-18.11.0
    app_version: 3.7.6
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import Cluster, connect
from ..module_utils._release import helm, history
from ..module_utils._release.module import CHART_ARGS, run

ARGUMENTS = {**CHART_ARGS, "timeout": {"type": "int", "default": 300}}


def applied(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    name, namespace = params["name"], params["namespace"]
    client = connect(params)
    with helm.Helm(module, client) as run:
        if not module.check_mode:
            chart = helm.Chart(params["chart_ref"], params["chart_version"])
            run.apply(name, namespace, chart, params["values"], timeout=params["timeout"])
    return {
        "changed": True,
        "release": history.facts(name, namespace, history.latest(Cluster(client), namespace, name)),
    }


def main() -> None:
    run(ARGUMENTS, applied)


if __name__ == "__main__":
    main()
