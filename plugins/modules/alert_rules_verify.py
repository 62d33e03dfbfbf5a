#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that Prometheus evaluates the rules of a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_rules_verify
short_description: Prove that Prometheus evaluates the rules of a file
description:
  - Fails unless every rule of O(paths) is loaded in Prometheus as it is written (expression and duration),
    has been evaluated without an error, and Prometheus has an active Alertmanager.
  - An evaluation error of any other loaded rule is an error too, and so is a group, whoever made it, whose last
    evaluation is older than two of its intervals by Prometheus' own clock (C(alerts/evaluation-late)). A group that
    takes longer than its interval is a warning (C(alerts/evaluation-slow)).
  - Waits for at most O(timeout) seconds, since the operator and Prometheus take up to two minutes to load a new rule.
options:
  paths:
    description: Rule files, or PrometheusRule manifests.
    type: list
    elements: path
    required: true
  contract:
    description:
      - The metrics contract. With it the rules are looked for in the C(names) of the team, as role prometheus loads
        them.
    type: path
  services:
    description:
      - The services of O(contract) that this site runs. Empty means all.
      - Rules that need metrics or targets of others are not wanted, as in M(ias.observability.prometheus_rules).
    type: list
    elements: str
    default: []
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.prometheus
  - ias.observability._proof
  - ias.observability._attributes.read_only
"""

EXAMPLES = r"""
- name: Prove that the alerts are armed
  ias.observability.alert_rules_verify:
    paths: [contracts/alerts.yaml, contracts/slo-alerts.yaml]
    contract: contracts/services.yaml
    timeout: 180
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: alerts/not-loaded, severity: error, object: api/HighErrorRate, message: Prometheus has not loaded this rule}
summary:
  description: How many rules were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
alertmanagers:
  description: The URLs that Prometheus sends alerts to.
  type: list
  elements: str
  returned: when Prometheus answered
  sample: ["http://10.244.1.7:9093/api/v2/alerts"]
loaded:
  description: How many rules Prometheus has loaded in all.
  type: int
  returned: when Prometheus answered
  sample: 143
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import compress
from pathlib import Path

from ..module_utils import _kube
from ..module_utils._causes.merge import Explained
from ..module_utils._checks.alerts import RuleFileError, check_rules, load_rules
from ..module_utils._checks.result import CheckResult
from ..module_utils._contract.aliases import AliasError
from ..module_utils._contract.running import EVERYTHING
from ..module_utils._contract_file import RUNNING_ARGS, UNFIT, read_running
from ..module_utils._ending import end
from ..module_utils._explain import findings as causes
from ..module_utils._files import UnreadableError, read_text
from ..module_utils._findings import Finding, failed
from ..module_utils._http import Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._prometheus import LoadedRule, Prometheus
from ..module_utils._rules.object_names import NameCollisionError, object_names
from ..module_utils._rules.running import Formula, needed
from ..module_utils._service import PROMETHEUS, arguments, open_service
from ..module_utils._verify.proof import WAIT_ARGS, verify


def main() -> None:
    paths = {"type": "list", "elements": "path", "required": True}
    spec = arguments(prometheus=PROMETHEUS, paths=paths, **RUNNING_ARGS, **WAIT_ARGS)
    module = kube_module(spec, supports_check_mode=True)
    running, findings = read_running(module.params["contract"], module.params["services"])
    if failed(findings):
        end(module, UNFIT, findings)
    running = running or EVERYTHING
    try:
        read = [rule for path in module.params["paths"] for rule in load_rules(path, _text(path))]
        answers = needed((Formula(rule.record, rule.expr) for rule in read), running)
        names = running.contract.names
        wanted = [replace(rule, expr=names.apply(rule.expr)) for rule in compress(read, answers)]
        names_of_objects = object_names(module.params["paths"])
    except (AliasError, NameCollisionError, RuleFileError) as error:
        module.fail_json(msg=str(error))

    ours = {(rule.group, rule.name) for rule in wanted}

    def compared(rule: LoadedRule, formatted: Callable[[str], str]) -> LoadedRule:
        """Formatted where it is compared with one of ours."""
        return replace(rule, expr=formatted(rule.expr)) if (rule.group, rule.name) in ours else rule

    def probe(deadline: Deadline) -> CheckResult:
        with open_service(module.params, "prometheus", deadline) as api:
            prometheus = Prometheus(api)
            # The same rule can be written in many ways: both sides are compared as Prometheus formats them.
            formatted = cache(prometheus.format_query)
            groups = [
                replace(group, rules=tuple(compared(rule, formatted) for rule in group.rules))
                for group in prometheus.rule_groups()
            ]
            return check_rules(
                [replace(rule, expr=formatted(rule.expr)) for rule in wanted],
                groups,
                prometheus.alertmanagers(),
                prometheus.now(),
            )

    home, url = module.params["prometheus"]["namespace"], module.params["prometheus"]["url"]

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        cluster = _kube.Cluster(_kube.connect(module.params), deadline)
        return causes.rules(cluster, home, findings, names_of_objects)

    verify(module, "Not every alert is armed", probe, None if url else explain)


def _text(path: str) -> str:
    try:
        return read_text(Path(path))
    except UnreadableError as error:
        raise RuleFileError(f"{path} cannot be read: {error.message}; {error.hint}") from error


if __name__ == "__main__":
    main()
