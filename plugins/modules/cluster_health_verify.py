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
  - It looks at the API server and its version, the nodes, the storage class, the rights of the credentials (by self
    subject access reviews) and Helm.
  - The rights are those that C(contracts/rbac/deployer.yaml) grants; each one that is missing is named.
  - A node that is not ready is a warning, and an error when more than a third of the nodes are not.
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
"""

from ..module_utils._ending import end
from ..module_utils._http import NO_DEADLINE
from ..module_utils._kube import Cluster, KubeError, connect, health
from ..module_utils._kube.module import kube_module
from ..module_utils._release import helm

WHOLE_SECONDS = 60.0
"""For all requests to the API server together."""
ARGUMENTS = {
    "namespace": {"type": "str", "required": True},
    "storage_classes": {"type": "list", "elements": "str", "default": []},
    "helm_binary": {"type": "str"},
}


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    where, findings = "the cluster", []
    try:
        cluster = Cluster(connect(module.params), NO_DEADLINE.within(WHOLE_SECONDS))
        where = f"the cluster at {cluster.host}"
        findings += health.examine(cluster, module.params["namespace"], module.params["storage_classes"])
    except KubeError as error:
        findings.append(health.unusable(error))
    try:
        helm.find(module, module.params["helm_binary"])
    except helm.HelmError as error:
        findings.append(health.no_helm(error))
    end(module, f"{where} cannot take the stack", findings)


if __name__ == "__main__":
    main()
