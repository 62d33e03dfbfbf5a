#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that Mimir takes samples, gives them back, and gets those of Prometheus."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mimir_verify
short_description: Prove that Mimir takes samples, gives them back, and gets those of Prometheus
description:
  - Looks at the pods of each of Mimir's programs (C(mimir/not-running), with the last error of their logs) and at the
    rings of ingester, store-gateway and compactor (C(mimir/ring)).
  - Writes one sample, C(observability_canary_time), by OTLP through the distributor (C(mimir/refused)), and reads it
    back through the query-frontend (C(mimir/unreadable), C(mimir/lost)).
  - Fails when the newest sample of Prometheus that Mimir has is older than two minutes (C(mimir/behind)), when
    Prometheus sends nothing (C(mimir/not-fed)), and when Mimir refuses some of its samples for good
    (C(mimir/dropped)).
  - Waits for at most O(timeout) seconds until nothing is wrong.
options:
  namespace:
    description: Namespace of Mimir.
    type: str
    default: ias-system
  release:
    description: Name of the Helm release of chart mimir-distributed, with which the names of its services begin.
    type: str
    default: mimir
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.prometheus
  - ias.observability._proof
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
    details: In check mode no sample is written and nothing is proved.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Each check writes one sample to one series, which expires with the others; nothing else is changed.
"""

EXAMPLES = r"""
- name: Prove that Mimir keeps what Prometheus sends
  ias.observability.mimir_verify:
    namespace: ias-system
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: mimir/not-running, severity: error, object: ingester, message: "no pod of Mimir's ingester exists"}
summary:
  description: How many things were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 11, passed: 11}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
rings:
  description: The members of each ring, and the state of each.
  type: dict
  returned: when the Kubernetes API answered
  sample: {ingester: {mimir-ingester-0: ACTIVE}}
"""

from ..module_utils import _kube
from ..module_utils._checks.result import CheckResult
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._service import PROMETHEUS, arguments, open_service
from ..module_utils._verify.mimir import Mimir, verify_mimir
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    module = kube_module(
        arguments(
            namespace={"type": "str", "default": "ias-system"},
            release={"type": "str", "default": "mimir"},
            prometheus=PROMETHEUS,
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode:
        module.exit_json(changed=False, findings=[], summary={"checked": 0, "passed": 0})

    def probe(deadline: Deadline) -> CheckResult:
        mimir = Mimir(_kube.Cluster(_kube.connect(params), deadline), params["namespace"], params["release"])
        return verify_mimir(mimir, lambda: open_service(params, "prometheus", deadline))

    verify(module, "Mimir does not keep what is written to it", probe)


if __name__ == "__main__":
    main()
