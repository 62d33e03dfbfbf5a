#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the dashboards of a folder show something."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dashboards_verify
short_description: Prove that the dashboards of a folder show something
description:
  - Asks for the health of every data source, opens every dashboard of a Grafana folder and of its sub-folders, resolves
    its variables and asks every panel's queries through Grafana, as a browser would.
  - Fails unless every data source works, every query is answered, and every panel gets at least one real sample of the
    last five minutes. No value (NaN) is no sample.
  - A rate over five minutes still has samples of what is gone. So Prometheus is asked for the newest sample of the
    series behind each query, which must be within two of its intervals. What has one cause, such as a job without a
    target, is one finding that names it, whose evidence has the panels. Where Grafana is reached through the cluster,
    what keeps the job from having a target is looked up there.
  - A panel may be empty when its description says why, in a line C(May be empty) followed by a colon and the reason.
  - Waits for at most O(timeout) seconds, asking only the panels that have shown nothing yet.
options:
  folder:
    description: Folder, as the titles on the way to it, separated by slashes.
    type: str
    required: true
  src:
    description: Directory of dashboards that must be in the folder, as in M(ias.observability.grafana_dashboards).
    type: path
  contract:
    description: The metrics contract that specs of O(src) are compiled with.
    type: path
  services:
    description:
      - The services of O(contract) that this site runs. Empty means all.
      - Specs of dashboards of other services need not be in the folder. A panel or variable that asks Prometheus or
        Loki for nothing but other services may be empty.
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
- name: Prove that the dashboards show something
  ias.observability.dashboards_verify:
    grafana:
      username: "{{ grafana_user }}"
      password: "{{ grafana_password }}"
    folder: IAS Platform
    src: contracts/dashboards
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: dashboards/no-data, severity: error, object: GPU/Memory, message: no sample in the last five minutes}
summary:
  description: How many data sources, dashboards and panels were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
dashboards:
  description: How many dashboards were opened.
  type: int
  returned: when Grafana answered
  sample: 6
panels:
  description: How many panels have something to ask.
  type: int
  returned: when Grafana answered
  sample: 61
may_be_empty:
  description: The panels that may be empty, and why.
  type: list
  elements: dict
  returned: when Grafana answered
  sample: [{panel: GPU/XID errors, reason: there is no error on a good day}]
datasources:
  description: Whether each data source works, by its uid.
  type: dict
  returned: when Grafana answered
  sample: {prometheus: true, loki: true}
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils import _kube
from ..module_utils._causes.merge import Explained
from ..module_utils._checks.result import CheckResult
from ..module_utils._contract.running import EVERYTHING
from ..module_utils._contract_file import RUNNING_ARGS, read_running
from ..module_utils._dashboard_files import load_dashboards
from ..module_utils._ending import end
from ..module_utils._explain import findings as causes
from ..module_utils._findings import Finding, failed
from ..module_utils._grafana.client import Grafana
from ..module_utils._grafana_model.files import check_all
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service
from ..module_utils._verify.dashboards import DashboardProbe
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    module = kube_module(
        arguments(
            grafana=GRAFANA,
            folder={"type": "str", "required": True},
            src={"type": "path"},
            **RUNNING_ARGS,
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    src = module.params["src"]
    running, problems = read_running(module.params["contract"], module.params["services"])
    wanted, findings = check_all(load_dashboards(Path(src), running) if src else [])
    findings = [*problems, *findings]
    if failed(findings):
        end(module, f"The dashboards in {src} cannot be used", findings)
    dashboards = DashboardProbe(module.params["folder"], wanted, running or EVERYTHING)

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "grafana", deadline) as api:
            return dashboards.verify(Grafana(api))

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        cluster = _kube.Cluster(_kube.connect(module.params), deadline)
        with open_service(module.params, "grafana", deadline) as api:
            return list(causes.dashboards(cluster, Grafana(api), module.params["grafana"]["namespace"], findings))

    verify(module, "Not every dashboard shows something", probe, None if module.params["grafana"]["url"] else explain)


if __name__ == "__main__":
    main()
