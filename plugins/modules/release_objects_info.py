#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every object that is in a cluster because of some Helm releases."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_objects_info
short_description: List every object that is in a cluster because of some Helm releases
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Lists what C(helm uninstall) removes and what it leaves behind, in all namespaces and outside. The latter are
    objects of hooks, objects that programs of a release make for themselves (the operator's Service in
    C(kube-system)), the volume claims of StatefulSets, the custom resource definitions that
    M(ias.observability.helm_chart_crds) applied, and the objects in O(namespace) that modules of this collection made.
  - With O(objects), the list of an earlier call, it says which of those are still there. That is the way to see after
    an uninstall whether something is left.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes.read_only
options:
  namespace:
    description: The namespace of the releases.
    type: str
    required: true
  releases:
    description: The releases. One that is not installed has no objects.
    type: list
    elements: str
    required: true
  objects:
    description: What was listed before. Nothing else is looked for then.
    type: list
    elements: dict
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
"""

EXAMPLES = r"""
- name: See what Loki has in the cluster
  ias.observability.release_objects_info:
    namespace: ias-system
    releases: [loki, alloy]
  register: before

- name: See what is left of it
  ias.observability.release_objects_info:
    namespace: ias-system
    releases: [loki, alloy]
    objects: "{{ before.objects }}"
"""

RETURN = r"""
objects:
  description:
    - The objects that exist. C(origin) is V(release) (Helm rendered it), V(hook), V(program) (a program of the release
      made it), V(claim) (a volume of a StatefulSet), V(collection) (a module of this collection made it), or
      V(definition).
    - C(in_use) of a definition says whether objects of its kind exist that are none of this list. C(volume) is the
      PersistentVolume of a claim.
  type: list
  elements: dict
  returned: success
  sample:
    - kind: Service
      namespace: kube-system
      name: prometheus-kube-prometheus-kubelet
      api_version: v1
      origin: program
      release: prometheus
      in_use: false
      volume: ""
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module
from ..module_utils._release.belongings import Belongings

ARGUMENTS = {
    "namespace": {"type": "str", "required": True},
    "releases": {"type": "list", "elements": "str", "required": True},
    "objects": {"type": "list", "elements": "dict"},
}


def listed(module: AnsibleModule) -> list[dict[str, Any]]:
    params = module.params
    belongings = Belongings(Cluster(connect(params)), params["namespace"])
    if params["objects"] is None:
        return belongings.of(params["releases"])
    return belongings.existing(params["objects"])


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    try:
        objects = listed(module)
    except KubeError as error:
        module.fail_json(msg=f"the objects of {', '.join(module.params['releases'])} cannot be listed: {error}")
    module.exit_json(changed=False, objects=objects)


if __name__ == "__main__":
    main()
