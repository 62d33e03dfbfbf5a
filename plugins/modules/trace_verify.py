#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that one request makes one trace that the logs know."""

from __future__ import annotations

DOCUMENTATION = r"""
module: trace_verify
short_description: Prove that one request makes one trace that the logs know
description:
  - Searches Tempo by TraceQL for a trace through the services that began since the module did, reads it back by its id,
    and looks for that id in the logs of each of these services (structured metadata C(trace_id) in Loki).
  - Time is told by Loki's clock, so that the clock of the controller does not matter.
  - Waits for at most O(timeout) seconds until one trace has all of it.
options:
  services:
    description:
      - Services that must have a span in the trace and its id in their logs.
      - Without it, all services of the trace found.
    type: list
    elements: str
    default: []
  min_services:
    description: How many services the trace must have spans of at least.
    type: int
    default: 4
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.tempo
  - ias.observability._services.loki
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that traces and logs belong together
  ias.observability.trace_verify:
    services: [api-router, user-service, vllm, postgres]
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: traces/not-in-logs, severity: error, message: the logs of vllm do not hold the trace's id}
summary:
  description: How many services and lookups were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
trace:
  description: The best trace found.
  type: dict
  returned: when Tempo and Loki answered
  sample: {id: 4bf92f3577b34da6a3ce929d0e0e4736, spans: {api-router: 4, vllm: 3}, logged_by: [api-router, vllm]}
"""

from collections.abc import Iterable, Sequence

from ..module_utils import _kube
from ..module_utils._causes.merge import Explained
from ..module_utils._checks.result import CheckResult
from ..module_utils._explain import findings as causes
from ..module_utils._findings import Finding
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._loki import Loki
from ..module_utils._service import LOKI, TEMPO, arguments, open_service
from ..module_utils._tempo import Tempo
from ..module_utils._verify.proof import WAIT_ARGS, verify
from ..module_utils._verify.traces import TraceProbe


def main() -> None:
    module = kube_module(
        arguments(
            tempo=TEMPO,
            loki=LOKI,
            services={"type": "list", "elements": "str", "default": []},
            min_services={"type": "int", "default": 4},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    services = module.params["services"]
    wanted = max(module.params["min_services"], len(services))

    traces = TraceProbe(services, wanted)

    def probe(deadline: Deadline) -> CheckResult:
        with (
            open_service(module.params, "tempo", deadline) as tempo,
            open_service(module.params, "loki", deadline) as loki,
        ):
            return traces.verify(Tempo(tempo), Loki(loki))

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        cluster = _kube.Cluster(_kube.connect(module.params), deadline)
        return causes.traces(cluster, module.params["tempo"], services, findings)

    verify(module, "No complete trace", probe, None if module.params["tempo"]["url"] else explain)


if __name__ == "__main__":
    main()
