#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load rule files into Prometheus, as objects of its operator."""

from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_rules
short_description: Load rule files into Prometheus as PrometheusRule objects
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Makes one PrometheusRule of each rule file, so that a file that the operator refuses takes no other file with it.
    The object is called C(ias-platform-<file>). Names that Kubernetes does not accept are changed and get a hash; files
    of one name in several folders get different objects.
  - Objects of this module whose file is not in O(files) any more are deleted. They are recognised by their labels; the
    rules of charts and of others are never touched.
  - Everything is read, and accepted by the API server in a dry run, before the first object is written.
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  files:
    description: The rule files. With an empty list nothing is written or deleted.
    type: list
    elements: path
    required: true
  namespace:
    description: The namespace of the objects.
    type: str
    default: ias-system
  contract:
    description:
      - The metrics contract, C(services.yaml). Metrics and jobs in the expressions get the names in its C(names).
    type: path
  services:
    description:
      - The services of O(contract) that this site runs. Empty means all.
      - Rules that need metrics or targets of others are not loaded; of an C(or) one side is enough. So a site without a
        database gets no alert that the database is down. Rules about what the contract does not know are always loaded.
    type: list
    elements: str
    default: []
  grafana_url:
    description: Where people reach Grafana. Without it, links to dashboards stay relative.
    type: str
    default: ""
  runbooks_url:
    description:
      - The folder in which people read the runbooks of the contracts. A C(runbook_url) that ends with
        C(/runbooks/<alert>.md) leads to C(<alert>.md) in it. Without it, links stay as the files have them.
    type: str
    default: ""
  prune_limit:
    description: How many objects may be deleted. When there are more, the module fails, lists them and changes nothing.
    type: int
    default: 10
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - PyYAML
seealso:
  - module: ias.observability.alert_rules_validate
  - module: ias.observability.alert_rules_verify
"""

EXAMPLES = r"""
- name: Load the alerts of two teams
  ias.observability.prometheus_rules:
    files: [search/alerts.yaml, billing/alerts.yaml]
    namespace: monitoring
    grafana_url: https://grafana.example.com
"""

RETURN = r"""
rules:
  description: The objects, and what was done to each (V(none), V(created), V(updated) or V(deleted)).
  type: list
  elements: dict
  returned: success
  sample:
    - name: ias-platform-alerts
      action: updated
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML, yaml_dump

from ..module_utils._contract.aliases import AliasError
from ..module_utils._contract.running import EVERYTHING, Running
from ..module_utils._contract_file import RUNNING_ARGS, UNFIT, read_running
from ..module_utils._ending import end
from ..module_utils._findings import failed
from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._kube.module import kube_module
from ..module_utils._kube.owned import Change, Owned
from ..module_utils._rules.object_names import NameCollisionError, object_names
from ..module_utils._rules.render import Site, render_rules
from ..module_utils._rules.running import needed_groups
from ..module_utils._values.merge import ValuesError, load

GROUP = "monitoring.coreos.com"
LABELS = {"app.kubernetes.io/part-of": "ias-platform", "app.kubernetes.io/managed-by": "ias.observability"}
ARGUMENTS = {
    "files": {"type": "list", "elements": "path", "required": True},
    "namespace": {"type": "str", "default": "ias-system"},
    **RUNNING_ARGS,
    "grafana_url": {"type": "str", "default": ""},
    "runbooks_url": {"type": "str", "default": ""},
    "prune_limit": {"type": "int", "default": 10},
}


def desired(params: dict[str, Any], running: Running) -> dict[str, dict[str, Any]]:
    """The objects by their names, of the files that have a rule. Raises AliasError, ValuesError, NameCollisionError."""
    names = object_names(params["files"])
    files = needed_groups([load(path).get("groups") or [] for path in names], running)
    site = Site(params["grafana_url"], params["runbooks_url"])
    kind = {"apiVersion": f"{GROUP}/v1", "kind": "PrometheusRule"}
    return {
        name: {**kind, "spec": {"groups": render_rules(groups, running.contract.names, site)}}
        for name, groups in zip(names.values(), files, strict=True)
        if groups
    }


def loaded(module: AnsibleModule, running: Running) -> dict[str, Any]:
    params = module.params
    objects = desired(params, running)
    path = f"/apis/{GROUP}/v1/namespaces/{params['namespace']}/prometheusrules"
    owned = Owned(Cluster(connect(params)), path, "PrometheusRule", LABELS)
    changes = (
        owned.plan(objects, prune_limit=params["prune_limit"], may_lack=module.check_mode) if params["files"] else []
    )
    if not module.check_mode:
        owned.apply(changes, objects)
    return {
        "changed": any(change.action != "none" for change in changes),
        "rules": [{"name": change.name, "action": change.action} for change in changes],
        "diff": [diff(change) for change in changes if change.action != "none"],
    }


def diff(change: Change) -> dict[str, str]:
    before, after = (yaml_dump(item["spec"], sort_keys=False) if item else "" for item in (change.before, change.after))
    header = f"PrometheusRule {change.name}"
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    running, findings = read_running(module.params["contract"], module.params["services"])
    if failed(findings):
        end(module, UNFIT, findings)
    try:
        result = loaded(module, running or EVERYTHING)
    except (AliasError, KubeError, ValuesError, NameCollisionError) as error:
        module.fail_json(msg=f"the rules cannot be loaded: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
