#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the links between Grafana's data sources lead somewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
module: correlation_verify
short_description: Prove that the links between Grafana's data sources lead somewhere
description:
  - Reads the links from the data sources' own settings (C(derivedFields) of Loki; C(tracesToLogsV2), C(tracesToMetrics)
    and C(serviceMap) of Tempo; C(exemplarTraceIdDestinations) of Prometheus) and follows them as Grafana does - a log
    line to its trace, the trace to its logs, to its metrics, an exemplar of these to a trace.
  - Asks every data source through Grafana, with Grafana's own access to it.
  - A link that ends nowhere is a finding that names the data source, the setting, what it gave, and why - a uid that
    no data source has, an expression that finds nothing though lines hold trace ids, a tag that is mapped to a label
    that is not there, a query that is refused.
  - Waits for at most O(timeout) seconds until every link leads somewhere.
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.grafana
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that one click leads from a log line to its trace, and on
  ias.observability.correlation_verify:
    grafana: {admin_secret: prometheus-grafana}
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: correlation/data-source
      severity: error
      object: "data source Tempo: tracesToLogsV2"
      message: it leads to uid 'lokii', which no data source of Grafana has
summary:
  description: How many links were followed, and how many led somewhere.
  type: dict
  returned: always
  sample: {checked: 7, passed: 7}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
hops:
  description: Each link, and what it gave.
  type: list
  elements: dict
  returned: when Grafana answered
  sample:
    - {from: "Loki: derivedFields, trace_id", gave: trace 4bf92f3577b34da6a3ce929d0e0e4736}
"""

from ..module_utils._checks.result import CheckResult
from ..module_utils._grafana.client import Grafana
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service
from ..module_utils._verify.correlation import verify_correlation
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    module = kube_module(arguments(grafana=GRAFANA, **WAIT_ARGS), supports_check_mode=True)

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "grafana", deadline) as api:
            return verify_correlation(Grafana(api))

    verify(module, "Not every link between data sources leads somewhere", probe)


if __name__ == "__main__":
    main()
