#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let one run at a time deploy to a namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_lease
short_description: Let one run at a time deploy to a namespace
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Acquires, renews and releases a Lease (C(coordination.k8s.io/v1)). A second run fails with one message that names
    the holder, or waits.
  - A lease that its holder has not renewed in time is taken over, with a warning. Time is the API server's.
  - The namespace is made where it is missing, for the lease lives in it.
  - In check mode nothing is written, and another holder is only a warning.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Renewing a lease is no change.
options:
  name:
    description: The Lease.
    type: str
    default: ias-observability
  namespace:
    description: The namespace that is deployed to.
    type: str
    default: ias-system
  state:
    description: V(present) acquires or renews the lease, V(absent) releases it.
    type: str
    choices: [present, absent]
    default: present
  holder:
    description:
      - Who holds the lease, the RV(holder) of the task that acquired it. With O(state=present), the lease is renewed,
        and the module fails where another run has taken it over.
      - Without it, the lease is acquired under a new name.
    type: str
  duration:
    description:
      - How many seconds the lease lasts without being renewed. It must be longer than the longest step of a run.
    type: int
    default: 900
  wait_timeout:
    description: How many seconds to wait for another holder to release the lease.
    type: int
    default: 0
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
"""

EXAMPLES = r"""
- name: Be the only run that deploys
  ias.observability.deployment_lease:
  register: lease

- name: Go on for another fifteen minutes
  ias.observability.deployment_lease:
    holder: "{{ lease.holder }}"

- name: Let the next run begin
  ias.observability.deployment_lease:
    holder: "{{ lease.holder }}"
    state: absent
"""

RETURN = r"""
holder:
  description: The name under which this run holds the lease.
  type: str
  returned: success
  sample: controller/6f1c22ab
other_holder:
  description: Whose expired lease was taken over. In check mode, who holds it.
  type: str
  returned: when there is one
  sample: laptop/0b77f1de
"""

import secrets
import socket
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.lease import DeploymentLease
from ..module_utils._kube.module import kube_module

ARGUMENTS = {
    "name": {"type": "str", "default": "ias-observability"},
    "namespace": {"type": "str", "default": "ias-system"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "holder": {"type": "str"},
    "duration": {"type": "int", "default": 900},
    "wait_timeout": {"type": "int", "default": 0},
}


def ensured(module: AnsibleModule, lease: DeploymentLease) -> dict[str, Any]:
    """Do what the options say; the module's result."""
    params = module.params
    if module.check_mode:
        held = lease.read()
        if not held or held.holder == lease.holder or held.expires <= lease.now():
            return {"changed": False}
        module.warn(f"{held.holder} is deploying to namespace {lease.namespace} since {held.acquired}")
        return {"changed": False, "other_holder": held.holder}
    if params["state"] == "absent":
        return {"changed": lease.release()}
    if params["holder"]:
        lease.renew()
        return {"changed": False}
    expired = lease.acquire(timeout=params["wait_timeout"])
    if not expired or not expired.holder:
        return {"changed": True}
    module.warn(f"took over the lease of {expired.holder}, which expired at {expired.expires}")
    return {"changed": True, "other_holder": expired.holder}


def main() -> None:
    module = kube_module(ARGUMENTS, required_if=[("state", "absent", ("holder",))], supports_check_mode=True)
    params = module.params
    holder = params["holder"] or f"{socket.gethostname()}/{secrets.token_hex(4)}"
    try:
        cluster = Cluster(connect(params))
        lease = DeploymentLease(cluster, params["namespace"], params["name"], holder, params["duration"])
        result = ensured(module, lease)
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(holder=holder, **result)


if __name__ == "__main__":
    main()
