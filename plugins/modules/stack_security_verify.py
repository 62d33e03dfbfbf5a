#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the stack runs with the rights, the images and the doors that were declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_security_verify
short_description: Prove that the stack runs with the rights, the images and the doors that were declared
description:
  - Grafana must not answer without a login (C(security/anonymous)), nor have a password that everybody knows
    (C(security/default-password)). No wrong password is tried, for Grafana locks a user out after five of them.
  - Each container of the stack runs an image of O(charts), by name and tag, behind whatever registry
    (C(security/image)), and the pinned digest where all of that tag are pinned (C(security/image-digest); a warning
    where only the node tells it, for a mirror may repack what it holds).
  - Its pods take nothing of their nodes that O(charts) does not name under C(host) (C(security/host)) - paths, ports,
    namespaces, capabilities, privilege.
  - No service that is of the stack or leads to its pods can be reached from outside, but those of
    O(exposed_services) (C(security/exposed)).
  - The rights of its service accounts come from its releases, and are no wide roles of Kubernetes' own
    (C(security/rights)).
  - The stack is what runs as the service accounts that the releases of O(charts) have made in O(namespace).
options:
  namespace:
    description: The namespace of the stack.
    type: str
    default: ias-system
  charts:
    description: The pins of charts and images, contracts/charts.yaml. Its entries have the names of the releases.
    type: path
    required: true
  exposed_services:
    description: Services that may be reached from outside the cluster.
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
- name: Prove that nobody gets in by an open door
  ias.observability.stack_security_verify:
    charts: contracts/charts.yaml
    grafana: {admin_secret: prometheus-grafana}
    exposed_services: [prometheus-grafana]
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: security/exposed, severity: error, object: service loki, message: it can be reached from outside the cluster}
summary:
  description: How many pods, services, bindings and doors were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
pods:
  description: How many pods are the stack's.
  type: int
  returned: when there are some
  sample: 14
"""

from dataclasses import replace
from pathlib import Path

from ..module_utils import _kube
from ..module_utils._checks.result import CheckResult
from ..module_utils._checks.security import Declared, DeclaredError, check_stack, read_declared
from ..module_utils._ending import Module
from ..module_utils._files import UnreadableError, read_text
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service, read_admin
from ..module_utils._verify.proof import WAIT_ARGS, verify
from ..module_utils._verify.security import check_grafana, read_live
from ..module_utils._yaml.tree import YamlError, first_document, plain

DOORS = 2
"""Of Grafana: without a login, and with a password that everybody knows."""


def main() -> None:
    module = kube_module(
        arguments(
            grafana=GRAFANA,
            namespace={"type": "str", "default": "ias-system"},
            charts={"type": "path", "required": True},
            exposed_services={"type": "list", "elements": "str", "default": []},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    params = module.params
    declared = read_charts(module, params["charts"])

    def probe(deadline: Deadline) -> CheckResult:
        cluster = _kube.Cluster(_kube.connect(params), deadline)
        live = read_live(cluster, params["namespace"])
        grafana = params["grafana"]
        if grafana["admin_secret"]:
            grafana = read_admin(cluster, grafana["namespace"], grafana["admin_secret"])
        with open_service(params, "grafana", deadline) as api:
            doors = check_grafana(api, grafana)
        found = check_stack(params["namespace"], declared, live, params["exposed_services"])
        return replace(
            found,
            checked=found.checked + DOORS,
            passed=found.passed + DOORS - len(doors),
            findings=[*doors, *found.findings],
        )

    verify(module, "The stack is not as it was declared", probe)


def read_charts(module: Module, path: str) -> Declared:
    try:
        root = first_document(read_text(Path(path)))
        return read_declared(None if root is None else plain(root))
    except UnreadableError as error:
        module.fail_json(msg=f"{path} cannot be read: {error.message}; {error.hint}")
    except YamlError as error:
        module.fail_json(msg=f"{path}:{error.line}:{error.column} is not YAML: {error.message}; correct the file")
    except DeclaredError as error:
        module.fail_json(msg=f"{path} cannot be used: {error}; give the path of contracts/charts.yaml")
    raise AssertionError


if __name__ == "__main__":
    main()
