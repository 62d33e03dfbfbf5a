#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that a cluster can take the stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_health_verify
short_description: Prove that a Kubernetes cluster can take the observability stack
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Reads the cluster and fails with one message that lists everything that is wrong, before anything is written.
  - It looks at the API server and its version, the nodes, the storage class, the rights of the credentials, clocks,
    webhooks, releases that Helm has not ended, and Helm.
  - The rights are those that C(contracts/rbac/deployer.yaml) grants; each one that is missing is named. What only this
    proof reads, and may not, is not looked at, which is a warning.
  - A node that is not ready is a warning, and an error when more than a third of the nodes are not.
  - With O(releases) it places each of their pods on a node, by CPU, memory, number of pods, ports, taints, selectors,
    affinity, topology spread and slots for volumes, beside what runs already. What is deployed of them is replaced.
    It also holds them against the namespace's quotas, limit ranges and pod security level, the owners of custom
    resource definitions, the default data source of Grafana and the control plane.
  - It reads each list once, page by page, several beside each other. docs/preflight.md has every finding.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes.read_only
options:
  namespace:
    description: The namespace that the stack is deployed to. It need not exist.
    type: str
    required: true
  storage_classes:
    description: The storage classes that the stack asks for. An empty list means the cluster's default class.
    type: list
    elements: str
    default: []
  helm_binary:
    description: The C(helm) program. Without it the first on E(PATH) is taken. Helm 4 or newer is required.
    type: str
  releases:
    description:
      - The releases that will be deployed. One whose chart and values are those of its newest revision is not rendered
        again.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The release.
        type: str
        required: true
      namespace:
        description: The namespace of the release.
        type: str
        required: true
      chart_ref:
        description: An OCI reference, a URL, a folder or an archive.
        type: str
        required: true
      chart_version:
        description: The version of the chart. A folder has its own.
        type: str
      values:
        description: The chart's values, merged. They are never returned, logged or put on a command line.
        type: dict
        default: {}
  waivers:
    description:
      - A file with a list C(waivers) of findings to let through. Each has C(id), C(reason), C(until) (a date), and
        optionally C(object), with C(*) for any text.
    type: path
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
seealso:
  - module: kubernetes.core.k8s_cluster_info
"""

EXAMPLES = r"""
- name: Stop here unless the cluster can take the stack
  ias.observability.cluster_health_verify:
    namespace: ias-system
    storage_classes: [linode-block-storage]
    releases:
      - name: loki
        namespace: ias-system
        chart_ref: oci://ghcr.io/grafana-community/helm-charts/loki
        chart_version: 18.11.0
        values: "{{ loki_values }}"
"""

RETURN = r"""
findings:
  description: What is wrong with the cluster; empty when nothing is.
  returned: always
  type: list
  elements: dict
  sample:
    - id: cluster/storage-class
      severity: error
      message: storage class fast does not exist
      hint: The cluster has linode-block-storage
platform:
  description: Whose control plane it is, as V(LKE), V(LKE Enterprise), V(EKS), V(GKE), V(AKS) or V(kind), or empty.
  returned: success
  type: str
  sample: LKE
waived:
  description: The findings that were let through.
  returned: always
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._cluster import examine
from ..module_utils._ending import end
from ..module_utils._findings import Finding
from ..module_utils._http import NO_DEADLINE
from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module
from ..module_utils._release import helm
from ..module_utils._release.history import Revision
from ..module_utils._release.intended import Release, same
from ..module_utils._waivers import waive

WHOLE_SECONDS = 60.0
"""For all requests to the API server together."""
RELEASE = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart_ref": {"type": "str", "required": True},
    "chart_version": {"type": "str"},
    "values": {"type": "dict", "default": {}},
}
ARGUMENTS = {
    "namespace": {"type": "str", "required": True},
    "storage_classes": {"type": "list", "elements": "str", "default": []},
    "helm_binary": {"type": "str"},
    "releases": {"type": "list", "elements": "dict", "default": [], "options": RELEASE},
    "waivers": {"type": "path"},
}


def examined(module: AnsibleModule) -> tuple[str, list[Finding], str]:
    """The cluster, what is wrong with it, and its platform."""
    params = module.params
    where, findings, platform = "the cluster", list[Finding](), ""
    releases = [
        Release(one["name"], one["namespace"], helm.Chart(one["chart_ref"], one["chart_version"]), one["values"])
        for one in params["releases"]
    ]
    program: helm.HelmError | None = None
    try:
        helm.find(module, params["helm_binary"])
    except helm.HelmError as error:
        program, releases = error, []  # what cannot be rendered cannot be placed
    try:
        client = connect(params)
        cluster = Cluster(client, NO_DEADLINE.within(WHOLE_SECONDS))
        where = f"the cluster at {cluster.host}"

        def render(release: Release, current: Revision | None) -> str:
            if current is not None and same(release, current):
                return current.manifest
            with helm.Helm(module, client) as run:
                return run.rendered(release.name, release.namespace, release.chart, release.values)

        findings, platform = examine.examine(cluster, params["namespace"], params["storage_classes"], releases, render)
    except KubeError as error:
        findings = [examine.unusable(error)]
    return where, findings + ([examine.no_helm(program)] if program else []), platform


def main() -> None:
    # Values may hold secrets anywhere: neither the log on the host nor the result shows them.
    module = kube_module(ARGUMENTS, hidden=("releases",), supports_check_mode=True, no_log=True)
    where, findings, platform = examined(module)
    waived: list[Finding] = []
    if module.params["waivers"]:
        findings, waived = waive(findings, module.params["waivers"])
    shown = [finding.as_dict() for finding in waived]
    end(module, f"{where} cannot take the stack", findings, platform=platform, waived=shown)


if __name__ == "__main__":
    main()
