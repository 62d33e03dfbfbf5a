#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out whether a Helm release would change, and clear what a killed Helm left behind."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_plan
short_description: Plan a Helm release and recover it from an interrupted operation
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Compares a release's newest revision with what the chart renders from the values now, object by object, and says
    whether Helm has to run and why. A chart that changed without a new version is noticed.
  - The chart is really rendered, in check mode too, so values that a template refuses are reported before Helm runs.
    An upgrade is held against the API's schemas in check mode only; else Helm does that when it runs.
  - A revision that has been pending for longer than O(pending_after) belongs to a Helm that was killed, and Helm would
    refuse the release from then on. It is marked as failed, which Helm builds upon. The module changes nothing else.
  - A younger pending revision is waited for. The module fails when another one begins meanwhile.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
  - ias.observability._chart
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the objects that would change. The data of Secrets is hidden.
  idempotent:
    support: full
options:
  name:
    description: The release.
    type: str
    required: true
  namespace:
    description: The namespace of the release. It need not exist.
    type: str
    required: true
  values:
    description: The chart's values, merged. They are never returned, logged or put on a command line.
    type: dict
    default: {}
  pending_after:
    description:
      - After how many seconds a pending revision counts as abandoned. They are counted by the clock of the API server.
      - It must be more than a living Helm takes. By default that is the five minutes that Helm gives a hook, and the
        minute after which M(ias.observability.helm_release_apply) stops Helm. Raise it where others deploy the release
        with a longer C(--timeout); lower it only where no chart has hooks.
    type: int
    default: 420
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
seealso:
  - module: ias.observability.helm_release_apply
"""

EXAMPLES = r"""
- name: Plan release loki
  ias.observability.helm_release_plan:
    name: loki
    namespace: ias-system
    chart_ref: oci://ghcr.io/grafana/helm-charts/loki
    chart_version: 18.11.0
    values: "{{ loki_values }}"
  register: plan

- name: Run Helm only when something would change
  ias.observability.helm_release_apply:
    name: loki
    namespace: ias-system
    chart_ref: oci://ghcr.io/grafana/helm-charts/loki
    chart_version: 18.11.0
    values: "{{ loki_values }}"
  when: plan.action != 'none'
"""

RETURN = r"""
action:
  description: What Helm has to do.
  returned: success
  type: str
  choices: [none, install, upgrade]
reasons:
  description: Why.
  returned: success
  type: list
  elements: str
  sample: [the values differ, the rendered objects differ]
recovered:
  description: Whether the newest revision was left pending by a killed Helm. Outside check mode it is marked as failed.
  returned: success
  type: bool
deployed_revision:
  description:
    - The newest revision that Helm deployed without an error, which M(ias.observability.helm_release_rollback) can go
      back to. 0 when there is none.
  returned: success
  type: int
release:
  description: The newest revision; its C(revision) is 0 when the release is not installed.
  returned: success
  type: dict
  sample:
    name: loki
    namespace: ias-system
    revision: 3
    status: deployed
    chart: loki-18.11.0
    app_version: 3.7.6
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import Cluster, connect
from ..module_utils._release import helm, history, plan
from ..module_utils._release.module import CHART_ARGS, run

ARGUMENTS = {**CHART_ARGS, "pending_after": {"type": "int", "default": 420}}


def planned(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    name, namespace, values = params["name"], params["namespace"], params["values"]
    chart = helm.Chart(params["chart_ref"], params["chart_version"])
    client = connect(params)
    cluster = Cluster(client)
    with helm.Helm(module, client) as run:
        current = history.settled(cluster, namespace, name, pending_after=params["pending_after"])
        recovered = current is not None and current.pending
        if current and recovered and not module.check_mode:
            current = history.mark_failed(cluster, namespace, current)
        if current is None or not plan.installed(current):
            result = plan.install(run.rendered(name, namespace, chart, values))
        elif current.pending:  # check mode: Helm would refuse it
            result = plan.redo(current, run.rendered(name, namespace, chart, values))
        else:
            result = plan.upgrade(current, run.upgraded(name, namespace, chart, values), values)
            if module.check_mode and result.action != "none":  # else Helm checks when it acts
                run.upgraded(name, namespace, chart, values, checked=True)
    return {
        "changed": recovered,
        "action": result.action,
        "reasons": list(result.reasons),
        "recovered": recovered,
        "deployed_revision": history.last_deployed(history.statuses(cluster, namespace, name)),
        "release": history.facts(name, namespace, current),
        **({"diff": dict(result.diff)} if result.diff else {}),
    }


def main() -> None:
    run(ARGUMENTS, planned)


if __name__ == "__main__":
    main()
