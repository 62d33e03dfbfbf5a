#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the workloads of a release have come up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_verify
short_description: Wait until everything that Helm releases run has come up
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Waits for the Deployments, StatefulSets and DaemonSets of the releases in their newest form, and for the Prometheus
    and Alertmanager objects whose pods the operator makes.
  - Fails early, naming pod and cause, when an image cannot be pulled, a container is misconfigured or keeps crashing
    (with the last line of its log), or a pod fits on no node. Helm's own C(--wait) says only that time is up.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes.read_only
options:
  releases:
    description: The releases. One that is not installed has nothing to wait for.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The release.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
  timeout:
    description: How many seconds to wait for all together.
    type: int
    default: 600
  patience:
    description: For how many seconds a pod may be in trouble before that counts; some trouble heals itself.
    type: int
    default: 45
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
"""

EXAMPLES = r"""
- name: Wait for the logs' two releases
  ias.observability.rollout_verify:
    releases:
      - {name: loki, namespace: ias-system}
      - {name: alloy, namespace: ias-system}
"""

RETURN = r"""
workloads:
  description: What was waited for.
  returned: success
  type: list
  elements: str
  sample: [StatefulSet ias-system/loki, DaemonSet ias-system/alloy]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._http import NO_DEADLINE
from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module
from ..module_utils._release import history, manifest, rollout
from ..module_utils._release.manifest import Key
from ..module_utils._release.waiting import Waiter
from ..module_utils._verify.proof import LAST_CHECK_SECONDS

RELEASE = {"name": {"type": "str", "required": True}, "namespace": {"type": "str", "required": True}}
ARGUMENTS = {
    "releases": {"type": "list", "elements": "dict", "required": True, "options": RELEASE},
    "timeout": {"type": "int", "default": 600},
    "patience": {"type": "int", "default": 45},
}


def waited(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = Cluster(connect(params), NO_DEADLINE.within(params["timeout"] + LAST_CHECK_SECONDS))
    wanted = [key for release in params["releases"] for key in workloads(cluster, **release)]
    if not module.check_mode:  # nothing has been changed that could be waited for
        Waiter(cluster, params["timeout"], params["patience"]).wait(wanted)
    return {"changed": False, "workloads": [str(key) for key in wanted]}


def workloads(cluster: Cluster, name: str, namespace: str) -> list[Key]:
    revision = history.latest(cluster, namespace, name)
    return rollout.workloads(manifest.parse(revision.manifest), namespace) if revision else []


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    try:
        result = waited(module)
    except KubeError as error:
        names = [release["name"] for release in module.params["releases"]]
        module.fail_json(msg=f"release{'s' if len(names) > 1 else ''} {', '.join(names)}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
