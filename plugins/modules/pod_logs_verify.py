#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the logs of every running container arrive in Loki."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_logs_verify
short_description: Prove that the logs of every running container arrive in Loki
description:
  - Lists the pods of the whole cluster, static pods too, and asks Loki by one aggregate query which containers
    it has lines of.
  - The log of a container that Loki does not know is read through the Kubernetes API. One that wrote nothing is
    listed in RV(silent); one that did fails the module.
  - Waits for at most O(timeout) seconds, asking only for what is missing.
options:
  window:
    description: How far back to look, in hours.
    type: int
    default: 1
  ignore_lines:
    description: Regular expressions of lines that the collector drops by intention, such as health probes.
    type: list
    elements: str
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.loki
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that all logs arrive
  ias.observability.pod_logs_verify:
    ignore_lines: ['GET /(healthz|readyz|livez|health|metrics|ping)[ ?"]']
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: logs/missing, severity: error, object: default/web-1/web, message: Loki has none of its lines}
summary:
  description: How many containers that wrote something were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
silent:
  description: The running containers that wrote nothing, as namespace/pod/container.
  type: list
  elements: str
  returned: when Loki and the Kubernetes API answered
  sample: [kube-system/kube-proxy-x7k2p/kube-proxy]
"""

import re

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._checks.result import CheckResult
from ..module_utils._http import Deadline
from ..module_utils._kube import Cluster, KubeError, connect
from ..module_utils._loki import Loki
from ..module_utils._service import LOKI, arguments, open_service
from ..module_utils._verify.logs import Coverage
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    module = AnsibleModule(
        arguments(
            loki=LOKI,
            window={"type": "int", "default": 1},
            ignore_lines={"type": "list", "elements": "str", "default": []},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    try:
        ignored = [re.compile(pattern) for pattern in module.params["ignore_lines"]]
        coverage = Coverage(module.params["window"], ignored)
        client = connect(module.params)
    except re.error as error:
        module.fail_json(msg=f"ignore_lines: {error.pattern!r} is not a regular expression: {error}")
    except KubeError as error:
        module.fail_json(msg=str(error))

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "loki", deadline) as api:
            return coverage.verify(Cluster(client, deadline), Loki(api))

    verify(module, "Not all logs arrive", probe)


if __name__ == "__main__":
    main()
