#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say why a panel, an alert, a target, a pod or a trace is not as it should be."""

from __future__ import annotations

DOCUMENTATION = r"""
module: explain_info
short_description: Say why a panel, an alert, a target, a pod or a trace is not as it should be
description:
  - Walks from what is seen to what is behind it, and says where the chain breaks and what to do. It asks the servers
    and the Kubernetes API, follows fixed rules, and changes nothing.
  - A panel leads by its variables and data source to its query, which is taken apart until one part is found that is
    empty by itself, then to the metric, its monitor, its target, its pod and the pod's last event. An alert leads by
    its rule and its condition to silences, inhibitions and receivers.
  - It never fails on what it finds. What is healthy is said to be.
options:
  panel:
    description:
      - A dashboard and a panel, separated by a slash.
      - A part of the dashboard's title is enough where no other has it.
    type: str
  alert:
    description: The name of an alert.
    type: str
  target:
    description: A job, a ServiceMonitor or PodMonitor (its name, or namespace/name), or a part of a target's URL.
    type: str
  pod:
    description: A pod or what makes it (a Deployment, StatefulSet or DaemonSet), as name or namespace/name.
    type: str
  trace:
    description: The id of a trace, or the name of a service.
    type: str
  contract:
    description: The metrics contract. With it a metric that is missing is looked for at the jobs that should expose it.
    type: path
  collector_labels:
    description: The labels of the collector's pods.
    type: dict
    default: {app.kubernetes.io/name: alloy}
  ignore_lines:
    description: Regular expressions of log lines that the collector drops by intention.
    type: list
    elements: str
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.prometheus
  - ias.observability._services.loki
  - ias.observability._services.tempo
  - ias.observability._services.grafana
  - ias.observability._services.alertmanager
  - ias.observability._attributes.read_only
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - urllib3 >= 2
"""

EXAMPLES = r"""
- name: Ask why a panel is empty
  ias.observability.explain_info:
    panel: API Router/Requests by model
    grafana: {admin_secret: prometheus-grafana}
    contract: contracts/services.yaml
  register: explained

- name: Show the cause, the chain and the next step
  ansible.builtin.debug:
    msg: "{{ explained.lines }}"
"""

RETURN = r"""
cause:
  description: What the chain ends in; that all is well where nothing is broken.
  type: str
  returned: always
  sample: "Deployment ias-system/api-router is scaled to 0"
hint:
  description: What to do about it; empty where nothing is broken.
  type: str
  returned: always
  sample: kubectl scale -n ias-system deployment/api-router --replicas=1
healthy:
  description: Whether nothing is broken.
  type: bool
  returned: always
  sample: false
chain:
  description: What was looked at, in its order.
  type: list
  elements: dict
  returned: always
  contains:
    state: {description: "V(ok), V(broken), or V(unknown).", type: str, sample: broken}
    text: {description: What was found., type: str, sample: "Deployment ias-system/api-router is scaled to 0"}
    hint: {description: What to do., type: str, sample: ""}
lines:
  description: All of it for a person, the cause first.
  type: list
  elements: str
  returned: always
  sample: ["Deployment ias-system/api-router is scaled to 0", "  ok      dashboard API Router has the panel Requests"]
seconds:
  description: How long it took.
  type: float
  returned: always
  sample: 1.2
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..module_utils import _kube
from ..module_utils._causes.chain import Chain, broken
from ..module_utils._causes.metrics import Known
from ..module_utils._causes.services import service_chain
from ..module_utils._causes.told import told
from ..module_utils._contract.load import load as load_contract
from ..module_utils._explain.alert import alert_chain
from ..module_utils._explain.ask import Stack
from ..module_utils._explain.panel import panel_chain
from ..module_utils._explain.pod import looked_at
from ..module_utils._explain.target import scraped_chain
from ..module_utils._explain.trace import traced_chain
from ..module_utils._files import UnreadableError, read_text
from ..module_utils._grafana.client import Grafana
from ..module_utils._http import Api, Deadline, HttpError
from ..module_utils._kube import KubeError
from ..module_utils._kube.module import kube_module
from ..module_utils._promql import patterns
from ..module_utils._promql.re2 import RegexError
from ..module_utils._rules.report import RuleReport
from ..module_utils._service import ALERTMANAGER, GRAFANA, LOKI, PROMETHEUS, TEMPO, arguments, open_service

SUBJECTS = ("panel", "alert", "target", "pod", "trace")
NEEDED = {"panel": ("grafana",), "alert": ("alertmanager",), "target": (), "pod": ("loki",), "trace": ("tempo", "loki")}
"""Beside Prometheus; a panel's data are asked for through Grafana."""
PLACES = ("loki", "tempo", "alertmanager")
NOT_ASKED = KubeError("this service is not asked")
WHOLE_SECONDS = 60.0


def main() -> None:
    module = kube_module(
        arguments(
            prometheus=PROMETHEUS,
            loki=LOKI,
            tempo=TEMPO,
            grafana=GRAFANA,
            alertmanager=ALERTMANAGER,
            contract={"type": "path"},
            collector_labels={"type": "dict", "default": {"app.kubernetes.io/name": "alloy"}},
            ignore_lines={"type": "list", "elements": "str", "default": []},
            **{subject: {"type": "str"} for subject in SUBJECTS},
        ),
        supports_check_mode=True,
        mutually_exclusive=[SUBJECTS],
        required_one_of=[SUBJECTS],
    )
    started = time.monotonic()
    try:
        ignored = [patterns.compile(pattern) for pattern in module.params["ignore_lines"]]
        known = site(module.params)
    except RegexError as error:
        module.fail_json(msg=f"ignore_lines: this is not a regular expression: {error}")
    except UnreadableError as error:
        module.fail_json(msg=f"the contract cannot be read: {error.message}; {error.hint}")
    try:
        chain = walk(module.params, known, ignored)
    except KubeError as error:
        chain = [broken(error.message, error.hint)]
    except HttpError as error:
        chain = [broken(str(error), "Check that the service runs, and the credentials")]
    module.exit_json(changed=False, **told(chain), seconds=round(time.monotonic() - started, 2))


def site(params: Mapping[str, Any]) -> Known:
    """What the options say of the site. UnreadableError where the contract is not there."""
    places = {name: (params[name]["namespace"], params[name]["service"], params[name]["port"]) for name in PLACES}
    jobs: dict[str, list[str]] = {}
    if params["contract"]:
        contract = load_contract(params["contract"], read_text(Path(params["contract"])), RuleReport())
        for service in contract.services.values():
            for metric in service.metrics if service.job else ():
                jobs.setdefault(contract.names.metric(metric), []).append(contract.names.job(service.job))
    return Known(params["prometheus"]["namespace"], jobs, **places)


def walk(params: Mapping[str, Any], known: Known, ignored: list[patterns.Pattern]) -> Chain:
    """From the subject to its cause."""
    deadline = Deadline().within(WHOLE_SECONDS)
    subject = next(name for name in SUBJECTS if params[name])
    wanted = params[subject]
    with ExitStack() as services:
        reach = {name: reached(params, name, deadline, services) for name in ("prometheus", *NEEDED[subject])}
        prometheus, loki, tempo = (reach.get(name, NOT_ASKED) for name in ("prometheus", "loki", "tempo"))
        stack = Stack(prometheus, loki, tempo, cluster_of(params, deadline), params["collector_labels"])
        grafana = reach.get("grafana")
        for name in ("grafana", "prometheus"):
            if isinstance(reach.get(name), KubeError):
                return away(params[name], reach[name], stack)
        if isinstance(grafana, Api):
            return panel_chain(Grafana(grafana), wanted, stack, known)
        if subject == "alert":
            return alert_chain(wanted, stack, reach["alertmanager"], known)
        if subject == "pod":
            return looked_at(wanted, stack, known, ignored)
        return scraped_chain(wanted, stack, known) if subject == "target" else traced_chain(wanted, stack, known)


def reached(params: Mapping[str, Any], name: str, deadline: Deadline, services: ExitStack) -> Api | KubeError:
    """The API of a service, or why there is no way to it."""
    try:
        return services.enter_context(open_service(params, name, deadline))
    except KubeError as error:
        if isinstance(error, _kube.SetupError | _kube.UnreachableError):
            raise
        return error


def cluster_of(params: Mapping[str, Any], deadline: Deadline) -> _kube.Cluster | None:
    """None where every service has a URL and there are no credentials for a cluster."""
    try:
        return _kube.Cluster(_kube.connect(params), deadline)
    except _kube.SetupError:
        return None


def away(service: Mapping[str, Any], error: Any, stack: Stack) -> Chain:
    """A service that cannot be asked: what stands behind it."""
    chain = [broken(error.message, error.hint)]
    return [*chain, *service_chain(service["namespace"], service["service"], service["port"], stack.objects())]


if __name__ == "__main__":
    main()
