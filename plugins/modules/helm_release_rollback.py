#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a Helm release back to an earlier revision."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_rollback
short_description: Take a Helm release back to an earlier revision
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Applies the objects of an earlier revision again. Helm writes that down as a new revision. The chart is not needed,
    so this works while its registry cannot be reached.
  - Nothing happens where the newest revision is deployed and has the chart, the values and the objects of the other.
  - Volumes and custom resource definitions stay as they are, with what was written meanwhile. The workloads are left
    to M(ias.observability.rollout_verify).
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
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
    description: The namespace of the release.
    type: str
    required: true
  revision:
    description:
      - The revision to go back to. C(deployed_revision) of M(ias.observability.helm_release_plan) is the last one that
        Helm deployed without an error.
    type: int
    required: true
  helm_binary:
    description: The helm program, at least version 4. By default the first on C(PATH).
    type: path
  timeout:
    description: How many seconds each hook of the chart may take. Helm is stopped a minute later.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
seealso:
  - module: ias.observability.helm_release_plan
  - module: ias.observability.helm_release_apply
"""

EXAMPLES = r"""
- name: Undo the last upgrade of Loki
  ias.observability.helm_release_rollback:
    name: loki
    namespace: ias-system
    revision: 3
"""

RETURN = r"""
release:
  description: The newest revision, as M(ias.observability.helm_release_plan) describes it.
  returned: success
  type: dict
  sample:
    name: loki
    namespace: ias-system
    revision: 5
    status: deployed
    chart: loki-18.11.0
    app_version: 3.7.6
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._release import helm, history, manifest
from ..module_utils._release.module import run

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "revision": {"type": "int", "required": True},
    "helm_binary": {"type": "path"},
    "timeout": {"type": "int", "default": 300},
}


def rolled_back(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    name, namespace, number = params["name"], params["namespace"], params["revision"]
    client = connect(params)
    cluster = Cluster(client)
    current = history.latest(cluster, namespace, name)
    target = history.find(cluster, namespace, name, number)
    if current is None or target is None:
        kept = ", ".join(map(str, sorted(history.statuses(cluster, namespace, name)))) or "none"
        raise KubeError(f"there is no revision {number} to go back to", f"Helm keeps these: {kept}")
    diff = manifest.diff(current.manifest, target.manifest)
    if current.status == "deployed" and current.same_as(target):
        return {"changed": False, "release": history.facts(name, namespace, current)}
    with helm.Helm(module, client) as run:
        if not module.check_mode:
            run.rollback(target, timeout=params["timeout"])
            current = history.latest(cluster, namespace, name)
    return {
        "changed": True,
        "release": history.facts(name, namespace, current),
        **({"diff": dict(diff)} if diff else {}),
    }


def main() -> None:
    run(ARGUMENTS, rolled_back)


if __name__ == "__main__":
    main()
