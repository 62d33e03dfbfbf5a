#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the Kubernetes API answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_api_verify
short_description: Prove that the Kubernetes API answers
description:
  - Asks the API server for its version and fails, with one message, when no answer comes within O(timeout) seconds.
  - Meant to come before proofs that wait for what they need, for without a cluster each of them would wait.
options:
  timeout:
    description: Seconds that the answer may take.
    type: int
    default: 3
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that there is a cluster
  ias.observability.cluster_api_verify:
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: verify/no-cluster, severity: error, message: the Kubernetes API at https://10.0.0.1 cannot be reached}
version:
  description: The version of the API server.
  type: str
  returned: when it answered
  sample: v1.36.3
"""

from ..module_utils import _kube
from ..module_utils._ending import end
from ..module_utils._http import NO_DEADLINE
from ..module_utils._kube.module import kube_module
from ..module_utils._verify.unreachable import unreachable


def main() -> None:
    module = kube_module({"timeout": {"type": "int", "default": 3}}, supports_check_mode=True)
    deadline = NO_DEADLINE.within(module.params["timeout"])
    try:
        version = _kube.Cluster(_kube.connect(module.params), deadline).get("/version")
    except _kube.KubeError as error:
        end(module, "There is no cluster to prove", [unreachable(error)])
    else:
        end(module, "", [], version=str(version.get("gitVersion", "")))


if __name__ == "__main__":
    main()
