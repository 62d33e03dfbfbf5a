#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give Grafana an admin, once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_admin_secret
short_description: Create the Secret with Grafana's admin once, and keep it from then on
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Creates a Secret with a user name and a random password where there is none. Grafana takes them at its first start
    only, so an existing Secret is never overwritten, not even by a run at the same moment.
  - An existing Secret that a Helm release owns gets the annotation C(helm.sh/resource-policy=keep). Without it, Helm
    deletes the Secret with the next upgrade to values that do not render it, and Grafana cannot start.
  - The password is in no output, and not in the arguments.
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
options:
  name:
    description: The Secret.
    type: str
    default: prometheus-grafana
  namespace:
    description: Its namespace, which must exist. In check mode it may be missing.
    type: str
    default: ias-system
  user:
    description: The name of the admin, in a new Secret.
    type: str
    default: admin
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
"""

EXAMPLES = r"""
- name: Give Grafana an admin
  ias.observability.grafana_admin_secret:
    namespace: monitoring
"""

RETURN = r"""
action:
  description: What was done, V(none), V(created) or V(kept) (protected from Helm).
  type: str
  returned: success
  sample: created
"""

import base64
import secrets
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import ApiError, Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module

KEEP = {"helm.sh/resource-policy": "keep"}
RELEASE = "meta.helm.sh/release-name"
PASSWORD_BYTES = 24
ARGUMENTS = {
    "name": {"type": "str", "default": "prometheus-grafana"},
    "namespace": {"type": "str", "default": "ias-system"},
    "user": {"type": "str", "default": "admin"},
}


def ensured(module: AnsibleModule) -> str:
    params, cluster = module.params, Cluster(connect(module.params))
    collection = f"/api/v1/namespaces/{params['namespace']}/secrets"
    existing = cluster.find(f"{collection}/{params['name']}")
    if existing is None:
        try:
            if not module.check_mode:
                cluster.create(collection, admin(params))
        except ApiError as error:
            if error.status != 409:
                raise
            existing = cluster.get(f"{collection}/{params['name']}")  # of a run at the same moment
        else:
            return "created"
    annotations = existing["metadata"].get("annotations") or {}
    if RELEASE not in annotations or KEEP.items() <= annotations.items():
        return "none"
    if not module.check_mode:
        cluster.patch(f"{collection}/{params['name']}", {"metadata": {"annotations": KEEP}})
    return "kept"


def admin(params: dict[str, Any]) -> dict[str, Any]:
    """A new Secret as Grafana's chart names its keys."""
    labels = {
        "app.kubernetes.io/name": "grafana",
        "app.kubernetes.io/instance": "prometheus",
        "app.kubernetes.io/managed-by": "ias.observability",
    }
    content = {"admin-user": params["user"], "admin-password": secrets.token_urlsafe(PASSWORD_BYTES)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": params["name"], "labels": labels},
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in content.items()},
    }


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    try:
        action = ensured(module)
    except KubeError as error:
        module.fail_json(msg=f"Secret {module.params['name']} in namespace {module.params['namespace']}: {error}")
    module.exit_json(changed=action != "none", action=action)


if __name__ == "__main__":
    main()
